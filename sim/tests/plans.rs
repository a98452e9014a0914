//! Every path of the site file can be planned so that each leg's conditions hold when the truck is there.

use gate_types::mission::{Condition, CustomsStatus, LegRule, MissionConditions};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use sim::world::plan::{When, plan};
use sim::world::truck::Papers;
use std::path::Path;

fn holds(rule: &LegRule, c: &MissionConditions) -> bool {
    rule.requires.iter().all(|r| match r {
        Condition::AccessPermission => c.access_permission,
        Condition::NoAccessPermission => !c.access_permission,
        Condition::BoardingTicket => c.boarding_ticket,
        Condition::NoBoardingTicket => !c.boarding_ticket,
        Condition::Declaration => c.declaration.is_some(),
        Condition::BerthHere => c.berth.as_ref() == Some(&rule.node),
        Condition::ExceptionAuthorised => c.exception.is_some(),
    })
}

#[test]
fn every_path_of_bari_can_be_driven() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/sites/bari/site.toml");
    let site = config::load_site(&file).expect("the site file");
    let mut paths = 0;
    for seed in 0..20 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for process in &site.processes {
            for path in &process.paths {
                paths += 1;
                let late = seed % 2 == 0;
                let plan = plan(process, path, late, &mut rng);
                let mut papers =
                    Papers { status: plan.status, holds: Vec::new(), conditions: plan.conditions.clone() };
                for (at, rule) in process.legs_of(path).iter().enumerate() {
                    for due in &plan.changes {
                        if matches!(due.when, When::Standing(leg, _) if leg == at) {
                            papers.apply(&due.change);
                        }
                    }
                    let name = format!("seed {seed} {} leg {at}", path.id);
                    assert!(rule.admit.contains(&papers.status), "{name}: {:?}", papers.status);
                    assert!(holds(rule, &papers.conditions), "{name}: {:?}", papers.conditions);
                    for due in &plan.changes {
                        if matches!(due.when, When::Passed(leg, _) if leg == at) {
                            papers.apply(&due.change);
                        }
                    }
                }
                assert_eq!(papers.status, CustomsStatus::Released, "{}", path.id);
            }
        }
    }
    assert_eq!(paths, 15 * 20);
}

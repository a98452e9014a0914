//! A truck's way through one process, read from the site's own data: which legs, and how its papers have to
//! change on the way so that each leg admits.

use gate_types::mission::DeclarationKind;
use gate_types::mission::{
    Condition, CustomsStatus, ExceptionGrant, LegRef, LegRule, MissionConditions, MissionPath, PathKind,
    Process,
};
use rand::Rng;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

/// When a change of papers is due.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// Seconds after the truck passed this leg.
    Passed(usize, f64),
    /// Seconds after the truck came to stand at this leg.
    Standing(usize, f64),
}

impl When {
    /// The leg that it hangs on; a change at `Standing(n)` is not yet due before leg n.
    pub fn leg(self) -> usize {
        match self {
            When::Passed(leg, _) | When::Standing(leg, _) => leg,
        }
    }
}

/// A change of papers; absent fields stay.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Change {
    /// Customs' word.
    pub status: Option<CustomsStatus>,
    /// The access permission.
    pub access_permission: Option<bool>,
    /// The boarding ticket.
    pub boarding_ticket: Option<bool>,
    /// The declaration.
    pub declaration: Option<DeclarationKind>,
}

/// A change with its moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Due {
    /// When.
    pub when: When,
    /// What.
    pub change: Change,
}

/// A truck's way.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The path's name.
    pub path: String,
    /// The legs in order.
    pub legs: Vec<LegRef>,
    /// Status at the start.
    pub status: CustomsStatus,
    /// Conditions at the start.
    pub conditions: MissionConditions,
    /// Changes on the way.
    pub changes: Vec<Due>,
}

/// A path of a process by chance: the everyday ones more often.
pub fn choose<'a>(process: &'a Process, rng: &mut ChaCha8Rng) -> Option<&'a MissionPath> {
    let rare = rng.random_bool(0.15);
    let wanted = |kind: PathKind| process.paths.iter().filter(|p| p.kind == kind).collect::<Vec<_>>();
    let exceptional = wanted(PathKind::Exceptional);
    let normal = wanted(PathKind::Normal);
    let from = if (rare && !exceptional.is_empty()) || normal.is_empty() { exceptional } else { normal };
    from.choose(rng).copied()
}

/// Plans one path. `late`: customs' release comes only while the truck waits for it.
pub fn plan(process: &Process, path: &MissionPath, late: bool, rng: &mut ChaCha8Rng) -> Plan {
    let rules = process.legs_of(path);
    let mut changes = Vec::new();
    let mut flag = |yes: Condition, no: Condition, set: fn(bool) -> Change| {
        let mut held = None;
        for (at, rule) in rules.iter().enumerate() {
            let wanted = if rule.requires.contains(&yes) {
                true
            } else if rule.requires.contains(&no) {
                false
            } else {
                continue;
            };
            match held {
                None => held = Some((wanted, wanted)),
                Some((first, now)) if now != wanted => {
                    held = Some((first, wanted));
                    changes.push(Due { when: When::Passed(at - 1, 2.5), change: set(wanted) });
                }
                Some(_) => {}
            }
        }
        held.is_none_or(|(first, _)| first)
    };
    let access_permission = flag(Condition::AccessPermission, Condition::NoAccessPermission, |v| Change {
        access_permission: Some(v),
        ..Change::default()
    });
    let boarding_ticket = flag(Condition::BoardingTicket, Condition::NoBoardingTicket, |v| Change {
        boarding_ticket: Some(v),
        ..Change::default()
    });
    let leg_with = |c: Condition| rules.iter().position(|r| r.requires.contains(&c));
    let berth = leg_with(Condition::BerthHere).map(|at| rules[at].node.clone());
    let exception = leg_with(Condition::ExceptionAuthorised).map(|_| ExceptionGrant {
        reason: "regular berth taken by a delayed ship".into(),
        authorised_by: "duty officer".into(),
    });
    let kind = process.declarations.choose(rng).copied();
    let first_strict = rules.iter().position(|r| !admits_pending(r));
    let lodged_at = leg_with(Condition::Declaration);
    let driving = matches!(lodged_at, Some(at) if at > 0) && rng.random_bool(0.75);
    let mut status = CustomsStatus::Released;
    let released = Change { status: Some(CustomsStatus::Released), ..Change::default() };
    if driving && let Some(at) = lodged_at {
        // Lodged on the way, and released on it, where the legs before let the truck pass pending.
        let free = first_strict.is_some_and(|strict| strict >= at);
        let change = Change {
            declaration: kind,
            status: free.then_some(CustomsStatus::Released),
            ..Change::default()
        };
        changes.push(Due { when: When::Passed(at - 1, 1.0), change });
        if free {
            status = CustomsStatus::Pending;
        }
    } else if late && let Some(at) = first_strict {
        status = CustomsStatus::Pending;
        changes.push(Due { when: When::Standing(at, rng.random_range(4.0..8.0)), change: released });
    }
    Plan {
        path: path.id.clone(),
        legs: rules.iter().map(|r| LegRef { node: r.node.clone(), direction: r.direction }).collect(),
        status,
        conditions: MissionConditions {
            access_permission,
            boarding_ticket,
            declaration: if driving { None } else { kind },
            berth,
            exception,
        },
        changes,
    }
}

fn admits_pending(rule: &LegRule) -> bool {
    rule.admit.contains(&CustomsStatus::Pending)
}

//! A vehicle never inherits what was seen of the one before it, nor of the one behind it, however close
//! they follow (0.5 m at walking speed is about a third of a second).

use crate::bench::Bench;
use crate::fusion::read;
use crate::site::{TRACTOR, TRAILER, spec};
use gate_core::{ArmCommand, Effect, Input};
use gate_types::entry::EntryBody;
use gate_types::identity::Identity;
use gate_types::observation::{Level, Observation, Observed, ReadKind, View};
use gate_types::{DeviceId, Mono, PassId, Stamp, Wall};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A reading of a camera that was made at `at` and arrives now.
fn late(bench: &mut Bench, camera: &str, text: &str, at: u64) {
    let view = if camera == "front" { View::Front } else { View::Rear };
    let what = Observed::Read(read(ReadKind::Plate, view, text, 0.97, &[]));
    let device = DeviceId::new(format!("n1-in-1.{camera}")).unwrap();
    let at = Stamp { mono_ms: Mono(at), wall_ms: Wall(0) };
    bench.input(Input::Observed(Observation { device, at, what }));
}

fn obey(bench: &mut Bench) {
    let told = bench.out.iter().rev().find_map(|d| match &d.effect {
        Effect::Actuate(cleared) => Some(cleared.command()),
        _ => None,
    });
    let up = match told {
        Some(ArmCommand::Raise) => true,
        Some(ArmCommand::PermitLower) => false,
        None => return,
    };
    bench.inputs.limit_up = if up { Level::On } else { Level::Off };
    bench.inputs.limit_down = if up { Level::Off } else { Level::On };
    bench.send_inputs();
}

fn plates(identity: &Identity) -> Vec<&str> {
    identity.slots.iter().flat_map(|s| s.candidates.iter().map(|c| c.value.as_str())).collect()
}

const FOLLOWER: [&str; 2] = ["EF456GH", "YB789KL"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn nobody_inherits(
        gap_ms in 120u64..4_000,
        // When the late readings of the first vehicle were made and come in, and early ones of the second.
        made in 0u64..1_000, arrives in 0u64..3_000, early in prop::collection::vec(0u64..3_000, 0..4),
    ) {
        let mut bench = Bench::new(spec(true, false));
        bench.send_inputs();
        bench.inputs.loop_approach = Level::On;
        bench.send_inputs();
        bench.wait(400, true);
        let first_came = bench.now - 400;
        bench.plate("front", TRACTOR, 0.97);
        bench.plate("rear", TRAILER, 0.97);
        bench.answer_mission(|_| {});
        obey(&mut bench);
        bench.inputs.loop_under = Level::On;
        bench.send_inputs();
        bench.wait(1_000, true);
        bench.inputs.loop_approach = Level::Off;
        bench.send_inputs();
        // The follower: on the first loop `gap_ms` after the first vehicle's tail.
        bench.wait(gap_ms, true);
        bench.inputs.loop_approach = Level::On;
        bench.send_inputs();
        let follower_came = bench.now;
        // Its plate is seen while the first one is still under the arm.
        for ms in early {
            bench.wait(ms.max(1), true);
            let now = bench.now;
            late(&mut bench, "front", FOLLOWER[0], now);
        }
        bench.inputs.loop_under = Level::Off;
        bench.send_inputs();
        bench.wait(1_500, true);
        obey(&mut bench);
        bench.wait(arrives.max(1), true);
        // What a slow worker says only now of the first vehicle.
        late(&mut bench, "front", TRACTOR, first_came + made);
        late(&mut bench, "rear", TRAILER, first_came + made);
        let now = bench.now;
        late(&mut bench, "front", FOLLOWER[0], now);
        late(&mut bench, "rear", FOLLOWER[1], now);
        bench.wait(5_000, true);
        bench.answer_mission(|f| f.status = gate_types::mission::CustomsStatus::Held);
        bench.inputs.loop_approach = Level::Off;
        bench.send_inputs();
        bench.wait(3_000, true);
        let mut seen: BTreeMap<PassId, Identity> = BTreeMap::new();
        for entry in &bench.entries {
            if let (Some(pass), EntryBody::PassClosed { summary }) = (&entry.pass, &entry.body) {
                seen.insert(pass.clone(), summary.identity.clone());
            }
        }
        prop_assert!(!seen.is_empty());
        let first = seen.values().next().unwrap();
        prop_assert!(plates(first).iter().all(|p| !FOLLOWER.contains(p)), "{first:?}");
        for second in seen.values().skip(1) {
            prop_assert!(
                plates(second).iter().all(|p| *p != TRACTOR && *p != TRAILER),
                "gap {gap_ms}, follower at {follower_came}: {second:?}"
            );
        }
    }
}

//! The 15 node sequences of Bari, and everything one step beside them.

use crate::site::{conditions, leg, legs, node, processes};
use gate_core::mission::{LegCheck, check};
use gate_types::mission::{
    CustomsStatus, DeclarationKind, ExceptionGrant, InstructionKind, LegRef, MissionConditions, MissionPath,
    PathKind, Process,
};
use gate_types::verdict::ReasonCode;

/// Conditions under which `at`, the next leg of `path`, is admissible.
fn facts_for(path: &MissionPath, at: &LegRef, process: &Process) -> MissionConditions {
    let to_parking = at.node == node("3") && at.direction == leg("3-in").direction;
    let destination = process.legs_of(path).last().map(|l| l.node.clone());
    MissionConditions {
        access_permission: !to_parking,
        boarding_ticket: !to_parking,
        declaration: process.declarations.first().copied(),
        berth: destination,
        exception: (path.kind == PathKind::Exceptional)
            .then(|| ExceptionGrant { reason: "quay works".into(), authorised_by: "Rossi".into() }),
    }
}

fn refs(process: &Process, path: &MissionPath) -> Vec<LegRef> {
    process.legs_of(path).iter().map(|l| LegRef { node: l.node.clone(), direction: l.direction }).collect()
}

fn each_path(mut f: impl FnMut(&Process, &MissionPath, &[LegRef])) {
    for process in processes() {
        for path in &process.paths {
            f(&process, path, &refs(&process, path));
        }
    }
}

#[test]
fn b14_all_fifteen_sequences_are_admitted_leg_by_leg() {
    let mut sequences = 0;
    each_path(|process, path, all| {
        sequences += 1;
        for (i, at) in all.iter().enumerate() {
            let facts = facts_for(path, at, process);
            let last = i + 1 == all.len();
            let LegCheck::Admitted { instruction, next, finishes } =
                check(process, &facts, CustomsStatus::Released, &all[..i], &at.node, at.direction)
            else {
                panic!("{} is refused at {at:?}", path.id);
            };
            assert_eq!(finishes, last);
            assert_eq!(next.is_none(), last);
            assert_eq!(
                instruction == InstructionKind::Finish,
                last,
                "{} at {at:?}: {instruction:?}",
                path.id
            );
        }
    });
    assert_eq!(sequences, 15);
}

#[test]
fn b33_exceptional_gates_need_a_grant_and_b34_the_berth_decides() {
    let p2 = &processes()[1];
    let so_far = legs(&["1-in", "2-in"]);
    let mut facts = conditions();
    facts.berth = Some(node("7"));
    let refused = |facts: &MissionConditions, n: &str| match check(
        p2,
        facts,
        CustomsStatus::Released,
        &so_far,
        &node(n),
        leg("1-in").direction,
    ) {
        LegCheck::Refused { reasons } => reasons.into_iter().map(|r| r.code).collect::<Vec<_>>(),
        LegCheck::Admitted { .. } => Vec::new(),
    };
    assert_eq!(refused(&facts, "7"), [ReasonCode::ExceptionNotAuthorised]);
    facts.exception = Some(ExceptionGrant { reason: "quay works".into(), authorised_by: "Rossi".into() });
    assert!(refused(&facts, "7").is_empty());
    assert_eq!(refused(&facts, "4"), [ReasonCode::WrongBerth]);
    facts.boarding_ticket = false;
    assert_eq!(refused(&facts, "7"), [ReasonCode::BoardingTicketMissing]);
    assert!(refused(&facts, "3").is_empty(), "without ticket the parking is open");
}

#[test]
fn b31_b32_declarations_gate_node_6_in_p3_and_node_1_in_p4() {
    let all = processes();
    let out = leg("1-out").direction;
    for (process, first, gated) in [(&all[2], "6-out", 0usize), (&all[3], "4-out", 1)] {
        for kind in [
            None,
            Some(DeclarationKind::Export),
            Some(DeclarationKind::Transit),
            Some(DeclarationKind::Importation),
        ] {
            let mut facts = conditions();
            facts.declaration = kind;
            let accepted = matches!(kind, Some(DeclarationKind::Transit | DeclarationKind::Importation));
            let path = legs(&[first, "1-out"]);
            for (i, at) in path.iter().enumerate() {
                let found = check(process, &facts, CustomsStatus::Released, &path[..i], &at.node, out);
                let admitted = matches!(found, LegCheck::Admitted { .. });
                assert_eq!(admitted, accepted || i != gated, "{} {at:?} with {kind:?}", process.id);
            }
        }
    }
}

#[test]
fn b40_the_instruction_follows_permission_and_ticket() {
    let p1 = &processes()[0];
    let told = |permission: bool, so_far: &[&str], at: &str| {
        let mut facts = conditions();
        facts.access_permission = permission;
        let at = leg(at);
        match check(p1, &facts, CustomsStatus::Released, &legs(so_far), &at.node, at.direction) {
            LegCheck::Admitted { instruction, next, .. } => (instruction, next),
            LegCheck::Refused { reasons } => panic!("{reasons:?}"),
        }
    };
    assert_eq!(told(true, &["1-in"], "2-in"), (InstructionKind::GoOn, Some(leg("6-in"))));
    assert_eq!(told(false, &["1-in"], "2-in"), (InstructionKind::GoToParking, Some(leg("3-in"))));
    assert_eq!(told(true, &["1-in", "2-in", "3-in"], "3-out"), (InstructionKind::GoOn, Some(leg("6-in"))));
}

#[test]
fn transparent_nodes_are_no_deviation_while_under_way() {
    let p3 = &processes()[2];
    let so_far = legs(&["6-out"]);
    let at = leg("2-out");
    let LegCheck::Admitted { next, .. } =
        check(p3, &conditions(), CustomsStatus::Released, &so_far, &at.node, at.direction)
    else {
        panic!("refused");
    };
    assert_eq!(next, Some(leg("1-out")));
    let held = check(p3, &conditions(), CustomsStatus::Held, &so_far, &at.node, at.direction);
    assert!(matches!(held, LegCheck::Refused { .. }), "B16: the status counts at every node");
    let not_begun = check(p3, &conditions(), CustomsStatus::Released, &[], &at.node, at.direction);
    assert!(matches!(not_begun, LegCheck::Refused { .. }));
}

#[test]
fn b16_every_status_but_the_admitted_one_refuses_with_its_own_reason() {
    let p1 = &processes()[0];
    let expected = [
        (CustomsStatus::Held, ReasonCode::CustomsHeld),
        (CustomsStatus::Inspection, ReasonCode::CustomsInspection),
        (CustomsStatus::Pending, ReasonCode::CustomsPending),
        (CustomsStatus::Refused, ReasonCode::CustomsRefused),
        (CustomsStatus::Unknown, ReasonCode::CustomsUnknown),
    ];
    let at = leg("1-in");
    for (status, code) in expected {
        let LegCheck::Refused { reasons } = check(p1, &conditions(), status, &[], &at.node, at.direction)
        else {
            panic!("{status:?} admits");
        };
        assert_eq!(reasons.iter().map(|r| r.code).collect::<Vec<_>>(), [code]);
    }
}

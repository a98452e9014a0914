//! What the clock alone tells of a mission: late, lost, too long in the parking.

use super::findings::{Cause, Finding, PassSeen, expected, follower};
use super::follow::last_seen;
use super::plan::Plan;
use super::reasons::describe;
use gate_types::api::AlarmKind;
use gate_types::mission::LegRef;

/// What is overdue, and when to look again.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Due {
    /// The finding that stands now: late, lost or overstayed.
    pub finding: Option<Finding>,
    /// When the answer changes without a further pass, milliseconds since 1970; none: never.
    pub next_ms: Option<i64>,
}

/// Looks at the clock. A mission that has not begun is late after `due_ms` (the end of its appointment), where
/// there is one, and never lost; one that has ended is never late.
pub fn due(plan: &Plan, imported: &[LegRef], passes: &[PassSeen], due_ms: Option<i64>, now_ms: i64) -> Due {
    let follower = follower(plan, imported, passes);
    let Some(best) = follower.best() else { return Due::default() };
    if best.is_finished(plan) {
        return Due::default();
    }
    let habits = &plan.port().habits;
    let leg = plan.leg_name(best.at).unwrap_or_default().to_owned();
    let words =
        expected(plan, best, best.at, passes.last().is_some_and(|p| p.conditions.exception.is_some()));
    let Some((node, since_ms)) = last_seen(plan, &follower) else {
        let Some(due_ms) = due_ms else { return Due::default() };
        let late_ms = due_ms.saturating_add(habits.late_slack_ms);
        if now_ms < late_ms {
            return Due { finding: None, next_ms: Some(late_ms) };
        }
        let Some(first) = plan.children(0).find_map(|(_, b)| plan.leg_ref(b.place)) else {
            return Due::default();
        };
        let text = format!("{words}; it was due {} ago and has not come", span(now_ms - due_ms));
        let finding = finding(AlarmKind::Late, leg, first.node, late_ms, text, 0.3);
        return Due { finding: Some(finding), next_ms: None };
    };
    let here = plan.port().number(&node);
    let waits = here.and_then(|n| plan.port().node(n)).is_some_and(|n| n.parking)
        && plan.branch(best.at).is_some_and(|b| plan.node_of(b.place) == here && b.place.is_in());
    let place = || plan.branch(best.at).and_then(|b| plan.leg_ref(b.place));
    let seen = || place().map_or_else(|| format!("node {node}"), |l| describe(&l.node, l.direction));
    if waits {
        let over_ms = since_ms.saturating_add(habits.stay_ms);
        if now_ms < over_ms {
            return Due { finding: None, next_ms: Some(over_ms) };
        }
        let text = format!(
            "{words}; in the parking at {} for {}, {} are allowed",
            seen(),
            span(now_ms - since_ms),
            span(habits.stay_ms)
        );
        let finding = finding(AlarmKind::Overstay, leg, node, over_ms, text, 0.8);
        return Due { finding: Some(finding), next_ms: None };
    }
    let usual_ms = plan
        .children(best.at)
        .filter_map(|(_, b)| plan.port().usual_ms(here?, plan.node_of(b.place)?))
        .max()
        .unwrap_or(0);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "driving times are hours at most"
    )]
    let allowed_ms = (usual_ms as f64 * habits.late_factor) as i64 + habits.late_slack_ms;
    let late_ms = since_ms.saturating_add(allowed_ms);
    let lost_ms = late_ms.saturating_add(habits.lost_after_ms);
    if now_ms < late_ms {
        return Due { finding: None, next_ms: Some(late_ms) };
    }
    let text = format!(
        "{words}; last seen at {} {} ago, the way usually takes {}",
        seen(),
        span(now_ms - since_ms),
        span(usual_ms)
    );
    if now_ms < lost_ms {
        let finding = finding(AlarmKind::Late, leg, node, late_ms, text, 0.5);
        return Due { finding: Some(finding), next_ms: Some(lost_ms) };
    }
    let finding = finding(AlarmKind::Lost, leg, node, lost_ms, text, 0.9);
    Due { finding: Some(finding), next_ms: None }
}

fn finding(
    kind: AlarmKind,
    after: String,
    node: gate_types::NodeId,
    at_ms: i64,
    text: String,
    suspicion: f64,
) -> Finding {
    Finding { kind, cause: Cause::After(after), node, at_ms, text, skipped: Vec::new(), suspicion }
}

/// "45 min", "3 h 5 min".
fn span(ms: i64) -> String {
    let minutes = ms / 60_000;
    if minutes < 120 { format!("{minutes} min") } else { format!("{} h {} min", minutes / 60, minutes % 60) }
}

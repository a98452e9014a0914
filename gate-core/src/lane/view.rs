//! The lane as the console shows it.

use super::Lane;
use gate_types::console::LaneView;
use std::collections::BTreeMap;

impl Lane {
    /// The lane as it is now; `reads`, `sign` and `cameras` are the shell's to fill.
    pub fn snapshot(&self) -> LaneView {
        let (entry, exit) = match &self.other {
            None => (&self.here, None),
            Some(other) if other.is_exit() => (&self.here, Some(other)),
            Some(entry) => (entry, Some(&self.here)),
        };
        let inputs = entry.inputs(self.mono());
        let pass = self.pass.as_ref();
        let restored = self.restored.as_ref().map(|r| r.pass.clone());
        LaneView {
            node: self.spec.node.clone(),
            lane: self.spec.lane.clone(),
            direction: self.spec.direction,
            state: self.state.name(),
            pass: pass.map(|p| p.id.clone()).or(restored),
            inputs,
            arm: inputs.arm(),
            exit_inputs: exit.map(|e| e.inputs(self.mono())),
            identity: pass.map(|p| p.identity.clone()).unwrap_or_default(),
            reads: BTreeMap::new(),
            weight_kg: self.weight_kg,
            mission: pass.and_then(|p| p.facts.clone()),
            verdict: pass.and_then(|p| p.verdict.clone()),
            instruction: self.shown.clone(),
            sign: Vec::new(),
            faults: self.faults.list(),
            cameras: Vec::new(),
        }
    }
}

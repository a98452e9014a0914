//! One case to change: node 6 inwards, the last leg of P1, with everything in order.

use crate::site::{TRACTOR, TRAILER, conditions, facts, identity_rule, legs, node, processes, weight_rule};
use gate_core::policy::{Case, Decision, Issued, Law, decide};
use gate_types::circumstances::Circumstances;
use gate_types::decision::Basis;
use gate_types::identity::{Candidate, GrossWeight, Identity, Slot, SlotEvidence};
use gate_types::mission::Direction;
use gate_types::release::MissionFacts;
use gate_types::rules::{RuleMode, RuleSet, WeightRule};

pub const NOW: i64 = 1_700_000_000_000;

/// A slot with one candidate.
pub fn read(slot: Slot, value: &str, probability: f64) -> SlotEvidence {
    let support = vec!["camera".to_owned()];
    let candidates = vec![Candidate { value: value.to_owned(), probability, support }];
    SlotEvidence { slot, candidates, conflict: false, blind: false, sources: Vec::new() }
}

pub fn identity(slots: Vec<SlotEvidence>, gross_kg: Option<f64>) -> Identity {
    let weight = gross_kg.map(|kg| GrossWeight { vehicle_gross_kg: kg, device: "scale".into(), alibi: None });
    Identity { slots, weight, ..Identity::default() }
}

/// The whole case, owned.
#[derive(Debug, Clone)]
pub struct Whole {
    pub set: RuleSet,
    pub mode: RuleMode,
    pub weight: Option<WeightRule>,
    pub identity: Identity,
    pub basis: Basis,
    pub facts: Option<MissionFacts>,
    pub down: Vec<String>,
}

impl Whole {
    /// Everything in order.
    pub fn good() -> Self {
        let seen = vec![read(Slot::TractorPlate, TRACTOR, 0.97), read(Slot::TrailerPlate, TRAILER, 0.96)];
        let mut facts = facts();
        facts.progress = legs(&["1-in", "2-in"]);
        facts.conditions = conditions();
        facts.circumstances = Circumstances::default();
        Self {
            set: RuleSet::built_in(),
            mode: RuleMode::Live,
            weight: Some(weight_rule()),
            identity: identity(seen, Some(35_100.0)),
            basis: answered(),
            facts: Some(facts),
            down: Vec::new(),
        }
    }
    pub fn facts(&mut self) -> &mut MissionFacts {
        self.facts.as_mut().unwrap()
    }
    pub fn decide(&self) -> Decision {
        self.decide_beside(&[])
    }
    pub fn decide_beside(&self, beside: &[Issued]) -> Decision {
        let issued = Issued::new(self.set.clone());
        let (rule, processes, node) = (identity_rule(), processes(), node("6"));
        let law = Law {
            acting: &issued,
            beside,
            mode: self.mode,
            identity: &rule,
            weight: self.weight.as_ref(),
            processes: &processes,
            node: &node,
            direction: Direction::In,
        };
        let case = Case {
            identity: &self.identity,
            basis: &self.basis,
            facts: self.facts.as_ref(),
            down: &self.down,
        };
        decide(&law, &case)
    }
}

pub fn answered() -> Basis {
    Basis::Mission { nonce: "n".into(), central_now_ms: NOW, matched: vec![TRACTOR.into()] }
}

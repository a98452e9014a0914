//! Why a check failed, in words of both languages, and what would have passed.

use gate_types::identity::Slot;
use gate_types::rules::CheckKind;
use gate_types::verdict::{Reason, ReasonCode};

/// One sentence in English and Italian.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Words {
    pub(super) en: String,
    pub(super) it: String,
}

/// Both sentences.
pub(super) fn say(en: impl Into<String>, it: impl Into<String>) -> Words {
    Words { en: en.into(), it: it.into() }
}

/// One failure of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) check: CheckKind,
    pub(super) code: ReasonCode,
    /// Waiting can help, because the fact may change without anybody at the lane (B40).
    pub(super) waits: bool,
    pub(super) said: Words,
    pub(super) needed: Words,
}

impl Failure {
    pub(super) fn new(check: CheckKind, code: ReasonCode, said: Words, needed: Words) -> Self {
        Self { check, code, waits: false, said, needed }
    }
    /// The same, and waiting can help.
    pub(super) fn waiting(mut self) -> Self {
        self.waits = true;
        self
    }
    pub(super) fn reason(&self) -> Reason {
        Reason { code: self.code, text: self.said.en.clone(), text_it: self.said.it.clone() }
    }
}

/// A fact that the rule set demands and nobody states.
pub(super) fn not_stated(check: CheckKind, en: &str, it: &str) -> Failure {
    let said = say(
        format!("{en} is not stated, and these rules demand it"),
        format!("{it}: dato non dichiarato, e queste regole lo richiedono"),
    );
    Failure::new(
        check,
        ReasonCode::FactMissing,
        said,
        say(format!("{en} stated"), format!("{it}: dato dichiarato")),
    )
}

/// The slot's name in English.
pub(super) fn name(slot: Slot) -> &'static str {
    match slot {
        Slot::TractorPlate => "tractor plate",
        Slot::TrailerPlate => "trailer plate",
        Slot::Itu => "load unit",
        Slot::Itu2 => "second load unit",
        Slot::VehicleTag => "vehicle tag",
        Slot::ContainerTag => "container tag",
        Slot::Seal => "seal",
        Slot::Adr => "ADR panel",
        Slot::GatePass => "gate pass",
    }
}

/// The slot's name in Italian.
pub(super) fn nome(slot: Slot) -> &'static str {
    match slot {
        Slot::TractorPlate => "targa della motrice",
        Slot::TrailerPlate => "targa del rimorchio",
        Slot::Itu => "unità di carico",
        Slot::Itu2 => "seconda unità di carico",
        Slot::VehicleTag => "tag del veicolo",
        Slot::ContainerTag => "tag del contenitore",
        Slot::Seal => "sigillo",
        Slot::Adr => "pannello ADR",
        Slot::GatePass => "lasciapassare",
    }
}

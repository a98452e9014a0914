//! Release expiry, dangerous goods, seal, scan, tracking, appointment, watch lists. Moments are those of
//! central's clock, never of the gate's wall clock (I10).

use super::failure::{Failure, not_stated, say};
use super::table::Found;
use super::{Case, Law};
use gate_types::circumstances::{ScanState, SealState, TrackingState};
use gate_types::identity::Slot;
use gate_types::release::MissionFacts;
use gate_types::rules::{Check, CheckKind};
use gate_types::verdict::ReasonCode;

pub(super) fn judge(
    kind: CheckKind,
    check: Option<&Check>,
    law: &Law<'_>,
    case: &Case<'_>,
    facts: &MissionFacts,
) -> Found {
    let found = match kind {
        CheckKind::ReleaseExpiry => expiry(case, facts),
        CheckKind::Adr => adr(law, case, facts),
        CheckKind::Seal => seal(law, case, facts),
        CheckKind::Scan => scan(facts),
        CheckKind::Tracking => tracking(facts),
        CheckKind::Appointment => appointment(check, case, facts),
        CheckKind::WatchList => watch(facts),
        CheckKind::Answer
        | CheckKind::IdentityConflict
        | CheckKind::IdentityMatch
        | CheckKind::TagPlate
        | CheckKind::GatePass
        | CheckKind::Mission
        | CheckKind::CustomsStatus
        | CheckKind::Path
        | CheckKind::Conditions
        | CheckKind::Weight
        | CheckKind::DeclaredEmpty
        | CheckKind::Devices => return Found::NotApplicable,
    };
    match found {
        Stated::Not(en, it) if check.is_some_and(|c| c.required) => {
            Found::one(Some(not_stated(kind, en, it)))
        }
        Stated::Not(_, _) => Found::NotApplicable,
        Stated::Fine => Found::Passed,
        Stated::Wrong(failure) => Found::one(Some(failure)),
    }
}

/// What a fact says.
enum Stated {
    /// Nobody states it; its name in both languages.
    Not(&'static str, &'static str),
    Fine,
    Wrong(Failure),
}

fn expiry(case: &Case<'_>, facts: &MissionFacts) -> Stated {
    let (Some(expires_ms), Some(now_ms)) =
        (facts.circumstances.release_expires_ms, case.basis.central_now_ms())
    else {
        return Stated::Not("the release's end", "la scadenza dello svincolo");
    };
    if now_ms < expires_ms {
        return Stated::Fine;
    }
    let over_s = now_ms.saturating_sub(expires_ms) / 1000;
    let said =
        say(format!("the release ended {over_s} s ago"), format!("lo svincolo è scaduto da {over_s} s"));
    let needed = say("a release that has not ended", "uno svincolo non scaduto");
    let failure = Failure::new(CheckKind::ReleaseExpiry, ReasonCode::ReleaseExpired, said, needed);
    Stated::Wrong(failure.waiting())
}

/// `33/1203` against `33/1203`, or against `1203` where the declaration names the UN number alone.
fn same_goods(panel: &str, declared: &str) -> bool {
    let declared = declared.trim().to_ascii_uppercase();
    let declared = declared.strip_prefix("UN").map_or(declared.as_str(), str::trim);
    if declared.contains('/') {
        return panel == declared;
    }
    panel.rsplit('/').next() == Some(declared)
}

fn adr(law: &Law<'_>, case: &Case<'_>, facts: &MissionFacts) -> Stated {
    let Some(declared) = &facts.circumstances.dangerous_goods else {
        return Stated::Not("dangerous goods", "merci pericolose");
    };
    let panel = case.identity.best(Slot::Adr).filter(|c| c.probability >= law.identity.read_threshold);
    let Some(panel) = panel else {
        return if declared.is_empty() {
            Stated::Fine
        } else {
            Stated::Not("the panel of the declared dangerous goods", "il pannello delle merci dichiarate")
        };
    };
    if declared.iter().any(|d| same_goods(&panel.value, d)) {
        return Stated::Fine;
    }
    let list = if declared.is_empty() { "none".to_owned() } else { declared.join(", ") };
    let lista = if declared.is_empty() { "nessuna".to_owned() } else { declared.join(", ") };
    let said = say(
        format!("the panel shows {}, declared are {list}", panel.value),
        format!("il pannello mostra {}, dichiarate: {lista}", panel.value),
    );
    let needed = say(format!("panel {list}"), format!("pannello {lista}"));
    Stated::Wrong(Failure::new(CheckKind::Adr, ReasonCode::AdrMismatch, said, needed))
}

fn seal(law: &Law<'_>, case: &Case<'_>, facts: &MissionFacts) -> Stated {
    let Some(seal) = &facts.circumstances.seal else { return Stated::Not("the seal", "il sigillo") };
    let numbers = seal.numbers.join(", ");
    let wrong = |code, en: String, it: String| {
        let needed = say(format!("seal {numbers}, intact"), format!("sigillo {numbers}, integro"));
        Stated::Wrong(Failure::new(CheckKind::Seal, code, say(en, it), needed))
    };
    if let Some(seen) = case.identity.slot(Slot::Seal).filter(|s| s.conflict) {
        let seen: Vec<&str> = seen.candidates.iter().take(3).map(|c| c.value.as_str()).collect();
        let seen = seen.join(" / ");
        return wrong(
            ReasonCode::SealMismatch,
            format!("the seal's number is read differently by different sources: {seen}"),
            format!("numeri di sigillo discordanti: {seen}"),
        );
    }
    let read = case.identity.best(Slot::Seal).filter(|c| c.probability >= law.identity.read_threshold);
    // A seal with a tag is declared by its number or by its EPC.
    let declared = |value: &str| seal.numbers.iter().any(|n| seal_number(n) == seal_number(value));
    if let Some(read) = read
        && !declared(&read.value)
        && !case.identity.seals.iter().any(|s| s.number == read.value && declared(&s.epc))
    {
        return wrong(
            ReasonCode::SealMismatch,
            format!("seal {} was read, {numbers} is declared", read.value),
            format!("letto il sigillo {}, dichiarato {numbers}", read.value),
        );
    }
    // What the seal itself says now outweighs what was last reported of it.
    let open = case.identity.seals.iter().find(|s| s.state == SealState::Broken);
    if let Some(open) = open {
        return wrong(
            ReasonCode::SealBroken,
            format!("seal {} says that it is open", open.number),
            format!("il sigillo {} segnala di essere aperto", open.number),
        );
    }
    let closed = case.identity.seals.iter().any(|s| s.state == SealState::Intact);
    match seal.state {
        SealState::Intact => Stated::Fine,
        SealState::Unknown if closed && read.is_some() => Stated::Fine,
        SealState::Broken => wrong(
            ReasonCode::SealBroken,
            format!("seal {numbers} is broken"),
            format!("il sigillo {numbers} è rotto"),
        ),
        SealState::Unknown => Stated::Not("the seal's state", "lo stato del sigillo"),
    }
}

/// Seals are compared by their letters and digits; leading zeros count.
fn seal_number(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

fn scan(facts: &MissionFacts) -> Stated {
    let wrong = |code, en: &str, it: &str, waits: bool| {
        let needed = say("a validated scan without alarm", "una scansione convalidata senza allarmi");
        let failure = Failure::new(CheckKind::Scan, code, say(en, it), needed);
        Stated::Wrong(if waits { failure.waiting() } else { failure })
    };
    match facts.circumstances.scan {
        None => Stated::Not("the scan", "la scansione"),
        Some(ScanState::NotOrdered | ScanState::Validated) => Stated::Fine,
        Some(ScanState::Ordered) => wrong(
            ReasonCode::ScanNotValidated,
            "the ordered scan is not made yet",
            "la scansione ordinata non è ancora eseguita",
            true,
        ),
        Some(ScanState::ImageReady) => wrong(
            ReasonCode::ScanNotValidated,
            "the scan's image is not validated yet",
            "l'immagine della scansione non è ancora convalidata",
            true,
        ),
        Some(ScanState::Alarm) => {
            wrong(ReasonCode::ScanAlarm, "the scan raised an alarm", "la scansione ha dato un allarme", false)
        }
    }
}

fn tracking(facts: &MissionFacts) -> Stated {
    match facts.circumstances.tracking {
        None | Some(TrackingState::NotFitted) => {
            Stated::Not("a tracking signal", "un segnale di tracciamento")
        }
        Some(TrackingState::Live) => Stated::Fine,
        Some(TrackingState::Lost) => {
            let said = say("the tracking signal is lost", "il segnale di tracciamento è perso");
            let needed = say("a live tracking signal", "il segnale di tracciamento attivo");
            let failure = Failure::new(CheckKind::Tracking, ReasonCode::TrackingLost, said, needed);
            Stated::Wrong(failure.waiting())
        }
    }
}

fn appointment(check: Option<&Check>, case: &Case<'_>, facts: &MissionFacts) -> Stated {
    let (Some(window), Some(now_ms)) = (facts.circumstances.appointment, case.basis.central_now_ms()) else {
        return Stated::Not("the appointment", "l'appuntamento");
    };
    let grace_ms = check.and_then(|c| c.grace_ms).unwrap_or(0).max(0);
    let early_ms = window.from_ms.saturating_sub(grace_ms).saturating_sub(now_ms);
    let late_ms = now_ms.saturating_sub(window.until_ms.saturating_add(grace_ms));
    let needed = || say("arrival within the appointment window", "arrivo nella finestra dell'appuntamento");
    let failed = |said| Failure::new(CheckKind::Appointment, ReasonCode::OutsideAppointment, said, needed());
    if early_ms > 0 {
        let s = early_ms / 1000;
        let said = say(
            format!("{s} s before the appointment window"),
            format!("{s} s prima della finestra dell'appuntamento"),
        );
        return Stated::Wrong(failed(said).waiting());
    }
    if late_ms > 0 {
        let s = late_ms / 1000;
        let said = say(
            format!("{s} s after the appointment window"),
            format!("{s} s dopo la finestra dell'appuntamento"),
        );
        return Stated::Wrong(failed(said));
    }
    Stated::Fine
}

fn watch(facts: &MissionFacts) -> Stated {
    let marks: Vec<String> =
        facts.circumstances.watch.iter().map(|w| format!("{}: {}", w.list, w.reason)).collect();
    if marks.is_empty() {
        return Stated::Fine;
    }
    let marks = marks.join("; ");
    let said = say(format!("on a watch list ({marks})"), format!("in una lista di controllo ({marks})"));
    let needed = say("no entry on a watch list", "nessuna segnalazione nelle liste di controllo");
    Stated::Wrong(Failure::new(CheckKind::WatchList, ReasonCode::WatchListed, said, needed))
}

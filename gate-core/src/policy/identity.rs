//! What was read against what the mission expects (T13, T19, D29: never the plate alone).

use super::failure::{Failure, name, nome, say};
use super::table::Found;
use super::{CONTRADICTION, Case, Law};
use crate::fusion::look_alike;
use gate_types::decision::Matched;
use gate_types::identity::{Candidate, Slot, SlotEvidence};
use gate_types::plate::fold;
use gate_types::release::{Expected, MissionFacts};
use gate_types::rules::{CheckKind, Profile, RuleSet};
use gate_types::verdict::ReasonCode;

/// By how much the rules let the expectation raise a reading's odds; 1: not at all.
pub(super) fn odds(set: &RuleSet) -> f64 {
    let odds = set.check(CheckKind::IdentityMatch).and_then(|c| c.expectation_odds).unwrap_or(1.0);
    if odds.is_finite() { odds.clamp(1.0, 100.0) } else { 1.0 }
}

fn too_weak(said: super::failure::Words, needed: super::failure::Words) -> Failure {
    Failure::new(CheckKind::IdentityMatch, ReasonCode::IdentityTooWeak, said, needed)
}

/// Nothing could be read.
pub(super) fn nothing(identify_ms: u64) -> Failure {
    let said = say(
        format!("no identifier could be read within {identify_ms} ms"),
        format!("nessun identificativo letto entro {identify_ms} ms"),
    );
    let needed = say("a readable identifier", "un identificativo leggibile");
    Failure::new(CheckKind::IdentityMatch, ReasonCode::NoIdentity, said, needed)
}

/// The slots that count here; a second load unit is judged wherever the first one is.
fn slots(law: &Law<'_>) -> Vec<Slot> {
    let mut slots = law.identity.slots.clone();
    if slots.contains(&Slot::Itu) && !slots.contains(&Slot::Itu2) {
        slots.push(Slot::Itu2);
    }
    slots
}

/// Strong sources that disagree, slot by slot.
pub(super) fn conflicts(law: &Law<'_>, case: &Case<'_>) -> Vec<Failure> {
    let slots = slots(law);
    let evidence = slots.iter().filter_map(|s| case.identity.slot(*s));
    evidence
        .filter(|s| s.conflict)
        .map(|s| {
            let seen: Vec<String> = s
                .candidates
                .iter()
                .take(3)
                .map(|c| format!("{} ({})", c.value, c.support.join(", ")))
                .collect();
            let seen = seen.join(" / ");
            let said = say(
                format!("{}: strong sources disagree: {seen}", name(s.slot)),
                format!("{}: letture discordanti di fonti affidabili: {seen}", nome(s.slot)),
            );
            let needed = say(
                format!("{}: one value by all strong sources", name(s.slot)),
                format!("{}: un solo valore da tutte le fonti affidabili", nome(s.slot)),
            );
            Failure::new(CheckKind::IdentityConflict, ReasonCode::IdentityConflict, said, needed)
        })
        .collect()
}

/// Too few slots read at all.
pub(super) fn unread(law: &Law<'_>, case: &Case<'_>) -> Option<Failure> {
    let is_read = |slot: &Slot| {
        let best = case.identity.best(*slot);
        best.is_some_and(|c| c.probability >= law.identity.read_threshold)
    };
    let read = law.identity.slots.iter().filter(|s| is_read(s)).count();
    let needed = usize::from(law.identity.factors_needed);
    (read < needed).then(|| {
        let said = say(
            format!("{read} of {needed} needed identifiers were read"),
            format!("letti {read} identificativi su {needed} necessari"),
        );
        let more = needed - read;
        let needed = say(format!("{more} more identifiers"), format!("altri {more} identificativi"));
        too_weak(said, needed)
    })
}

/// What the comparison with the expected values gives.
pub(super) struct Seen {
    pub(super) failures: Vec<Failure>,
    pub(super) matched: Vec<Matched>,
    /// Slots that match only because the expectation raised their odds.
    pub(super) helped: Vec<Slot>,
}

/// Matches and contradictions against the expected values; `odds` is what an expectation is worth.
pub(super) fn against(
    law: &Law<'_>,
    set: &RuleSet,
    case: &Case<'_>,
    facts: &MissionFacts,
    odds: f64,
) -> Seen {
    let mut seen = Seen { failures: Vec::new(), matched: Vec::new(), helped: Vec::new() };
    let threshold = law.identity.read_threshold;
    let mut open: Vec<(String, String)> = Vec::new();
    let mut could: Vec<(String, String)> = Vec::new();
    for slot in slots(law) {
        let wanted = expected_values(slot, facts);
        let evidence = case.identity.slot(slot);
        if slot == Slot::Itu2 && (evidence.is_none() || wanted.is_empty()) {
            continue;
        }
        let (en, it) = (name(slot), nome(slot));
        if wanted.is_empty() {
            open.push((format!("{en}: none is expected"), format!("{it}: non attesa")));
            continue;
        }
        let values = wanted.join(" or ");
        let valori = wanted.join(" o ");
        let wish = || {
            (
                format!("{en} {values} read at {threshold:.2} or more"),
                format!("{it} {valori} letta con almeno {threshold:.2}"),
            )
        };
        let Some(evidence) = evidence else {
            open.push((format!("{en}: not read"), format!("{it}: non letta")));
            could.push(wish());
            continue;
        };
        let fits = |c: &Candidate| wanted.iter().any(|v| equal(slot, &c.value, v));
        let strong = |p: f64| p >= threshold;
        let fitting = evidence.candidates.iter().find(|c| fits(c) && strong(raised(c.probability, odds)));
        if let Some(candidate) = fitting.filter(|_| !evidence.blind) {
            if !strong(candidate.probability) {
                seen.helped.push(slot);
            }
            seen.matched.push(matched(slot, candidate, &wanted));
            continue;
        }
        let Some(best) = evidence.candidates.first() else { continue };
        let alike = fits(best) || wanted.iter().any(|v| look_alike(&best.value, &canonical(slot, v)));
        let (value, p) = (&best.value, best.probability);
        let read = (
            format!("{en}: read {value} at {p:.2}, expected {values}"),
            format!("{it}: letta {value} con {p:.2}, attesa {valori}"),
        );
        could.push(wish());
        // Another mission's gate pass is told by the check of passes.
        if p >= CONTRADICTION && !alike && slot != Slot::GatePass {
            let (en, it) = could.last().cloned().unwrap_or_default();
            let code = ReasonCode::IdentityMismatch;
            seen.failures.push(Failure::new(
                CheckKind::IdentityMatch,
                code,
                say(read.0, read.1),
                say(en, it),
            ));
        } else if evidence.blind {
            let why = (
                format!("{}; its letters rest on the check digit alone", read.0),
                format!("{}; le lettere poggiano sulla sola cifra di controllo", read.1),
            );
            open.push(why);
        } else {
            open.push(read);
        }
    }
    enough(law, set, &mut seen, &open, &could);
    seen
}

/// Enough matching facts, and of enough kinds of instrument.
fn enough(
    law: &Law<'_>,
    set: &RuleSet,
    seen: &mut Seen,
    open: &[(String, String)],
    could: &[(String, String)],
) {
    let by_rules = set.check(CheckKind::IdentityMatch).and_then(|c| c.factors_needed);
    let needed = usize::from(by_rules.unwrap_or(law.identity.factors_needed).max(1));
    // Two units of one vehicle are one kind of fact.
    let matches = seen
        .matched
        .iter()
        .filter(|m| m.slot != Slot::Itu2 || !seen.matched.iter().any(|other| other.slot == Slot::Itu))
        .count();
    let join = |texts: &[(String, String)], n: usize| {
        let (en, it): (Vec<String>, Vec<String>) = texts.iter().take(n).cloned().unzip();
        say(en.join("; "), it.join("; "))
    };
    if matches < needed {
        let all = join(open, open.len());
        let said = say(
            format!("{matches} of {needed} needed identifiers match ({})", all.en),
            format!("corrispondono {matches} identificativi su {needed} necessari ({})", all.it),
        );
        let mut wish = join(could, needed - matches);
        if wish.en.is_empty() {
            let more = needed - matches;
            wish = say(
                format!("{more} more expected identifiers"),
                format!("altri {more} identificativi attesi"),
            );
        }
        seen.failures.push(too_weak(said, wish));
        return;
    }
    let kinds = |tag: bool| seen.matched.iter().any(|m| by_tag(m.slot) == Some(tag));
    if set.profile == Profile::Trusted && !(kinds(true) && kinds(false)) {
        let said = say(
            "a trusted lane needs a tag and an optical reading that both match",
            "una corsia fidata richiede un tag e una lettura ottica concordi",
        );
        let (en, it) = if kinds(true) {
            ("a matching plate or code", "targa o codice concorde")
        } else {
            ("a matching tag", "tag concorde")
        };
        seen.failures.push(too_weak(said, say(en, it)));
    }
}

/// Read from a tag, or optically; a paper in the driver's hand is neither.
fn by_tag(slot: Slot) -> Option<bool> {
    match slot {
        Slot::VehicleTag | Slot::ContainerTag | Slot::Seal => Some(true),
        Slot::TractorPlate | Slot::TrailerPlate | Slot::Itu | Slot::Itu2 | Slot::Adr => Some(false),
        Slot::GatePass => None,
    }
}

fn matched(slot: Slot, candidate: &Candidate, wanted: &[&str]) -> Matched {
    let exact = wanted.iter().find(|v| canonical(slot, v) == candidate.value);
    let expected = exact.or_else(|| wanted.iter().find(|v| equal(slot, &candidate.value, v)));
    Matched {
        slot,
        read: candidate.value.clone(),
        expected: expected.map(|v| (*v).to_owned()).unwrap_or_default(),
        probability: candidate.probability,
        exact: exact.is_some(),
    }
}

/// A probability after its odds were multiplied.
fn raised(p: f64, odds: f64) -> f64 {
    if odds > 1.0 { p * odds / (p * odds + (1.0 - p)) } else { p }
}

/// Tag and plate of different vehicles (T28, D29): one is what the mission expects, the other surely not.
pub(super) fn tag_against_plate(law: &Law<'_>, case: &Case<'_>, facts: &MissionFacts) -> Found {
    let (Some(plate), Some(tag)) = (&facts.expected.tractor_plate, &facts.expected.vehicle_tag) else {
        return Found::NotApplicable;
    };
    let (Some(seen_plate), Some(seen_tag)) =
        (case.identity.slot(Slot::TractorPlate), case.identity.slot(Slot::VehicleTag))
    else {
        return Found::NotApplicable;
    };
    let fits = |e: &SlotEvidence, v: &str| {
        let strong = |c: &&Candidate| c.probability >= law.identity.read_threshold;
        e.candidates.iter().filter(strong).any(|c| equal(e.slot, &c.value, v))
    };
    let contradicts = |e: &SlotEvidence, v: &str| {
        let best = e.candidates.first().filter(|c| c.probability >= CONTRADICTION);
        best.is_some_and(|c| !equal(e.slot, &c.value, v) && !look_alike(&c.value, &canonical(e.slot, v)))
    };
    let differ = (fits(seen_tag, tag) && contradicts(seen_plate, plate))
        || (fits(seen_plate, plate) && contradicts(seen_tag, tag));
    let read = |e: &SlotEvidence| e.candidates.first().map(|c| c.value.clone()).unwrap_or_default();
    let (read_plate, read_tag) = (read(seen_plate), read(seen_tag));
    let failure = differ.then(|| {
        let said = say(
            format!("plate {read_plate} and tag {read_tag} are not of one vehicle; one may be a clone"),
            format!("targa {read_plate} e tag {read_tag} non sono dello stesso veicolo; possibile clone"),
        );
        let needed = say(format!("plate {plate} with tag {tag}"), format!("targa {plate} con tag {tag}"));
        Failure::new(CheckKind::TagPlate, ReasonCode::TagPlateMismatch, said, needed)
    });
    Found::one(failure)
}

/// What the mission expects in a slot. A rigid vehicle shows the same plate at its rear.
fn expected_values(slot: Slot, facts: &MissionFacts) -> Vec<&str> {
    let expected: &Expected = &facts.expected;
    match slot {
        Slot::TractorPlate => expected.tractor_plate.as_deref().into_iter().collect(),
        Slot::TrailerPlate => {
            expected.trailer_plate.as_deref().or(expected.tractor_plate.as_deref()).into_iter().collect()
        }
        Slot::Itu | Slot::Itu2 => expected.itus.iter().map(String::as_str).collect(),
        Slot::VehicleTag => expected.vehicle_tag.as_deref().into_iter().collect(),
        Slot::GatePass => vec![facts.mission.as_str()],
        Slot::ContainerTag | Slot::Seal | Slot::Adr => Vec::new(),
    }
}

/// Equal after putting both into canonical form; plates also after folding O, Q as 0 and I as 1.
fn equal(slot: Slot, read: &str, expected: &str) -> bool {
    let expected = canonical(slot, expected);
    match slot {
        Slot::TractorPlate | Slot::TrailerPlate => fold(read) == fold(&expected),
        Slot::Itu
        | Slot::Itu2
        | Slot::VehicleTag
        | Slot::ContainerTag
        | Slot::Seal
        | Slot::Adr
        | Slot::GatePass => read == expected,
    }
}

/// The form under which values of a slot are compared.
pub(super) fn canonical(slot: Slot, value: &str) -> String {
    match slot {
        Slot::TractorPlate | Slot::TrailerPlate | Slot::Itu | Slot::Itu2 => {
            value.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
        }
        Slot::VehicleTag | Slot::ContainerTag | Slot::Seal => value.to_ascii_lowercase(),
        Slot::Adr => value.to_ascii_uppercase(),
        Slot::GatePass => value.to_owned(),
    }
}

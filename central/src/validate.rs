//! What a mission must fulfil: every problem is told at once, and values are brought to canonical form.

use config::Site;
use gate_types::api::NewMission;
use gate_types::circumstances::Circumstances;
use gate_types::ilu::IluCode;
use gate_types::iso6346::ContainerCode;
use gate_types::mission::{CustomsStatus, MissionConditions, Process};
use gate_types::mrn::Mrn;
use gate_types::plate::Plate;
use gate_types::release::{Expected, Hold};

/// Most MRNs of one mission.
const MRNS: usize = 64;
/// Most holds of one mission.
const HOLDS: usize = 16;
/// Longest free text, characters.
const TEXT: usize = 500;

/// Checks a mission and canonises its identifiers in place. Empty: it is fit to be stored.
pub(crate) fn new_mission(mission: &mut NewMission, site: &Site) -> Vec<String> {
    let mut problems = Vec::new();
    text(&mut problems, "idempotency_key", &mission.idempotency_key);
    if mission.mrns.len() > MRNS {
        problems.push(format!("mrns: {} of them, at most {MRNS}", mission.mrns.len()));
    }
    for (n, mrn) in mission.mrns.iter_mut().take(MRNS).enumerate() {
        match Mrn::parse(mrn) {
            Ok(parsed) => *mrn = parsed.into(),
            Err(e) => problems.push(format!("mrns[{n}]: {e}")),
        }
    }
    expected(&mut problems, &mut mission.expected);
    match site.process(&mission.process) {
        Some(process) => progress(&mut problems, mission, process),
        None => {
            let known: Vec<&str> = site.processes.iter().map(|p| p.id.as_str()).collect();
            let known = known.join(", ");
            problems.push(format!("process: `{}` is none of this site's: {known}", mission.process));
        }
    }
    status(&mut problems, mission.status, &mission.holds);
    if mission.status == CustomsStatus::Inspection && mission.report_to.is_none() {
        problems.push("report_to: an inspection names the place to report to".to_owned());
    }
    if let Some(place) = &mission.report_to {
        text(&mut problems, "report_to", place);
    }
    conditions(&mut problems, &mission.conditions, site);
    circumstances(&mut problems, &mission.circumstances);
    if let Some(language) = &mission.language {
        let shaped = (2..=16).contains(&language.len())
            && language.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !shaped {
            problems.push("language: a BCP 47 tag such as `it` or `sq`".to_owned());
        }
    }
    problems
}

/// Checks conditions, of a new mission or of a change.
pub(crate) fn conditions(problems: &mut Vec<String>, conditions: &MissionConditions, site: &Site) {
    if let Some(berth) = &conditions.berth
        && site.node(berth).is_none()
    {
        problems.push(format!("conditions.berth: node `{berth}` is none of this site's"));
    }
    if let Some(grant) = &conditions.exception {
        text(problems, "conditions.exception.reason", &grant.reason);
        text(problems, "conditions.exception.authorised_by", &grant.authorised_by);
    }
}

/// Most entries of each list of a mission's circumstances.
const CIRCUMSTANCES: usize = 16;

/// Checks circumstances, of a new mission or of a change.
pub(crate) fn circumstances(problems: &mut Vec<String>, of: &Circumstances) {
    let mut listed = |name: &str, texts: Vec<&str>| {
        if texts.len() > CIRCUMSTANCES {
            let n = texts.len();
            problems.push(format!("circumstances.{name}: {n} of them, at most {CIRCUMSTANCES}"));
        }
        for (n, entry) in texts.into_iter().take(CIRCUMSTANCES).enumerate() {
            text(problems, &format!("circumstances.{name}[{n}]"), entry);
        }
    };
    listed("dangerous_goods", of.dangerous_goods.iter().flatten().map(String::as_str).collect());
    listed("seal.numbers", of.seal.iter().flat_map(|s| s.numbers.iter().map(String::as_str)).collect());
    listed("watch", of.watch.iter().flat_map(|w| [w.list.as_str(), w.reason.as_str()]).collect());
    if of.appointment.is_some_and(|a| a.from_ms >= a.until_ms) {
        problems.push("circumstances.appointment: from_ms is not before until_ms".to_owned());
    }
}

/// Checks a status against its holds.
pub(crate) fn status(problems: &mut Vec<String>, status: CustomsStatus, holds: &[Hold]) {
    if status == CustomsStatus::Held && holds.is_empty() {
        problems.push("holds: the status `held` names at least one hold".to_owned());
    }
    if holds.len() > HOLDS {
        problems.push(format!("holds: {} of them, at most {HOLDS}", holds.len()));
    }
    for (n, hold) in holds.iter().take(HOLDS).enumerate() {
        text(problems, &format!("holds[{n}].authority"), &hold.authority);
        text(problems, &format!("holds[{n}].reason"), &hold.reason);
    }
}

/// A text of at least one and at most [`TEXT`] characters.
pub(crate) fn text(problems: &mut Vec<String>, path: &str, text: &str) {
    let length = text.chars().count();
    if text.trim().is_empty() || length > TEXT {
        problems.push(format!("{path}: 1 to {TEXT} characters, {length} given"));
    }
}

fn expected(problems: &mut Vec<String>, expected: &mut Expected) {
    let plates =
        [("tractor_plate", &mut expected.tractor_plate), ("trailer_plate", &mut expected.trailer_plate)];
    for (path, plate) in plates {
        let Some(text) = plate else { continue };
        match Plate::parse(text) {
            Ok(parsed) => *plate = Some(parsed.into()),
            Err(e) => problems.push(format!("expected.{path}: {e}")),
        }
    }
    if expected.itus.len() > 2 {
        problems.push(format!("expected.itus: {} of them, at most two (B7)", expected.itus.len()));
    }
    for (n, itu) in expected.itus.iter_mut().take(2).enumerate() {
        match (ContainerCode::parse(itu), IluCode::parse(itu)) {
            (Ok(code), _) => *itu = code.as_str().to_owned(),
            (Err(_), Ok(code)) => *itu = code.as_str().to_owned(),
            (Err(iso), Err(ilu)) => {
                problems.push(format!("expected.itus[{n}]: neither ISO 6346 ({iso}) nor EN 13044 ({ilu})"));
            }
        }
    }
    if let Some(tag) = &mut expected.vehicle_tag {
        tag.make_ascii_lowercase();
        let words = tag.len() % 4 == 0 && (4..=124).contains(&tag.len());
        if !words || !tag.bytes().all(|b| b.is_ascii_hexdigit()) {
            problems
                .push("expected.vehicle_tag: an EPC in hex, whole words of four digits, 4 to 124".to_owned());
        }
    }
    for (path, weight) in [("tare_kg", expected.tare_kg), ("declared_cargo_kg", expected.declared_cargo_kg)] {
        if weight.is_some_and(|kg| !kg.is_finite() || kg <= 0.0) {
            problems
                .push(format!("expected.{path}: a positive number of kilograms; leave it out where unknown"));
        }
    }
    let named = expected.tractor_plate.is_some()
        || expected.trailer_plate.is_some()
        || expected.vehicle_tag.is_some();
    if !named && expected.itus.is_empty() {
        problems.push(
            "expected: at least one of plate, load unit and tag, or no gate could know the vehicle"
                .to_owned(),
        );
    }
}

fn progress(problems: &mut Vec<String>, mission: &NewMission, process: &Process) {
    let imported = &mission.imported_progress;
    let begins = process.paths.iter().any(|path| {
        let legs = process.legs_of(path);
        let same =
            legs.iter().zip(imported).all(|(leg, i)| leg.node == i.node && leg.direction == i.direction);
        legs.len() > imported.len() && same
    });
    if !imported.is_empty() && !begins {
        problems.push(format!(
            "imported_progress: is not the beginning of any path of {}; its last leg stays to be passed",
            process.id
        ));
    }
}

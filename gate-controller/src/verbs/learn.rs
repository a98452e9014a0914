//! What a journal teaches: how a camera misreads, and how far told probabilities keep their word. The truth
//! comes from what people corrected; with `expected`, also from the missions of vehicles that were admitted
//! and passed, which is declared, because what is expected is then taken for what stood there.

use anyhow::{Context as _, Result, bail};
use gate_core::fusion::{Confusions, Corrections, slot_of_read};
use gate_types::confusion::ConfusionTable;
use gate_types::entry::{Entry, EntryBody, PassOutcome, PassSummary};
use gate_types::identity::Slot;
use gate_types::{LaneId, PassId};
use journal::read_all;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// A camera's own counts weigh against this many sightings of the table before.
const PRIOR_SIGHTINGS: f64 = 50.0;
/// Fewer characters than this teach nothing about a camera.
const LEAST_CHARACTERS: u32 = 200;
/// Bins of the reliability table.
const BINS: usize = 10;

/// The best reading of one camera about one slot in one pass.
type Read = (String, f32);

/// A pass as far as it has been read.
#[derive(Debug, Default)]
struct Told {
    reads: BTreeMap<(String, Slot), Read>,
    corrected: BTreeMap<Slot, String>,
    summary: Option<Box<PassSummary>>,
}

/// Every pass of a journal with what is known of the truth.
struct Passes {
    by_id: BTreeMap<PassId, Told>,
    expected: bool,
}

impl Passes {
    fn read(journal: &Path, expected: bool) -> Result<Self> {
        let mut passes = Self { by_id: BTreeMap::new(), expected };
        let mut last: BTreeMap<LaneId, PassId> = BTreeMap::new();
        for row in read_all(journal)? {
            let row = row?;
            let wanted = ["optical_read", "corrected", "pass_closed"].contains(&row.filed.2.as_str());
            if wanted && !row.is_erased() {
                passes.take(row.entry(journal)?, &mut last);
            }
        }
        Ok(passes)
    }
    /// A correction without a pass is about the vehicle that the lane dealt with last.
    fn take(&mut self, entry: Entry, last: &mut BTreeMap<LaneId, PassId>) {
        let before = || entry.lane.as_ref().and_then(|lane| last.get(lane).cloned());
        let Some(pass) = entry.pass.clone().or_else(before) else { return };
        last.insert(pass.lane.clone(), pass.clone());
        let told = self.by_id.entry(pass).or_default();
        if let EntryBody::OpticalRead { device, read } = entry.body {
            let Some(slot) = slot_of_read(read.kind, read.view) else { return };
            let known = told.reads.entry((device, slot)).or_insert((String::new(), -1.0));
            if read.confidence > known.1 {
                *known = (read.text, read.confidence);
            }
        } else if let EntryBody::Corrected { slot, value, .. } = entry.body {
            told.corrected.insert(slot, value);
        } else if let EntryBody::PassClosed { summary } = entry.body {
            told.summary = Some(summary);
        }
    }
    /// What stood in a slot, where somebody can say.
    fn truth<'a>(&self, told: &'a Told, slot: Slot) -> Option<&'a str> {
        let by_people = told.corrected.get(&slot).map(String::as_str);
        by_people.or_else(|| self.expected.then(|| expected(told, slot)).flatten())
    }
}

/// What the mission of a vehicle that was admitted and passed expects in a slot.
fn expected(told: &Told, slot: Slot) -> Option<&str> {
    let summary = told.summary.as_ref()?;
    let admitted = summary.verdict.as_ref().is_some_and(gate_types::verdict::Verdict::admits);
    if summary.outcome != PassOutcome::Passed || !admitted {
        return None;
    }
    let expected = &summary.mission.as_ref()?.expected;
    match slot {
        Slot::TractorPlate => expected.tractor_plate.as_deref(),
        Slot::TrailerPlate => expected.trailer_plate.as_deref(),
        // With two units nobody says which is which.
        Slot::Itu if expected.itus.len() == 1 => expected.itus.first().map(String::as_str),
        Slot::Itu
        | Slot::Itu2
        | Slot::VehicleTag
        | Slot::ContainerTag
        | Slot::Seal
        | Slot::Adr
        | Slot::GatePass => None,
    }
}

/// Writes the table of one camera, or tells of every camera what is known where none is named. True: done.
pub fn confusions(
    journal: &Path,
    camera: Option<(&str, &Path)>,
    before: Option<&Path>,
    expected: bool,
    out: &mut impl Write,
) -> Result<bool> {
    let passes = Passes::read(journal, expected)?;
    let mut corrections = Corrections::default();
    for told in passes.by_id.values() {
        for ((device, slot), (text, _)) in &told.reads {
            if let Some(truth) = passes.truth(told, *slot) {
                corrections.add(device, text, truth);
            }
        }
    }
    for (device, characters) in corrections.cameras() {
        let misread: u32 = corrections.misread(device).map(|(_, _, n)| n).sum();
        writeln!(out, "{device}: {characters} characters with a known truth, {misread} misread")?;
        for (a, b, n) in corrections.misread(device) {
            writeln!(out, "  {a} for {b} or {b} for {a}: {n}")?;
        }
    }
    let Some((camera, file)) = camera else { return Ok(true) };
    let known = corrections.cameras().find(|(device, _)| *device == camera).map_or(0, |(_, n)| n);
    if known < LEAST_CHARACTERS {
        bail!(
            "{known} characters of camera {camera} have a known truth, {LEAST_CHARACTERS} are needed; let people \
             correct readings, or take the missions of admitted passes for the truth with --expected"
        );
    }
    let before = match before {
        None => Confusions::built_in(),
        Some(file) => Confusions::from(&table(file)?),
    };
    let learnt = corrections.table(camera, &before, PRIOR_SIGHTINGS).table();
    let head = format!(
        "# What it costs to read one character as another on camera {camera}, nats: written from {known} characters\n\
         # with a known truth. Name this file as `confusions` of the camera in the node file.\n"
    );
    std::fs::write(file, head + &learnt.print())
        .with_context(|| format!("{}: cannot be written", file.display()))?;
    writeln!(out, "{}: {} pairs", file.display(), learnt.len())?;
    Ok(true)
}

fn table(file: &Path) -> Result<ConfusionTable> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{}", file.display()))?;
    match ConfusionTable::parse(&text) {
        Ok(table) => Ok(table),
        Err(wrong) => bail!("{}: {}", file.display(), wrong.join("; ")),
    }
}

/// Told probabilities against the truth of one group.
#[derive(Debug, Default)]
struct Group(Vec<(f64, bool)>);

impl Group {
    fn bins(&self) -> impl Iterator<Item = (usize, f64, f64)> + '_ {
        (0..BINS).filter_map(|b| {
            let here: Vec<&(f64, bool)> =
                self.0.iter().filter(|(p, _)| ((p * BINS as f64) as usize).min(BINS - 1) == b).collect();
            let n = here.len() as f64;
            let mean = here.iter().map(|(p, _)| p).sum::<f64>() / n;
            let right = here.iter().filter(|(_, right)| *right).count() as f64 / n;
            (!here.is_empty()).then_some((here.len(), mean, right))
        })
    }
    /// Expected calibration error.
    fn error(&self) -> f64 {
        let all = self.0.len() as f64;
        self.bins().map(|(n, mean, right)| n as f64 / all * (mean - right).abs()).sum()
    }
}

/// Told probability against the truth, for each lane (as fused) and each device (as it said), in text.
pub fn reliability(journal: &Path, expected: bool, out: &mut impl Write) -> Result<bool> {
    let passes = Passes::read(journal, expected)?;
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (id, told) in &passes.by_id {
        let Some(summary) = &told.summary else { continue };
        for evidence in &summary.identity.slots {
            let Some(truth) = passes.truth(told, evidence.slot) else { continue };
            // What a person entered says nothing about machines.
            let by_machines = !told.corrected.contains_key(&evidence.slot);
            if let Some(best) = evidence.candidates.first().filter(|_| by_machines) {
                let lane = groups.entry(format!("lane {}, fused", id.lane)).or_default();
                lane.0.push((best.probability, best.value == truth));
            }
            for source in &evidence.sources {
                let device = groups.entry(format!("device {}", source.device)).or_default();
                device.0.push((source.probability, source.text == truth));
            }
        }
    }
    if groups.is_empty() {
        writeln!(
            out,
            "no reading has a known truth; people correct readings at the console, or use --expected"
        )?;
        return Ok(true);
    }
    let source = if expected { "corrections, and missions of admitted passes" } else { "corrections" };
    writeln!(out, "truth: {source}")?;
    for (name, group) in &groups {
        let right = group.0.iter().filter(|(_, right)| *right).count();
        let (n, error) = (group.0.len(), group.error());
        writeln!(out, "{name}: {n} told, {right} right, calibration error {error:.4}")?;
        for (n, mean, right) in group.bins() {
            writeln!(out, "  told {mean:.3}  right {right:.3}  of {n}")?;
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate_types::identity::{Candidate, Identity, SlotEvidence, SourceWord};
    use gate_types::mission::Direction;
    use gate_types::observation::{CheckDigit, OpticalRead, PixelBox, ReadKind, View};
    use gate_types::{Mono, Stamp, Wall};

    fn read(text: &str) -> OpticalRead {
        OpticalRead {
            kind: ReadKind::Plate,
            view: View::Front,
            text: text.into(),
            raw_text: text.into(),
            confidence: 0.9,
            check_digit: CheckDigit::None,
            region: None,
            type_code: None,
            alternatives: Vec::new(),
            at: PixelBox { x: 0.0, y: 0.0, w: 1.0, h: 1.0 },
            frame_sha256: String::new(),
        }
    }

    /// Forty passes of one lane; every second plate's 7 is read as T and corrected.
    async fn journal(folder: &Path) -> std::path::PathBuf {
        let file = folder.join("journal.db");
        let (journal, _) = journal::Journal::open(&file).unwrap();
        let lane = LaneId::new("n1-in-1").unwrap();
        for number in 1..=40u64 {
            let text = if number % 2 == 0 { "AB1T3CD" } else { "AB173CD" };
            let pass = Some(PassId { lane: lane.clone(), number });
            let entry = |pass: Option<PassId>, body| Entry {
                lane: Some(lane.clone()),
                pass,
                at: Stamp { mono_ms: Mono(number), wall_ms: Wall(0) },
                body,
            };
            let source =
                SourceWord { device: "front".into(), text: text.into(), raw: None, probability: 0.9 };
            let candidate = Candidate { value: text.into(), probability: 0.9, support: Vec::new() };
            let slot = SlotEvidence {
                slot: Slot::TractorPlate,
                candidates: vec![candidate],
                conflict: false,
                blind: false,
                sources: vec![source],
            };
            let summary = PassSummary {
                direction: Direction::In,
                outcome: PassOutcome::Passed,
                opened_at_ms: 0,
                identity: Identity { slots: vec![slot], ..Identity::default() },
                mission: None,
                verdict: None,
                raised_by: None,
            };
            let corrected = EntryBody::Corrected {
                name: "Ada".into(),
                slot: Slot::TractorPlate,
                value: "AB173CD".into(),
                reason: "looked".into(),
            };
            let entries = vec![
                entry(pass.clone(), EntryBody::PassOpened { direction: Direction::In }),
                entry(pass.clone(), EntryBody::OpticalRead { device: "front".into(), read: read(text) }),
                entry(pass, EntryBody::PassClosed { summary: Box::new(summary) }),
                // After the pass: it is about the vehicle before.
                entry(None, corrected),
            ];
            journal.append(&entries).await.unwrap();
        }
        file
    }

    #[tokio::test]
    async fn a_camera_learns_from_what_people_correct() {
        let folder = tempfile::tempdir().unwrap();
        let file = journal(folder.path()).await;
        let learnt = folder.path().join("front.txt");
        let mut out = Vec::new();
        assert!(confusions(&file, Some(("front", &learnt)), None, false, &mut out).unwrap());
        let told = String::from_utf8(out).unwrap();
        assert!(told.contains("front: 280 characters with a known truth, 20 misread"), "{told}");
        let before = Confusions::built_in();
        let after = Confusions::from(&table(&learnt).unwrap());
        assert!(after.nats('7', 'T') < before.nats('7', 'T'));
        assert_eq!(after.nats('O', 'D'), before.nats('O', 'D'));
        let error = confusions(&file, Some(("rear", &learnt)), None, false, &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("0 characters of camera rear"), "{error}");
        let mut out = Vec::new();
        assert!(reliability(&file, false, &mut out).unwrap());
        let told = String::from_utf8(out).unwrap();
        assert!(told.contains("device front: 40 told, 20 right, calibration error 0.4000"), "{told}");
    }
}

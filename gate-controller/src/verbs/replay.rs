//! `replay`: fuses recorded reads and takes recorded decisions again (I6). By the recorded rules each decision
//! must come out byte for byte; by other rule files the difference is told, pass by pass and in a table.

use super::reread::{Reads, Reread, compare};
use anyhow::{Context as _, Result, bail};
use config::{RuleSets, load_rules};
use gate_core::policy::{Issued, Law, decide_again};
use gate_types::decision::{CheckResult, Outcome};
use gate_types::entry::{Entry, EntryBody};
use gate_types::rules::LaneRules;
use gate_types::verdict::Verdict;
use gate_types::{LaneId, PassId};
use journal::{Stored, read_all};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

/// A lane's rules as recorded, and the rule sets that decide now.
struct LaneLaw {
    rules: LaneRules,
    acting: Issued,
    beside: Vec<Issued>,
}

/// The kinds of entry that fusion and decision rest on.
const KINDS: [&str; 10] = [
    "rules_loaded",
    "daemon_started",
    "pass_opened",
    "optical_read",
    "tag_read",
    "weight_read",
    "gate_pass_shown",
    "corrected",
    "decided",
    "pass_closed",
];

/// What came of a replay.
#[derive(Debug, Default)]
struct Tally {
    decisions: u64,
    differences: u64,
    /// Of them, those with another verdict; the others differ in their reasons alone.
    verdicts: u64,
    /// Checks that fail now and passed then, by their names.
    failing: BTreeMap<&'static str, u64>,
    /// The same the other way round.
    passing: BTreeMap<&'static str, u64>,
    passes: BTreeSet<PassId>,
    /// Decisions that cannot be taken again, by the reason.
    left_out: BTreeMap<&'static str, u64>,
    /// Identities that the recorded reads give: equal, with the same values, with another value.
    reread: [u64; 3],
    /// The widest difference of probability among those with the same values.
    apart: f64,
    /// Recorded verdict, verdict now.
    table: BTreeMap<(&'static str, &'static str), u64>,
}

/// Replays a journal, or one pass of it. True where every decision came out the same, or other rules were
/// asked for.
pub fn replay(
    journal: &Path,
    pass: Option<&str>,
    rules: Option<&Path>,
    out: &mut impl Write,
) -> Result<bool> {
    let only = pass.map(super::pass_id).transpose()?;
    let others = rules.map(rule_files).transpose()?;
    let (mut lanes, mut tally, mut reads) = (BTreeMap::new(), Tally::default(), Reads::default());
    for row in read_all(journal)? {
        let row = row?;
        // A reader of the whole journal looks only into the kinds that it needs.
        if !KINDS.contains(&row.filed.2.as_str()) {
            continue;
        }
        if row.is_erased() {
            tally.leave_out("erased at the end of their time");
            continue;
        }
        let entry = row.entry(journal)?;
        reads.note(&entry);
        if let EntryBody::RulesLoaded { rules } = &entry.body {
            if let Some(lane) = &entry.lane {
                lanes.insert(lane.clone(), law(lane, rules, others.as_ref()));
            }
        } else if only.is_none() || entry.pass == only {
            again(&row, &entry, (&lanes, &reads), others.is_some(), &mut tally, out)?;
        }
    }
    if let (Some(pass), 0) = (&only, tally.decisions) {
        bail!("no decision of pass {pass} stands in {}; passes are named LANE:NUMBER", journal.display());
    }
    tally.tell(others.is_some(), out)?;
    Ok(others.is_some() || tally.differences == 0)
}

/// All rule files of a folder.
fn rule_files(folder: &Path) -> Result<RuleSets> {
    let read = std::fs::read_dir(folder)
        .with_context(|| format!("{}: the folder of rule files", folder.display()))?;
    let mut files: Vec<_> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|e| e == "toml"));
    files.sort();
    if files.is_empty() {
        bail!("{}: no rule file (*.toml)", folder.display());
    }
    let sets = files.iter().map(|file| load_rules(file).map_err(|problems| anyhow::anyhow!("{problems}")));
    Ok(RuleSets(sets.collect::<Result<_>>()?))
}

fn law(lane: &LaneId, rules: &LaneRules, others: Option<&RuleSets>) -> LaneLaw {
    let (acting, beside) = match others {
        None => Issued::of(rules),
        Some(others) => {
            let (acting, beside) = others.of_lane(&rules.node, lane);
            (Issued::new(acting), beside.into_iter().map(Issued::new).collect())
        }
    };
    LaneLaw { rules: rules.clone(), acting, beside }
}

fn again(
    row: &Stored,
    entry: &Entry,
    (lanes, reads): (&BTreeMap<LaneId, LaneLaw>, &Reads),
    other_rules: bool,
    tally: &mut Tally,
    out: &mut impl Write,
) -> Result<()> {
    let EntryBody::Decided { identity, mission, verdict, record, .. } = &entry.body else { return Ok(()) };
    let Some(record) = record else {
        tally.leave_out("without a record: of an earlier version");
        return Ok(());
    };
    let lane = entry.pass.as_ref().map(|p| &p.lane).or(entry.lane.as_ref());
    let Some(law) = lane.and_then(|lane| lanes.get(lane)) else {
        tally.leave_out("without recorded rules of their lane");
        return Ok(());
    };
    if let Some(pass) = &entry.pass {
        let reread = compare(identity, &reads.fused(pass, &law.rules, identity));
        if let Reread::Differs(how) = &reread {
            writeln!(
                out,
                "pass {pass}, entry {}: the recorded reads give another identity: {how}",
                row.seq.0
            )?;
        }
        tally.reread(&reread);
    }
    let by = Law::of(&law.rules, &law.acting, &law.beside);
    let decision = decide_again(&by, identity, mission.as_deref(), record);
    let new = decision.verdict.clone();
    tally.decisions += 1;
    tally.passes.extend(entry.pass.clone());
    *tally.table.entry((name(verdict), name(&decision.verdict))).or_default() += 1;
    let differs = if other_rules {
        tally.checks(&record.checks, &decision.record.checks);
        decision.verdict != *verdict
    } else {
        let body = EntryBody::Decided {
            identity: identity.clone(),
            mission: mission.clone(),
            verdict: decision.verdict.clone(),
            rules: decision.record.rule_set.to_string(),
            record: Some(Box::new(decision.record)),
        };
        serde_json::to_string(&Entry { body, ..entry.clone() })? != row.body
    };
    if differs {
        tally.differences += 1;
        let (was, now) = (name(verdict), name(&new));
        tally.verdicts += u64::from(was != now);
        let pass = entry.pass.as_ref().map_or_else(|| "no pass".to_owned(), ToString::to_string);
        writeln!(out, "pass {pass}, entry {}: {was} recorded, {now} now", row.seq.0)?;
        for (when, verdict) in [("then", verdict), ("now", &new)] {
            for reason in verdict.reasons() {
                writeln!(out, "    {when:<4} {}", reason.text)?;
            }
        }
    }
    Ok(())
}

fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Admit { .. } => "admit",
        Verdict::Hold { .. } => "hold",
        Verdict::Refer { .. } => "refer",
    }
}

impl Tally {
    fn leave_out(&mut self, why: &'static str) {
        *self.left_out.entry(why).or_default() += 1;
    }
    /// Counts the checks whose outcome is another one now.
    fn checks(&mut self, then: &[CheckResult], now: &[CheckResult]) {
        let failed = |all: &[CheckResult]| -> BTreeSet<&'static str> {
            all.iter().filter(|c| c.outcome == Outcome::Failed).map(|c| c.check.name()).collect()
        };
        let (then, now) = (failed(then), failed(now));
        for check in now.difference(&then) {
            *self.failing.entry(check).or_default() += 1;
        }
        for check in then.difference(&now) {
            *self.passing.entry(check).or_default() += 1;
        }
    }
    fn reread(&mut self, reread: &Reread) {
        let [equal, same, other] = &mut self.reread;
        match reread {
            Reread::Equal => *equal += 1,
            Reread::SameValues(apart) => {
                *same += 1;
                self.apart = self.apart.max(*apart);
            }
            Reread::Differs(_) => *other += 1,
        }
    }
    fn tell(&self, other_rules: bool, out: &mut impl Write) -> std::io::Result<()> {
        for (why, count) in &self.left_out {
            writeln!(out, "note: {count} entries left out, {why}")?;
        }
        writeln!(out, "{:<10} {:<10} decisions", "recorded", "now")?;
        for ((was, is), count) in &self.table {
            writeln!(out, "{was:<10} {is:<10} {count}")?;
        }
        for (what, checks) in
            [("fail now and did not then", &self.failing), ("failed then and do not now", &self.passing)]
        {
            if !checks.is_empty() {
                let told: Vec<String> = checks.iter().map(|(check, n)| format!("{check} {n}")).collect();
                writeln!(out, "checks that {what}: {}", told.join(", "))?;
            }
        }
        let [equal, same, other] = self.reread;
        writeln!(
            out,
            "identities fused again from the recorded reads: {equal} equal, {same} with the same values (probabilities \
             at most {:.3} apart), {other} with another value",
            self.apart
        )?;
        let (decisions, passes, differ) = (self.decisions, self.passes.len(), self.differences);
        let how = if other_rules {
            format!(
                "with another verdict or reason under these rules ({} with another verdict)",
                self.verdicts
            )
        } else {
            "not byte for byte as recorded".to_owned()
        };
        writeln!(out, "{decisions} decisions of {passes} passes taken again, {differ} {how}")
    }
}

//! Combining what several sources say about one fact.

use super::confusion::{Confusions, Tables};
use super::lookalike::look_alike;
use gate_types::identity::Candidate;
use std::collections::BTreeSet;

/// Most candidates that a slot keeps.
const MAX_CANDIDATES: usize = 8;
/// No source is ever certain.
const CERTAIN: f64 = 0.999;
/// A source supports a candidate from this probability, or when it is the source's best.
const SUPPORT: f64 = 0.2;

/// What one source says about one slot: texts with their probabilities, best first, sum below 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The device.
    pub source: String,
    listed: Vec<(String, f64)>,
}

impl Statement {
    /// Takes texts with probabilities in any order; the same text twice counts once, with its higher
    /// probability. Probabilities that are no numbers count as 0; sums above certainty are scaled.
    pub fn new(source: String, texts: impl IntoIterator<Item = (String, f64)>) -> Self {
        let mut listed: Vec<(String, f64)> = Vec::new();
        for (text, p) in texts {
            let p = if p.is_finite() { p.clamp(0.0, CERTAIN) } else { 0.0 };
            match listed.iter_mut().find(|(t, _)| *t == text) {
                Some((_, known)) => *known = known.max(p),
                None => listed.push((text, p)),
            }
        }
        listed.retain(|(_, p)| *p > 0.0);
        listed.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        listed.truncate(MAX_CANDIDATES + 1);
        let sum: f64 = listed.iter().map(|(_, p)| p).sum();
        if sum > CERTAIN {
            for (_, p) in &mut listed {
                *p *= CERTAIN / sum;
            }
        }
        Self { source, listed }
    }
    /// The best text with its probability.
    pub fn best(&self) -> Option<(&str, f64)> {
        self.listed.first().map(|(t, p)| (t.as_str(), *p))
    }
    fn unspent(&self) -> f64 {
        (1.0 - self.listed.iter().map(|(_, p)| p).sum::<f64>()).max(1.0 - CERTAIN)
    }
    /// An unlisted text gets a share of what the source left unspent, by how easily it is read as the
    /// source's best.
    fn probability(&self, text: &str, confusions: &Confusions, codes: bool) -> f64 {
        if let Some((_, p)) = self.listed.iter().find(|(t, _)| t == text) {
            return *p;
        }
        let likeness = self.best().map_or(0.0, |(best, _)| confusions.likeness(best, text, codes));
        self.unspent() * likeness
    }
}

/// Ranks the candidates of one slot; true where two sources that both reach `threshold` disagree
/// about more than a look-alike. Give the statements in a fixed order (by device). `codes`: the texts are
/// container codes. Probabilities are those of independent sources; see [`super::calibrated`].
pub fn combine(
    statements: &[Statement],
    threshold: f64,
    tables: &Tables,
    codes: bool,
) -> (Vec<Candidate>, bool) {
    let texts: BTreeSet<&str> =
        statements.iter().flat_map(|s| s.listed.iter().map(|(t, _)| t.as_str())).collect();
    let scored: Vec<(&str, f64)> = texts
        .into_iter()
        .map(|t| {
            (t, statements.iter().map(|s| s.probability(t, tables.of(&s.source), codes)).product::<f64>())
        })
        .collect();
    let none_of_them = none_of_them(statements, tables, codes);
    let total = scored.iter().map(|(_, s)| s).sum::<f64>() + none_of_them;
    let mut candidates: Vec<Candidate> = scored
        .into_iter()
        .map(|(text, score)| Candidate {
            value: text.to_owned(),
            probability: if total > 0.0 { score / total } else { 0.0 },
            support: supporters(statements, text),
        })
        .collect();
    candidates.sort_by(|a, b| b.probability.total_cmp(&a.probability).then_with(|| a.value.cmp(&b.value)));
    candidates.truncate(MAX_CANDIDATES);
    (candidates, in_conflict(statements, threshold))
}

/// That every source misread some other text: what each left unspent, and, for those that differ from the
/// surest one, how easily one truth is read in both ways.
fn none_of_them(statements: &[Statement], tables: &Tables, codes: bool) -> f64 {
    let bests = statements.iter().filter_map(Statement::best);
    let surest = bests.max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| b.0.cmp(a.0)));
    let Some((surest, _)) = surest else { return 1.0 };
    let one = |s: &Statement| {
        let likeness = match s.best() {
            Some((best, _)) if best != surest => tables.of(&s.source).likeness(best, surest, codes),
            Some(_) | None => 1.0,
        };
        s.unspent() * likeness
    };
    statements.iter().map(one).product()
}

fn supporters(statements: &[Statement], text: &str) -> Vec<String> {
    let devices: BTreeSet<&str> = statements
        .iter()
        .filter(|s| {
            s.best().is_some_and(|(best, _)| best == text)
                || s.listed.iter().any(|(t, p)| t == text && *p >= SUPPORT)
        })
        .map(|s| s.source.as_str())
        .collect();
    devices.into_iter().map(str::to_owned).collect()
}

fn in_conflict(statements: &[Statement], threshold: f64) -> bool {
    let strong: Vec<&str> = statements
        .iter()
        .filter_map(Statement::best)
        .filter(|(_, p)| *p >= threshold)
        .map(|(t, _)| t)
        .collect();
    strong.iter().enumerate().any(|(i, a)| strong.iter().skip(i + 1).any(|b| !look_alike(a, b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(source: &str, texts: &[(&str, f64)]) -> Statement {
        Statement::new(source.into(), texts.iter().map(|(t, p)| ((*t).to_owned(), *p)))
    }

    fn ranked(statements: &[Statement]) -> (Vec<Candidate>, bool) {
        combine(statements, 0.8, &Confusions::built_in().into(), false)
    }

    #[test]
    fn one_source_keeps_its_probability() {
        let (c, conflict) = ranked(&[says("a", &[("X", 0.9), ("Y", 0.05)])]);
        assert!((c[0].probability - 0.9).abs() < 1e-9 && (c[1].probability - 0.05).abs() < 1e-9);
        assert!(!conflict);
        assert_eq!(c[0].support, ["a"]);
    }

    #[test]
    fn agreement_strengthens_as_log_odds_do() {
        let (c, _) = ranked(&[says("a", &[("X", 0.9)]), says("b", &[("X", 0.9)])]);
        let odds = (0.9f64 / 0.1).powi(2);
        assert!((c[0].probability - odds / (1.0 + odds)).abs() < 1e-9);
        assert_eq!(c[0].support, ["a", "b"]);
    }

    #[test]
    fn strong_disagreement_is_a_conflict_and_certain_of_nothing() {
        let (c, conflict) = ranked(&[says("a", &[("AB123CD", 0.95)]), says("b", &[("EF456GH", 0.95)])]);
        assert!(conflict);
        assert!(c[0].probability < 0.8);
        let (_, alike) = ranked(&[says("a", &[("AB123C8", 0.95)]), says("b", &[("AB123CB", 0.95)])]);
        assert!(!alike, "look-alikes are one reading");
        let (_, weak) = ranked(&[says("a", &[("AB123CD", 0.95)]), says("b", &[("EF456GH", 0.5)])]);
        assert!(!weak, "a weak source is no conflict");
    }

    #[test]
    fn no_number_is_no_support() {
        let (c, _) = ranked(&[says("a", &[("X", f64::NAN), ("Y", 7.0)])]);
        assert_eq!(c.len(), 1);
        assert!(c[0].probability < 1.0);
    }
}

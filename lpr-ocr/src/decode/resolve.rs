//! From the reader's output of one crop (or several crops of one object) to a text with its confidence.

use super::beam::{Free, Language, Probabilities, Scored, search};
use super::code::{CodeLanguage, Family};
use super::language::PatternSet;
use super::plate::{GrammarError, Grammars};
use super::{adr, normal_of, text_of};
use gate_types::observation::{CheckDigit, ReadKind};

/// One text that the pixels may show.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Canonical text.
    pub text: String,
    /// Probability that it is right, 0..=1.
    pub confidence: f32,
}

/// What one object says.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The kind of identifier.
    pub kind: ReadKind,
    /// Candidates, best first, 1 to 9.
    pub candidates: Vec<Candidate>,
    /// The reader's text without any rule.
    pub raw_text: String,
    /// Whether characters stand in two rows.
    pub two_rows: bool,
    /// The check digit's verdict on the best candidate.
    pub check_digit: CheckDigit,
    /// Country of a plate, where only one fits.
    pub region: Option<String>,
    /// ln p of the best candidate as the reader alone sees it.
    pub log_p: f64,
}

/// Languages of all kinds, compiled once.
#[derive(Debug, Clone)]
pub struct Resolver {
    plates: Grammars,
    panels: PatternSet,
}

const BEAM_FREE: usize = 16;
const BEAM_PLATE: usize = 32;
const BEAM_CODE: usize = 64;
const MOST_CANDIDATES: usize = 9;
/// Below this a container code is not believed and an ILU code is tried.
const CODE_DOUBTFUL: f64 = -6.0;
/// Prior against ILU codes, nats.
const ILU_NATS: f64 = 3.0;

/// How far the network supports a text: 1/2 at `half`, falling with `slope` nats.
fn support(log_p: f64, half: f64, slope: f64) -> f64 {
    1.0 / (1.0 + ((half - log_p) / slope).exp())
}

impl Resolver {
    /// A resolver whose plate grammars are limited to `regions` (none: all around Europe).
    pub fn new(regions: &[String]) -> Result<Self, GrammarError> {
        let panels = adr::panels().map_err(|why| GrammarError::Pattern { country: "ADR".into(), why })?;
        Ok(Self { plates: Grammars::built_in(regions)?, panels })
    }

    /// Resolves the crops of one object. `None` where there is no text of the kind.
    pub fn resolve(&self, kind: ReadKind, crops: &[Probabilities]) -> Option<Resolved> {
        let first = crops.first()?;
        let (greedy, line_a) = first.greedy();
        let raw_text = text_of(&greedy);
        let two_rows = line_a > 0 && line_a < greedy.len();
        let mut resolved = match kind {
            ReadKind::Plate => self.plate(crops)?,
            ReadKind::Container => code(crops)?,
            ReadKind::Adr => self.panel(crops)?,
        };
        resolved.raw_text = raw_text;
        resolved.two_rows = two_rows;
        resolved.candidates.truncate(MOST_CANDIDATES);
        Some(resolved)
    }

    fn plate(&self, crops: &[Probabilities]) -> Option<Resolved> {
        let mut texts = joint(crops, &Free { longest: 10 }, BEAM_FREE);
        for t in joint(crops, &self.plates.set, BEAM_PLATE) {
            if !texts.iter().any(|k| k.symbols == t.symbols) {
                texts.push(t);
            }
        }
        texts.retain(|t| (4..=10).contains(&t.symbols.len()));
        let weights = self.plates.weigh(&texts);
        let ranked = rank(&texts, &weights);
        let (best, posterior) = ranked.first().map(|r| (&texts[r.0], r.1))?;
        let fits = self.plates.prior(&best.symbols);
        let digits = best.symbols.iter().filter(|s| **s < 10).count();
        let trust = match (fits.is_some(), digits) {
            (true, _) => 1.0,
            // Lettering on cabs and tarpaulins has no digits, phone numbers nothing else.
            (false, 0) => 0.25,
            (false, n) if n == best.symbols.len() => 0.4,
            (false, _) => 0.75,
        };
        let known = support(best.log_p, -2.5, 0.7) * trust;
        let region = fits.filter(|_| self.plates.is_sole(&best.symbols)).map(|f| f.0.to_owned());
        Some(made(ReadKind::Plate, &texts, &ranked, known, CheckDigit::None, region, best.log_p))
            .filter(|_| posterior > 0.0)
    }

    fn panel(&self, crops: &[Probabilities]) -> Option<Resolved> {
        let texts = joint(crops, &self.panels, BEAM_PLATE);
        let weights: Vec<f64> = texts.iter().map(|t| t.log_p).collect();
        let ranked = rank(&texts, &weights);
        let best = texts.get(ranked.first()?.0)?;
        let known = support(best.log_p, -4.0, 0.8);
        let mut out = made(ReadKind::Adr, &texts, &ranked, known, CheckDigit::None, None, best.log_p);
        for c in &mut out.candidates {
            c.text = adr::canonical(&c.text)?;
        }
        Some(out)
    }
}

fn code(crops: &[Probabilities]) -> Option<Resolved> {
    let language = |family, any_digit| CodeLanguage { family, any_digit };
    let mut texts = joint(crops, &language(Family::Container, false), BEAM_CODE);
    if texts.first().is_none_or(|t| t.log_p < CODE_DOUBTFUL) {
        let ilu = joint(crops, &language(Family::Ilu, false), BEAM_CODE);
        texts.extend(ilu.into_iter().map(|t| Scored { log_p: t.log_p - ILU_NATS, ..t }));
        texts.sort_by(|a, b| b.log_p.total_cmp(&a.log_p));
    }
    let best_valid = texts.first().map_or(f64::MIN, |t| t.log_p);
    // A text of the right form that the reader finds far more probable, with a wrong digit, is told as
    // it stands: damaged or repainted digits exist, and a person can see it.
    let any = joint(crops, &language(Family::Container, true), BEAM_FREE);
    if let Some(shown) = any.first().filter(|a| a.log_p > best_valid + 7.0 && a.log_p > -8.0) {
        let weights: Vec<f64> = any.iter().map(|t| t.log_p).collect();
        let ranked = rank(&any, &weights);
        let known = 0.49 * support(shown.log_p, -5.0, 0.8);
        return Some(made(ReadKind::Container, &any, &ranked, known, CheckDigit::Invalid, None, shown.log_p));
    }
    let weights: Vec<f64> = texts.iter().map(|t| t.log_p).collect();
    let ranked = rank(&texts, &weights);
    let best = texts.get(ranked.first()?.0)?;
    if best.log_p < -40.0 {
        return None;
    }
    let known = support(best.log_p, -5.0, 0.8);
    Some(made(ReadKind::Container, &texts, &ranked, known, CheckDigit::Valid, None, best.log_p))
}

fn made(
    kind: ReadKind,
    texts: &[Scored],
    ranked: &[(usize, f64)],
    known: f64,
    check_digit: CheckDigit,
    region: Option<String>,
    log_p: f64,
) -> Resolved {
    let candidates = ranked
        .iter()
        .take(MOST_CANDIDATES)
        .map(|&(n, p)| Candidate {
            text: normal_of(&texts[n].symbols),
            confidence: (p * known).min(0.999) as f32,
        })
        .collect();
    Resolved { kind, candidates, raw_text: String::new(), two_rows: false, check_digit, region, log_p }
}

/// Places and posterior probabilities, best first.
fn rank(texts: &[Scored], weights: &[f64]) -> Vec<(usize, f64)> {
    let top = weights.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = weights.iter().map(|w| (w - top).exp()).sum();
    let mut ranked: Vec<(usize, f64)> =
        (0..texts.len()).map(|n| (n, (weights[n] - top).exp() / sum)).collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranked
}

/// Texts over several crops of one object: mean of the sequence probabilities.
fn joint<L: Language>(crops: &[Probabilities], language: &L, width: usize) -> Vec<Scored> {
    let mut lists: Vec<Vec<Scored>> = crops.iter().map(|p| search(p, language, width)).collect();
    if lists.len() == 1 {
        return lists.pop().unwrap_or_default();
    }
    let n = lists.len().max(1) as f64;
    let mut all: Vec<Scored> = Vec::new();
    for list in lists {
        for t in list {
            match all.iter_mut().find(|k| k.symbols == t.symbols) {
                Some(k) => k.log_p = ln_add(k.log_p, t.log_p),
                None => all.push(t),
            }
        }
    }
    for t in &mut all {
        t.log_p = (t.log_p - n.ln()).min(0.0);
    }
    all.sort_by(|a, b| b.log_p.total_cmp(&a.log_p));
    all
}

fn ln_add(a: f64, b: f64) -> f64 {
    let (hi, lo) = if a > b { (a, b) } else { (b, a) };
    hi + (lo - hi).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::beam::{STEPS, made_logits};
    use crate::decode::symbol_of;

    fn crop(text: &str, line_a: usize, strength: f32) -> Probabilities {
        Probabilities::from_logits(&made_logits(text, line_a, strength)).unwrap()
    }

    #[test]
    fn each_kind_gives_its_canonical_text() {
        let r = Resolver::new(&[]).unwrap();
        let plate = r.resolve(ReadKind::Plate, &[crop("EK679XR", 7, 20.0)]).unwrap();
        assert_eq!(plate.candidates[0].text, "EK679XR");
        assert!(plate.candidates[0].confidence > 0.9, "{plate:?}");
        let code = r.resolve(ReadKind::Container, &[crop("CSQU3054383", 4, 20.0)]).unwrap();
        assert_eq!((code.candidates[0].text.as_str(), code.check_digit), ("CSQU3054383", CheckDigit::Valid));
        assert!(code.two_rows && code.candidates[0].confidence > 0.97, "{code:?}");
        let panel = r.resolve(ReadKind::Adr, &[crop("331203", 2, 20.0)]).unwrap();
        assert_eq!(panel.candidates[0].text, "33/1203");
    }

    #[test]
    fn a_clear_code_with_a_wrong_digit_is_told_but_not_believed() {
        let r = Resolver::new(&[]).unwrap();
        let code = r.resolve(ReadKind::Container, &[crop("CSQU3054380", 11, 20.0)]).unwrap();
        assert_eq!(code.check_digit, CheckDigit::Invalid);
        assert_eq!(code.candidates[0].text, "CSQU3054380");
        assert!(code.candidates[0].confidence < 0.5);
    }

    #[test]
    fn an_ilu_code_is_read_where_no_container_code_fits() {
        let digit = gate_types::iso6346::check_digit("ABCK123456").unwrap();
        let text = format!("ABCK123456{digit}");
        let r = Resolver::new(&[]).unwrap();
        let code = r.resolve(ReadKind::Container, &[crop(&text, 11, 20.0)]).unwrap();
        assert_eq!((code.candidates[0].text.as_str(), code.check_digit), (text.as_str(), CheckDigit::Valid));
    }

    #[test]
    fn other_texts_are_no_confident_codes() {
        let r = Resolver::new(&[]).unwrap();
        for text in ["TRANSPORT", "0805556677", "MAX", "22G1"] {
            let read = r.resolve(ReadKind::Container, &[crop(text, text.len(), 20.0)]);
            assert!(read.as_ref().is_none_or(|c| c.candidates[0].confidence < 0.1), "{text} {read:?}");
        }
    }

    #[test]
    fn a_doubtful_place_gives_an_alternative_and_less_confidence() {
        let mut logits = made_logits("EK679XR", 7, 20.0);
        logits[(usize::from(symbol_of(b'F').unwrap()) + 1) * STEPS + 1] = 19.8;
        let p = Probabilities::from_logits(&logits).unwrap();
        let plate = Resolver::new(&["it".into()]).unwrap().resolve(ReadKind::Plate, &[p]).unwrap();
        assert_eq!(plate.candidates[0].text, "EK679XR");
        assert_eq!(plate.candidates[1].text, "FK679XR");
        assert!(plate.candidates[0].confidence < 0.6, "{plate:?}");
        assert_eq!(plate.region.as_deref(), Some("IT"));
    }
}

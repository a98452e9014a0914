//! From the reader's output of one crop (or several crops of one object) to a text with its confidence.

use super::adr::{self, Pair, Panels};
use super::alphabet::{normal, normal_of, text_of};
use super::beam::{Free, Probabilities, Scored};
use super::code::{self, CodeLanguage, Owners};
use super::confidence::{Calibration, Features, clip};
use super::joint::Joint;
use super::plate::{GrammarError, Grammars};
use super::size_type::SizeTypes;
use gate_types::observation::{CheckDigit, ReadKind};

/// One text that the pixels may show.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Canonical text in normal form.
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
    /// The reader's native text without any rule.
    pub raw_text: String,
    /// Whether characters stand in two rows.
    pub two_rows: bool,
    /// The check digit's verdict on the best candidate.
    pub check_digit: CheckDigit,
    /// Country of a plate, where nearly only one issues such texts.
    pub region: Option<String>,
    /// ln p of the best candidate as the reader alone sees it.
    pub log_p: f64,
    /// What the confidence of the best candidate is made of.
    pub features: Features,
    /// Posterior of each candidate among all texts considered.
    shares: Vec<f64>,
}

impl Resolved {
    /// Probability that the best candidate is right, 0..=1.
    pub fn confidence(&self) -> f32 {
        self.candidates.first().map_or(0.0, |c| c.confidence)
    }
    /// Whether the text by itself shows its kind: a right check digit, a pair of the dangerous goods list, letters and digits
    /// as a country issues them.
    pub fn is_of_its_kind(&self) -> bool {
        match self.kind {
            ReadKind::Plate => self.features.fits >= 1.0 && self.features.mixed >= 1.0,
            ReadKind::Container => self.check_digit == CheckDigit::Valid,
            ReadKind::Adr => self.features.pair >= 1.0 && self.features.raw >= 1.0,
            ReadKind::Seal => false,
        }
    }
}

/// Languages of all kinds, compiled once.
#[derive(Debug, Clone)]
pub struct Resolver {
    plates: Grammars,
    panels: Panels,
    owners: Owners,
    types: SizeTypes,
    calibration: Calibration,
}

const BEAM_FREE: usize = 12;
const BEAM_PLATE: usize = 24;
const BEAM_CODE: usize = 32;
const BEAM_PANEL: usize = 16;
const MOST_CANDIDATES: usize = 9;
/// Codes less probable than this are lettering.
const NO_CODE: f64 = -40.0;
/// What a code with a wrong check digit loses, nats: damaged and repainted digits are rare.
const WRONG_DIGIT_NATS: f64 = 6.0;
/// Below this ln p of the best legal panel, panels with numbers that do not exist are considered.
const PANEL_DOUBTFUL: f64 = -3.0;

/// The confidence of a plate or panel is at most its share among all texts times this; shares are a little too careful,
/// since look-alike characters lend each other probability.
const MOST_OF_SHARE: f64 = 1.15;

/// One text in the choice.
struct Choice {
    /// Place among the texts of the joint list.
    place: usize,
    text: String,
    /// Posterior among all texts.
    share: f64,
}

impl Resolver {
    /// A resolver for a site whose own plates are those of `regions` (none: no preference).
    pub fn new(regions: &[String]) -> Result<Self, GrammarError> {
        Ok(Self {
            plates: Grammars::built_in(regions)?,
            panels: Panels::built_in()?,
            owners: Owners::built_in()?,
            types: SizeTypes::built_in()?,
            calibration: Calibration::built_in()?,
        })
    }

    /// The same resolver with other weights of confidence.
    pub fn with_calibration(self, calibration: Calibration) -> Self {
        Self { calibration, ..self }
    }

    /// Resolves the crops of one object. `None` where there is no text of the kind.
    pub fn resolve(&self, kind: ReadKind, crops: &[Probabilities]) -> Option<Resolved> {
        match kind {
            ReadKind::Plate => self.plate(crops),
            ReadKind::Container => self.code(crops),
            ReadKind::Adr => self.panel(crops),
            // A seal's number has no grammar; cameras of their own push it.
            ReadKind::Seal => None,
        }
    }

    /// Reads a size and type code (`22G1`); `None` where there is none.
    pub fn size_type(&self, crops: &[Probabilities]) -> Option<Candidate> {
        let mut joint = Joint::new(crops);
        let texts = joint.search(&self.types.set, BEAM_PANEL).texts();
        let weights: Vec<f64> = texts.iter().map(|t| t.log_p + self.types.nats(&t.symbols)).collect();
        let best = choose(&texts, &weights).into_iter().next()?;
        let log_p = texts.get(best.place)?.log_p;
        let known = 1.0 / (1.0 + ((-4.0 - log_p) / 0.8).exp());
        Some(Candidate { text: best.text, confidence: (best.share * known).min(0.999) as f32 })
    }

    /// Tells how the detector saw the object: `found` is the box's probability, `height_px` the height of
    /// the characters in the frame. Confidences are computed again.
    pub fn seen(&self, resolved: &mut Resolved, found: f32, height_px: f32) {
        resolved.features.found = clip(f64::from(found), 0.0, 1.0);
        resolved.features.height = clip((f64::from(height_px).max(1.0) / 16.0).ln(), -1.5, 1.5);
        self.assess(resolved);
    }

    fn plate(&self, crops: &[Probabilities]) -> Option<Resolved> {
        let mut joint = Joint::new(crops);
        joint.search(&Free { longest: 11 }, BEAM_FREE).search(&self.plates.set, BEAM_PLATE);
        let texts = joint.retain(|t| (4..=11).contains(&t.len())).texts();
        let cool = self.calibration.temperature(ReadKind::Plate);
        let weights: Vec<f64> = texts.iter().map(|t| t.log_p / cool + self.plates.nats(&t.symbols)).collect();
        let choices = choose(&texts, &weights);
        let best = texts.get(choices.first()?.place)?;
        let prior = self.plates.prior(&best.symbols);
        let mut out = self.made(ReadKind::Plate, &joint, &texts, &choices, CheckDigit::None)?;
        let digits = best.symbols.iter().filter(|s| normal(**s) < 10).count();
        out.features.grammar = clip(prior.as_ref().map_or(-4.0, |p| p.ratio.ln()), -4.0, 4.0);
        out.features.fits = f64::from(u8::from(prior.is_some()));
        // Lettering on cabs and tarpaulins has no digits, phone numbers nothing else.
        out.features.mixed = f64::from(u8::from(digits > 0 && digits < best.symbols.len()));
        out.region = prior.and_then(|p| p.country.map(str::to_owned));
        self.assess(&mut out);
        Some(out)
    }

    fn code(&self, crops: &[Probabilities]) -> Option<Resolved> {
        let mut joint = Joint::new(crops);
        joint.search(&CodeLanguage { any_digit: false }, BEAM_CODE);
        joint.search(&CodeLanguage { any_digit: true }, BEAM_FREE);
        let cool = self.calibration.temperature(ReadKind::Container);
        let weigh = |texts: &[Scored]| -> Vec<f64> {
            let digit = |t: &Scored| if code::is_valid(&t.symbols) { 0.0 } else { -WRONG_DIGIT_NATS };
            texts.iter().map(|t| t.log_p / cool + self.owners.nats(&t.symbols) + digit(t)).collect()
        };
        let mut texts = joint.texts();
        // Letters that the check digit cannot tell apart stay alternatives, however sure the reader is.
        let best = choose(&texts, &weigh(&texts)).into_iter().next()?;
        for other in code::blind_to(&texts.get(best.place)?.symbols) {
            joint.add(other, None);
        }
        texts = joint.texts();
        let choices = choose(&texts, &weigh(&texts));
        let best = texts.get(choices.first()?.place)?;
        if best.log_p < NO_CODE {
            return None;
        }
        let valid = code::is_valid(&best.symbols);
        let check_digit = if valid { CheckDigit::Valid } else { CheckDigit::Invalid };
        let mut out = self.made(ReadKind::Container, &joint, &texts, &choices, check_digit)?;
        out.features.check_digit = f64::from(u8::from(valid));
        out.features.owner = f64::from(u8::from(self.owners.knows(&best.symbols)));
        self.assess(&mut out);
        Some(out)
    }

    fn panel(&self, crops: &[Probabilities]) -> Option<Resolved> {
        let mut joint = Joint::new(crops);
        joint.search(&self.panels.set, BEAM_PANEL);
        let sure = joint.texts().iter().map(|t| t.log_p).fold(f64::NEG_INFINITY, f64::max);
        if sure < PANEL_DOUBTFUL {
            joint.search(&self.panels.shape, BEAM_FREE);
        }
        let texts = joint.texts();
        let cool = self.calibration.temperature(ReadKind::Adr);
        let weights: Vec<f64> = texts.iter().map(|t| t.log_p / cool + self.panels.nats(&t.symbols)).collect();
        let choices = choose(&texts, &weights);
        let best = texts.get(choices.first()?.place)?;
        let mut out = self.made(ReadKind::Adr, &joint, &texts, &choices, CheckDigit::None)?;
        let pair = self.panels.pair(&best.symbols);
        out.features.pair = match pair {
            Pair::Listed => 1.0,
            Pair::Possible => 0.5,
            Pair::Contradicts => 0.0,
            Pair::Illegal => -1.0,
        };
        out.features.fits = f64::from(u8::from(pair != Pair::Illegal));
        for c in &mut out.candidates {
            c.text = adr::canonical(&c.text)?;
        }
        self.assess(&mut out);
        Some(out)
    }

    /// The choice as a reading, its features but those of one kind filled in.
    fn made(
        &self,
        kind: ReadKind,
        joint: &Joint<'_>,
        texts: &[Scored],
        choices: &[Choice],
        check_digit: CheckDigit,
    ) -> Option<Resolved> {
        let best = choices.first()?;
        let scored = texts.get(best.place)?;
        let (greedy, line_a) = joint.showing(best.place)?.greedy();
        let others: f64 = choices.iter().skip(1).map(|c| c.share).sum();
        let ratio = |other: f64| (best.share.max(1e-12) / other.max(1e-12)).ln();
        let agreeing = joint.agreeing(best.place);
        let characters = scored.symbols.len().max(1) as f64;
        let features = Features {
            log_p: clip(scored.log_p, -12.0, 0.0),
            char_log_p: clip(scored.log_p / characters, -3.0, 0.0),
            odds: clip(ratio(others), -4.0, 8.0),
            margin: clip(ratio(choices.get(1).map_or(0.0, |c| c.share)), 0.0, 8.0),
            agreeing: agreeing as f64 / joint.crops().max(1) as f64,
            more_crops: clip(agreeing as f64 - 1.0, 0.0, 3.0),
            grammar: 0.0,
            fits: 1.0,
            mixed: 1.0,
            raw: f64::from(u8::from(normal_of(&greedy) == best.text)),
            check_digit: 1.0,
            owner: 0.0,
            pair: 0.0,
            found: 1.0,
            height: 0.0,
        };
        let kept = &choices[..choices.len().min(MOST_CANDIDATES)];
        Some(Resolved {
            kind,
            candidates: kept.iter().map(|c| Candidate { text: c.text.clone(), confidence: 0.0 }).collect(),
            raw_text: text_of(&greedy),
            two_rows: line_a > 0 && line_a < greedy.len(),
            check_digit,
            region: None,
            log_p: scored.log_p,
            features,
            shares: kept.iter().map(|c| c.share).collect(),
        })
    }

    /// Confidence of every candidate: the best has that of its features; the others share what is left
    /// in the proportion of their probabilities, and none has more than its proportion to the best.
    fn assess(&self, resolved: &mut Resolved) {
        let first = resolved.shares.first().copied().unwrap_or(1.0).max(1e-12);
        // However clear the crop: where two texts share the probability, neither is sure.
        let slack = match resolved.kind {
            ReadKind::Plate | ReadKind::Adr | ReadKind::Seal => MOST_OF_SHARE,
            // Letters of one blind group pass the same check digit: nothing is lent there.
            ReadKind::Container => 1.0,
        };
        let most = (first * slack).min(1.0) as f32;
        let sure = self.calibration.confidence(resolved.kind, &resolved.features).min(most);
        let left = f64::from(1.0 - sure);
        let others = (1.0 - first).max(1e-12);
        for (n, (c, share)) in resolved.candidates.iter_mut().zip(&resolved.shares).enumerate() {
            c.confidence = match n {
                0 => sure,
                _ => (left * share / others).min(f64::from(sure) * share / first) as f32,
            };
        }
    }
}

/// Texts by weight, best first; native texts with one normal form are one text.
fn choose(texts: &[Scored], weights: &[f64]) -> Vec<Choice> {
    let top = weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !top.is_finite() {
        return Vec::new();
    }
    let sum: f64 = weights.iter().map(|w| (w - top).exp()).sum();
    let mut order: Vec<usize> = (0..texts.len().min(weights.len())).collect();
    order.sort_by(|&a, &b| {
        weights[b].total_cmp(&weights[a]).then_with(|| texts[a].symbols.cmp(&texts[b].symbols))
    });
    let mut out: Vec<Choice> = Vec::new();
    for place in order {
        let (text, share) = (normal_of(&texts[place].symbols), (weights[place] - top).exp() / sum);
        match out.iter_mut().find(|c| c.text == text) {
            Some(same) => same.share += share,
            None => out.push(Choice { place, text, share }),
        }
    }
    out.sort_by(|a, b| b.share.total_cmp(&a.share));
    out
}

#[cfg(test)]
mod tests;

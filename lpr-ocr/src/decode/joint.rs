//! Several crops of one object: every text that any of them suggests is scored on all of them.

use super::beam::{Language, Probabilities, Scored, score, search};

/// Most crops of one object that count.
pub(super) const MOST_CROPS: usize = 8;
/// A crop that does not show a text counts at most this much against it, nats below its own best.
const SPOILT: f64 = 10.0;
/// Texts so many nats below the best of their language and crop are not considered.
const HOPELESS: f64 = 14.0;
/// How much less a crop counts for every nat that even its best text lacks.
const DOUBT: f64 = 0.25;

/// The texts of one object.
pub(super) struct Joint<'a> {
    crops: &'a [Probabilities],
    texts: Vec<Scored>,
    /// ln p of every text on every crop.
    scores: Vec<Vec<f64>>,
}

impl<'a> Joint<'a> {
    pub(super) fn new(crops: &'a [Probabilities]) -> Self {
        let crops = &crops[..crops.len().min(MOST_CROPS)];
        Self { crops, texts: Vec::new(), scores: Vec::new() }
    }
    /// Adds what a language makes of each crop.
    pub(super) fn search<L: Language>(&mut self, language: &L, width: usize) -> &mut Self {
        for crop in self.crops {
            let found = search(crop, language, width);
            let least = found.first().map_or(0.0, |best| best.log_p - HOPELESS);
            for text in found.into_iter().take_while(|t| t.log_p >= least) {
                // On a single crop the beam's own sum is as good as the exact one.
                let known = (self.crops.len() == 1).then_some(text.log_p);
                self.add(text.symbols, known);
            }
        }
        self
    }
    /// Adds one text; `known`: its ln p, where it stands on a single crop and is known.
    pub(super) fn add(&mut self, symbols: Vec<u8>, known: Option<f64>) {
        if self.texts.iter().any(|t| t.symbols == symbols) {
            return;
        }
        let scores = match known {
            Some(log_p) => vec![log_p],
            None => self.crops.iter().map(|c| score(c, &symbols)).collect(),
        };
        self.texts.push(Scored { symbols, log_p: 0.0 });
        self.scores.push(scores);
    }
    /// Keeps only some texts.
    pub(super) fn retain(&mut self, keep: impl Fn(&[u8]) -> bool) -> &mut Self {
        let kept: Vec<bool> = self.texts.iter().map(|t| keep(&t.symbols)).collect();
        let mut at = kept.iter();
        self.texts.retain(|_| at.next().copied().unwrap_or(false));
        let mut at = kept.iter();
        self.scores.retain(|_| at.next().copied().unwrap_or(false));
        self
    }
    /// The texts with their ln p over all crops: the mean, where crops that show no text clearly count
    /// less and one spoilt crop does not rule a text out.
    pub(super) fn texts(&self) -> Vec<Scored> {
        let tops: Vec<f64> = (0..self.crops.len())
            .map(|c| self.scores.iter().map(|s| s[c]).fold(f64::NEG_INFINITY, f64::max).max(-60.0))
            .collect();
        let weights: Vec<f64> = tops.iter().map(|top| (top * DOUBT).exp()).collect();
        let total: f64 = weights.iter().sum();
        let mean = |scores: &Vec<f64>| -> f64 {
            let each = scores.iter().zip(&tops).zip(&weights);
            each.map(|((s, top), w)| if self.crops.len() == 1 { *s } else { s.max(top - SPOILT) * w / total })
                .sum()
        };
        let with = self.texts.iter().zip(&self.scores);
        with.map(|(t, s)| Scored { symbols: t.symbols.clone(), log_p: mean(s).min(0.0) }).collect()
    }
    /// Crops whose own best text is the one at place `n`.
    pub(super) fn agreeing(&self, n: usize) -> usize {
        let best = |c: usize| {
            (0..self.scores.len()).max_by(|&a, &b| self.scores[a][c].total_cmp(&self.scores[b][c]))
        };
        (0..self.crops.len()).filter(|&c| best(c) == Some(n)).count()
    }
    /// The crop that shows the text at place `n` best.
    pub(super) fn showing(&self, n: usize) -> Option<&'a Probabilities> {
        let scores = self.scores.get(n)?;
        let best = (0..self.crops.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(b.cmp(&a)))?;
        self.crops.get(best)
    }
    /// How many crops there are.
    pub(super) fn crops(&self) -> usize {
        self.crops.len()
    }
}

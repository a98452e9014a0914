//! From what is known of a reading to the probability that it is exactly right: one logistic map per
//! kind, its weights as data. Every weight but the bias is at least 0 and every feature grows with trust,
//! so the map is monotone.

use super::plate::GrammarError;
use gate_types::observation::ReadKind;
use serde::Serialize;
use std::collections::BTreeMap;

/// What confidence is made of. Every value is finite, and larger where the reading is better supported.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Features {
    /// ln p of the text as the reader sees it over all crops, -12 to 0.
    pub log_p: f64,
    /// The same per character, -3 to 0.
    pub char_log_p: f64,
    /// ln of the odds against all other texts together, grammar counted, -4 to 8.
    pub odds: f64,
    /// Nats to the runner-up, 0 to 8.
    pub margin: f64,
    /// Part of the crops whose own best text this is, 0 to 1.
    pub agreeing: f64,
    /// Crops beyond the first whose own best text this is, 0 to 3.
    pub more_crops: f64,
    /// ln of how much more probable the grammars make the text than any text of its length, -4 to 4.
    pub grammar: f64,
    /// 1 where a grammar admits the text, else 0.
    pub fits: f64,
    /// 1 where the text has letters and digits, else 0.
    pub mixed: f64,
    /// 1 where the text is what the reader gave without any rule, else 0.
    pub raw: f64,
    /// 1 where there is no check digit or it is right, else 0.
    pub check_digit: f64,
    /// 1 where the owner code is often seen, else 0.
    pub owner: f64,
    /// Panels: 1 for a listed pair, 0.5 for a possible one, 0 for one that contradicts the list, -1 for
    /// numbers that do not exist. Else 0.
    pub pair: f64,
    /// The detector's probability of the box, 0 to 1; 1 where it is not told.
    pub found: f64,
    /// ln of the height of the characters over 16 px, -1.5 to 1.5; 0 where it is not told.
    pub height: f64,
}

impl Features {
    /// Names of the values, in their order.
    pub const NAMES: [&str; 15] = [
        "log_p",
        "char_log_p",
        "odds",
        "margin",
        "agreeing",
        "more_crops",
        "grammar",
        "fits",
        "mixed",
        "raw",
        "check_digit",
        "owner",
        "pair",
        "found",
        "height",
    ];
    /// The values, in the order of [`Self::NAMES`].
    pub fn values(&self) -> [f64; 15] {
        [
            self.log_p,
            self.char_log_p,
            self.odds,
            self.margin,
            self.agreeing,
            self.more_crops,
            self.grammar,
            self.fits,
            self.mixed,
            self.raw,
            self.check_digit,
            self.owner,
            self.pair,
            self.found,
            self.height,
        ]
    }
    /// First line of a table for `training/fit_confidence.py`.
    pub fn csv_header() -> String {
        format!("kind,right,confidence,{}", Self::NAMES.join(","))
    }
    /// One line of that table: a reading of `kind` that was told with `confidence` and is `right` or not.
    pub fn csv_row(&self, kind: ReadKind, right: bool, confidence: f32) -> String {
        let values: Vec<String> = self.values().iter().map(|v| format!("{v:.4}")).collect();
        format!("{},{},{confidence:.4},{}", name(kind), u8::from(right), values.join(","))
    }
}

/// Puts a value into its range; what is not a number counts as the least.
pub(super) fn clip(value: f64, least: f64, most: f64) -> f64 {
    if value.is_nan() { least } else { value.clamp(least, most) }
}

fn name(kind: ReadKind) -> &'static str {
    match kind {
        ReadKind::Plate => "plate",
        ReadKind::Container => "container",
        ReadKind::Adr => "adr",
        ReadKind::Seal => "seal",
    }
}

#[derive(Debug, Clone, Copy)]
struct Weights {
    bias: f64,
    of: [f64; 15],
    temperature: f64,
}

/// The maps of all kinds.
#[derive(Debug, Clone)]
pub struct Calibration {
    plate: Weights,
    container: Weights,
    adr: Weights,
}

impl Calibration {
    /// The weights of the project.
    pub fn built_in() -> Result<Self, GrammarError> {
        Self::parse(include_str!("../../data/confidence.toml"))
    }
    /// Parses weights of the form of `data/confidence.toml`.
    pub fn parse(text: &str) -> Result<Self, GrammarError> {
        let fail = |why: String| GrammarError::Data { file: "confidence.toml", why };
        let mut file: BTreeMap<String, BTreeMap<String, f64>> =
            toml::from_str(text).map_err(|e| fail(e.to_string()))?;
        let mut take = |kind: ReadKind| {
            let of = name(kind);
            let mut table = file.remove(of).ok_or_else(|| fail(format!("[{of}] is missing")))?;
            if let Some((key, v)) = table.iter().find(|(k, v)| !v.is_finite() || (*k != "bias" && **v < 0.0))
            {
                return Err(fail(format!("[{of}] {key} = {v}: a finite number, not negative, expected")));
            }
            let bias = table.remove("bias").ok_or_else(|| fail(format!("[{of}] bias is missing")))?;
            let temperature = table.remove("temperature").unwrap_or(1.0).max(0.1);
            let of_feature = Features::NAMES.map(|n| table.remove(n).unwrap_or(0.0));
            match table.keys().next() {
                Some(key) => Err(fail(format!("[{of}] {key}: no such feature"))),
                None => Ok(Weights { bias, of: of_feature, temperature }),
            }
        };
        Ok(Self {
            plate: take(ReadKind::Plate)?,
            container: take(ReadKind::Container)?,
            adr: take(ReadKind::Adr)?,
        })
    }
    fn weights(&self, kind: ReadKind) -> &Weights {
        match kind {
            // No seal is read here; whoever asks gets what is nearest.
            ReadKind::Plate | ReadKind::Seal => &self.plate,
            ReadKind::Container => &self.container,
            ReadKind::Adr => &self.adr,
        }
    }
    /// What the reader's ln p is divided by before grammars speak: it is surer than it is right.
    pub fn temperature(&self, kind: ReadKind) -> f64 {
        self.weights(kind).temperature
    }
    /// The probability that a reading of `kind` with these features is exactly right.
    pub fn confidence(&self, kind: ReadKind, features: &Features) -> f32 {
        let w = self.weights(kind);
        let z: f64 = w.bias + w.of.iter().zip(features.values()).map(|(w, v)| w * v).sum::<f64>();
        (1.0 / (1.0 + (-z).exp())).clamp(0.0, 0.9999) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clear() -> Features {
        Features {
            log_p: -0.05,
            char_log_p: -0.01,
            odds: 7.0,
            margin: 7.0,
            agreeing: 1.0,
            more_crops: 0.0,
            grammar: 3.0,
            fits: 1.0,
            mixed: 1.0,
            raw: 1.0,
            check_digit: 1.0,
            owner: 1.0,
            pair: 1.0,
            found: 1.0,
            height: 0.0,
        }
    }

    #[test]
    fn confidence_grows_with_every_feature() {
        let all = Calibration::built_in().unwrap();
        for kind in [ReadKind::Plate, ReadKind::Container, ReadKind::Adr] {
            let best = all.confidence(kind, &clear());
            assert!(best > 0.97, "{kind:?} {best}");
            for worse in [
                Features { log_p: -6.0, ..clear() },
                Features { odds: 0.0, ..clear() },
                Features { check_digit: 0.0, ..clear() },
                Features { fits: 0.0, ..clear() },
            ] {
                assert!(all.confidence(kind, &worse) <= best);
            }
        }
    }

    #[test]
    fn rows_have_the_columns_of_their_header() {
        let header = Features::csv_header();
        let row = clear().csv_row(ReadKind::Adr, true, 0.5);
        assert_eq!(header.split(',').count(), row.split(',').count());
        assert!(row.starts_with("adr,1,0.5000,-0.0500,"), "{row}");
    }

    #[test]
    fn wrong_weights_are_named() {
        let file =
            |line: &str| format!("[plate]\nbias = 0\n{line}\n[container]\nbias = 0\n[adr]\nbias = 1\n");
        assert!(Calibration::parse(&file("odds = 0.5")).is_ok());
        for (line, told) in [("odd = 0.5", "odd"), ("odds = -0.5", "odds"), ("odds = nan", "odds")] {
            let why = Calibration::parse(&file(line)).unwrap_err().to_string();
            assert!(why.contains(told) && why.contains("[plate]"), "{why}");
        }
        assert!(Calibration::parse("[plate]\nbias = 0").is_err());
    }
}

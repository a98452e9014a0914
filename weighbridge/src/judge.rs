//! From telegrams to statements: unit, range, stability. Pure.

use crate::settle::Settle;
use crate::wire::{Decimal, Unit, sics, toledo};
use gate_types::observation::{StableSource, WeightRange, WeightRead};

/// Where stability comes from.
#[derive(Debug)]
pub enum Stability {
    /// The telegram's own flag.
    Indicator,
    /// Computed, for indicators whose motion bit is not wired.
    Computed(Settle),
}

/// What is said about one telegram, besides its weight.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// A statement; `complaint` is what a technician should look at.
    Read {
        /// The statement.
        read: WeightRead,
        /// Disagreement with the configuration, or none.
        complaint: Option<String>,
    },
    /// The indicator's unit is none that a gate takes.
    WrongUnit {
        /// The unit's sign; empty where the telegram names none.
        unit: &'static str,
    },
    /// The indicator has no weight now (moving, busy).
    Nothing,
    /// The indicator says something that is no weight and no answer.
    Foreign {
        /// What it says.
        what: String,
    },
}

/// The judge of one scale.
#[derive(Debug)]
pub struct Judge {
    capacity_kg: f64,
    interval_kg: f64,
    stability: Stability,
}

/// What both protocols come down to.
struct Shown {
    gross: Option<Decimal>,
    unit: Unit,
    stable: bool,
    range: WeightRange,
    raw: String,
}

impl Judge {
    /// A scale of this capacity and verification interval, kilograms.
    pub fn new(capacity_kg: f64, interval_kg: f64, stability: Stability) -> Self {
        Self { capacity_kg, interval_kg, stability }
    }

    /// Judges a Toledo telegram that arrived at `now_ms`.
    pub fn toledo(&mut self, received: &toledo::Received, now_ms: u64) -> Judged {
        let t = &received.telegram;
        let range = if t.zero_not_captured || t.expanded {
            WeightRange::Invalid
        } else if t.out_of_range {
            if t.negative { WeightRange::Under } else { WeightRange::Over }
        } else if t.gross().is_none() {
            WeightRange::Invalid
        } else {
            WeightRange::InRange
        };
        let complaint = if t.expanded {
            Some(
                "the indicator shows ten-fold resolution, which is no legal weight; switch it back"
                    .to_owned(),
            )
        } else if t.zero_not_captured {
            Some("zero was not captured since power-up; zero the empty scale".to_owned())
        } else {
            let told = t.interval();
            match told.kilograms(t.unit) {
                Some(kg) if (kg - self.interval_kg).abs() > self.interval_kg * 1e-6 => Some(format!(
                    "the indicator's interval is {} {}, interval_kg is {}; one of them is wrong",
                    told.text(),
                    t.unit.sign(),
                    self.interval_kg
                )),
                Some(_) | None => None,
            }
        };
        let raw = hex(&received.raw);
        let shown = Shown { gross: t.gross(), unit: t.unit, stable: !t.motion, range, raw };
        self.judge(shown, complaint, now_ms)
    }

    /// Judges an MT-SICS reply that arrived at `now_ms` as `line`.
    pub fn sics(&mut self, reply: &sics::Reply, line: &str, now_ms: u64) -> Judged {
        let (gross, unit, stable, range) = match reply {
            sics::Reply::Weight { stable, value, unit } => {
                (Some(*value), *unit, *stable, WeightRange::InRange)
            }
            sics::Reply::Over => (None, Unit::Kilogram, false, WeightRange::Over),
            sics::Reply::Under => (None, Unit::Kilogram, false, WeightRange::Under),
            sics::Reply::NotNow | sics::Reply::Zeroed(_) => return Judged::Nothing,
            sics::Reply::Refused(_) | sics::Reply::Other(_) => {
                return Judged::Foreign { what: format!("`{}` is no answer to SI", line.trim()) };
            }
        };
        self.judge(Shown { gross, unit, stable, range, raw: hex(line.as_bytes()) }, None, now_ms)
    }

    fn judge(&mut self, shown: Shown, complaint: Option<String>, now_ms: u64) -> Judged {
        let gross_kg = match shown.gross {
            Some(gross) => match gross.kilograms(shown.unit) {
                Some(kg) => Some(kg),
                None => return Judged::WrongUnit { unit: shown.unit.sign() },
            },
            None => None,
        };
        let range = match (shown.range, gross_kg) {
            (WeightRange::InRange, None) => WeightRange::Invalid,
            // OIML R 76-1, 4.2.3: no indication above capacity plus nine intervals.
            (WeightRange::InRange, Some(kg)) if kg > self.capacity_kg + 9.0 * self.interval_kg => {
                WeightRange::Over
            }
            (WeightRange::InRange, Some(kg)) if kg < 0.0 => WeightRange::Under,
            (range, _) => range,
        };
        let usable = range == WeightRange::InRange;
        let (stable, stable_source) = match (&mut self.stability, gross_kg) {
            (Stability::Indicator, _) => (shown.stable && usable, StableSource::Indicator),
            (Stability::Computed(settle), Some(kg)) if usable => {
                (settle.push(now_ms, kg), StableSource::Computed)
            }
            (Stability::Computed(settle), _) => {
                settle.reset();
                (false, StableSource::Computed)
            }
        };
        let read = WeightRead {
            gross_kg: gross_kg.unwrap_or(0.0),
            stable,
            stable_source,
            range,
            alibi: None,
            raw: shown.raw,
        };
        Judged::Read { read, complaint }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::toledo::{Checksum, Deframer, Telegram};

    fn judged(judge: &mut Judge, telegram: &Telegram) -> Judged {
        let bytes = telegram.encode(Checksum::Present);
        let received = Deframer::new(Checksum::Present).take(&mut bytes.as_slice()).unwrap().unwrap();
        judge.toledo(&received, 0)
    }

    #[test]
    fn range_and_stability_follow_the_status_bits() {
        let mut judge = Judge::new(60_000.0, 20.0, Stability::Indicator);
        let good = Telegram::gross_kg(12_340.0, 20.0).unwrap();
        let t = |change: fn(&mut Telegram)| {
            let mut telegram = good.clone();
            change(&mut telegram);
            telegram
        };
        for (telegram, stable, range) in [
            (good.clone(), true, WeightRange::InRange),
            (t(|t| t.motion = true), false, WeightRange::InRange),
            (t(|t| t.out_of_range = true), false, WeightRange::Over),
            (t(|t| (t.out_of_range, t.negative) = (true, true)), false, WeightRange::Under),
            (t(|t| t.negative = true), false, WeightRange::Under),
            (t(|t| t.zero_not_captured = true), false, WeightRange::Invalid),
            (t(|t| t.expanded = true), false, WeightRange::Invalid),
            (t(|t| t.weight = None), false, WeightRange::Invalid),
            (t(|t| t.weight = Some(6_020)), false, WeightRange::Over),
        ] {
            let Judged::Read { read, .. } = judged(&mut judge, &telegram) else { panic!() };
            assert_eq!((read.stable, read.range), (stable, range), "{telegram:?}");
        }
        assert_eq!(judged(&mut judge, &t(|t| t.unit = Unit::Pound)), Judged::WrongUnit { unit: "lb" });
        let Judged::Read { read, complaint } = judged(&mut judge, &good) else { panic!() };
        assert_eq!((read.gross_kg, complaint, read.raw.len()), (12_340.0, None, 36));
        let Judged::Read { complaint, .. } = judged(&mut judge, &Telegram::gross_kg(40.0, 5.0).unwrap())
        else {
            panic!()
        };
        assert!(complaint.unwrap().contains("interval is 5 kg"));
    }
}

//! From telegrams to statements: unit, range, stability. Pure.

use crate::settle::Settle;
use crate::wire::{Decimal, Said, Unit};
use gate_types::observation::{StableSource, WeightRange, WeightRead};

/// Where stability comes from.
#[derive(Debug)]
pub enum Stability {
    /// The telegram's own flag.
    Indicator,
    /// Computed, for formats without the flag and indicators whose motion bit is not wired.
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
}

/// The judge of one scale, for one connection.
#[derive(Debug)]
pub struct Judge {
    capacity_kg: f64,
    interval_kg: f64,
    stability: Stability,
    unit: Option<Unit>,
    seen_unit: Option<Unit>,
    unit_changed: Option<String>,
    zero: ZeroCheck,
}

/// Zero between vehicles: what an empty platform that stands still shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZeroCheck {
    /// An empty platform may show this much, kilograms either way.
    pub max_kg: f64,
    /// A weight below this is no vehicle, kilograms.
    pub empty_kg: f64,
    /// What the empty platform last showed, where it was too much.
    off_kg: Option<f64>,
}

impl ZeroCheck {
    /// Of a platform whose empty weight may be off zero by `max_kg`; less than `empty_kg` is no vehicle.
    pub fn new(max_kg: f64, empty_kg: f64) -> Self {
        Self { max_kg, empty_kg, off_kg: None }
    }
    /// Takes a stable weight. A vehicle on the platform leaves the last finding standing.
    fn push(&mut self, kg: f64) {
        if kg.abs() < self.empty_kg {
            self.off_kg = (kg.abs() > self.max_kg * 1.001).then_some(kg);
        }
    }
    fn complaint(&self) -> Option<String> {
        self.off_kg.map(|kg| format!("the empty platform shows {kg} kg; clean it and set zero"))
    }
}

impl Judge {
    /// A scale of this capacity and verification interval, kilograms. An empty platform may show one
    /// interval; less than half a per cent of capacity is no vehicle.
    pub fn new(capacity_kg: f64, interval_kg: f64, stability: Stability) -> Self {
        let zero = ZeroCheck::new(interval_kg, capacity_kg * 0.005);
        Self { capacity_kg, interval_kg, stability, unit: None, seen_unit: None, unit_changed: None, zero }
    }
    /// Expects this unit; it is also that of telegrams which name none.
    pub fn with_unit(mut self, unit: Unit) -> Self {
        self.unit = Some(unit);
        self
    }
    /// Holds zero between vehicles against this.
    pub fn with_zero(mut self, zero: ZeroCheck) -> Self {
        self.zero = zero;
        self
    }

    /// Judges what a telegram says that arrived at `now_ms` as `raw`.
    pub fn weigh(&mut self, said: &Said, raw: &[u8], now_ms: u64) -> Judged {
        let unit = match (said.unit, self.unit) {
            (Unit::None, Some(unit)) => unit,
            (unit, _) => unit,
        };
        let gross = said.gross_weight();
        let gross_kg = match gross {
            Some(gross) => match gross.kilograms(unit) {
                Some(kg) => Some(kg),
                None => return Judged::WrongUnit { unit: unit.sign() },
            },
            None => None,
        };
        if gross_kg.is_some() {
            self.see_unit(unit);
        }
        let range = match (said.range, gross_kg) {
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
            (Stability::Indicator, _) => (said.stable == Some(true) && usable, StableSource::Indicator),
            (Stability::Computed(settle), Some(kg)) if usable => {
                (settle.push(now_ms, kg), StableSource::Computed)
            }
            (Stability::Computed(settle), _) => {
                settle.reset();
                (false, StableSource::Computed)
            }
        };
        // Standing still below zero is standing still, too.
        if let Some(kg) = gross_kg
            && (stable || (range == WeightRange::Under && said.stable == Some(true)))
        {
            self.zero.push(kg);
        }
        let complaint = said
            .fault
            .map(str::to_owned)
            .or_else(|| self.net_only(said))
            .or_else(|| self.wrong_interval(said.interval, unit))
            .or_else(|| self.unit_changed.clone())
            .or_else(|| self.zero.complaint());
        let read = WeightRead {
            gross_kg: gross_kg.unwrap_or(0.0),
            stable,
            stable_source,
            range,
            alibi: said.alibi.clone(),
            raw: hex(raw),
        };
        Judged::Read { read, complaint }
    }

    fn net_only(&self, said: &Said) -> Option<String> {
        (said.weight.is_some() && said.gross_weight().is_none())
            .then(|| "the indicator shows net, and its gross cannot be known; clear the tare".to_owned())
    }
    fn wrong_interval(&self, told: Option<Decimal>, unit: Unit) -> Option<String> {
        let told = told?;
        let kg = told.kilograms(unit)?;
        ((kg - self.interval_kg).abs() > self.interval_kg * 1e-6).then(|| {
            format!(
                "the indicator's interval is {} {}, interval_kg is {}; one of them is wrong",
                told.text(),
                unit.sign(),
                self.interval_kg
            )
        })
    }
    /// A unit other than the site's, or than a moment ago, is somebody at the keyboard.
    fn see_unit(&mut self, unit: Unit) {
        let expected = self.unit.or(self.seen_unit);
        if let Some(expected) = expected.filter(|e| *e != unit) {
            self.unit_changed = Some(format!(
                "the indicator weighs in {}, expected is {}; see who changed it",
                unit.sign(),
                expected.sign()
            ));
        }
        self.seen_unit = Some(unit);
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
        judge.weigh(&received.telegram.said(), &received.raw, 0)
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

    #[test]
    fn an_empty_platform_off_zero_is_told_until_it_is_zero_again() {
        let mut judge = Judge::new(60_000.0, 20.0, Stability::Indicator);
        let mut complaint = |kg: f64, motion: bool| {
            let mut telegram = Telegram::gross_kg(kg, 20.0).unwrap();
            telegram.motion = motion;
            match judged(&mut judge, &telegram) {
                Judged::Read { complaint, .. } => complaint,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(complaint(0.0, false), None);
        assert_eq!(complaint(20.0, false), None, "one interval is what a scale may show");
        assert_eq!(complaint(100.0, true), None, "a wheel comes");
        assert_eq!(complaint(20_000.0, false), None);
        assert!(complaint(60.0, false).unwrap().contains("shows 60 kg"));
        assert!(complaint(20_000.0, false).unwrap().contains("shows 60 kg"), "the vehicle was weighed so");
        assert!(complaint(-60.0, false).unwrap().contains("shows -60 kg"));
        assert_eq!(complaint(0.0, false), None);
    }

    #[test]
    fn a_unit_that_changes_and_a_net_weight_are_told() {
        let mut judge = Judge::new(60_000.0, 20.0, Stability::Indicator);
        let said = |digits, places, unit| Said::gross(Decimal { digits, places }, unit, Some(true));
        let mut weigh = |said: &Said| match judge.weigh(said, b"", 0) {
            Judged::Read { read, complaint } => (read, complaint),
            other => panic!("{other:?}"),
        };
        assert_eq!(weigh(&said(12_340, 0, Unit::Kilogram)).1, None);
        let (read, complaint) = weigh(&said(12_340, 3, Unit::Tonne));
        assert_eq!((read.gross_kg, read.stable), (12_340.0, true));
        assert!(complaint.unwrap().contains("weighs in t, expected is kg"));
        let net = Said { basis: crate::wire::Basis::NetOnly, ..said(8_000, 0, Unit::Kilogram) };
        let (read, complaint) = weigh(&net);
        assert_eq!((read.range, read.stable), (WeightRange::Invalid, false));
        assert!(complaint.unwrap().contains("shows net"));
        let mut judge = Judge::new(60_000.0, 20.0, Stability::Indicator).with_unit(Unit::Tonne);
        let Judged::Read { read, complaint } = judge.weigh(&said(12_340, 3, Unit::None), b"", 0) else {
            panic!()
        };
        assert_eq!((read.gross_kg, complaint), (12_340.0, None));
    }
}

//! Upkeep beside weighing: one number of the alibi memory for each vehicle, and the verification's last day.

use gate_types::observation::{WeightRange, WeightRead};

/// A registration that gave no number is tried again after this, milliseconds.
const AGAIN_MS: u64 = 2_000;
/// Registrations tried for one vehicle.
const TRIES: u8 = 3;

/// Has each vehicle's stable weight kept in the indicator's alibi memory, once.
#[derive(Debug)]
pub(crate) struct Keeping {
    wanted: bool,
    least_kg: f64,
    /// A stable weight waits for its number.
    settled_kg: Option<f64>,
    kept: Option<(f64, String)>,
    tries: u8,
    asked_ms: Option<u64>,
    due: bool,
}

impl Keeping {
    /// Keeps weights from `least_kg` on, where `wanted`.
    pub(crate) fn new(wanted: bool, least_kg: f64) -> Self {
        Self { wanted, least_kg, settled_kg: None, kept: None, tries: 0, asked_ms: None, due: false }
    }
    /// The indicator shall be asked to register now.
    pub(crate) fn is_due(&self) -> bool {
        self.due
    }
    /// It was asked.
    pub(crate) fn asked(&mut self, now_ms: u64) {
        (self.due, self.asked_ms) = (false, Some(now_ms));
        self.tries = self.tries.saturating_add(1);
    }
    /// Looks at a weight, and writes its number into it where it has one.
    pub(crate) fn see(&mut self, read: &mut WeightRead, now_ms: u64) {
        if !self.wanted {
            return;
        }
        let kg = read.gross_kg;
        if !read.stable || read.range != WeightRange::InRange || kg < self.least_kg {
            // Moving, or nobody there: the next stable weight is another weighing.
            *self = Self::new(true, self.least_kg);
            return;
        }
        if self.settled_kg != Some(kg) {
            *self = Self { settled_kg: Some(kg), ..Self::new(true, self.least_kg) };
        }
        if let Some(number) = read.alibi.take() {
            self.kept = Some((kg, number));
        }
        match &self.kept {
            Some((of, number)) if *of == kg => read.alibi = Some(number.clone()),
            Some(_) | None => {
                let waits = self.asked_ms.is_some_and(|at| now_ms.saturating_sub(at) < AGAIN_MS);
                self.due = !waits && self.tries < TRIES;
            }
        }
    }
}

/// The last millisecond of a day `YYYY-MM-DD`, UTC, since 1970.
pub fn end_of_day_ms(text: &str) -> Option<i64> {
    let mut parts = text.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month_days = usize::try_from(month - 1).ok().and_then(|m| days.get(m)).copied()?;
    if parts.next().is_some() || !(1970..=9999).contains(&year) || !(1..=month_days).contains(&day) {
        return None;
    }
    let years: i64 =
        (1970..year).map(|y| if y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) { 366 } else { 365 }).sum();
    let months: i64 = days.iter().take(usize::try_from(month - 1).ok()?).sum();
    Some((years + months + day) * 86_400_000 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate_types::observation::StableSource;

    fn read(gross_kg: f64, stable: bool, alibi: Option<&str>) -> WeightRead {
        let (stable_source, range) = (StableSource::Indicator, WeightRange::InRange);
        WeightRead {
            gross_kg,
            stable,
            stable_source,
            range,
            alibi: alibi.map(Into::into),
            raw: String::new(),
        }
    }

    #[test]
    fn each_vehicle_is_kept_once() {
        let mut keeping = Keeping::new(true, 400.0);
        keeping.see(&mut read(0.0, true, None), 0);
        assert!(!keeping.is_due(), "an empty platform is no weighing");
        keeping.see(&mut read(12_340.0, false, None), 0);
        assert!(!keeping.is_due());
        keeping.see(&mut read(12_340.0, true, None), 0);
        assert!(keeping.is_due());
        keeping.asked(10);
        keeping.see(&mut read(12_340.0, true, None), 20);
        assert!(!keeping.is_due(), "its answer is awaited");
        let mut answer = read(12_340.0, true, Some("00000-000001"));
        keeping.see(&mut answer, 30);
        assert_eq!(answer.alibi.as_deref(), Some("00000-000001"));
        let mut later = read(12_340.0, true, None);
        keeping.see(&mut later, 9_000);
        assert_eq!((later.alibi.as_deref(), keeping.is_due()), (Some("00000-000001"), false));
        keeping.see(&mut read(12_360.0, false, None), 9_100);
        let mut other = read(12_360.0, true, None);
        keeping.see(&mut other, 9_200);
        assert_eq!((other.alibi, keeping.is_due()), (None, true), "another weighing");
    }

    #[test]
    fn a_registration_that_fails_is_tried_three_times() {
        let mut keeping = Keeping::new(true, 400.0);
        let mut tries = 0;
        for ms in (0..60_000).step_by(100) {
            keeping.see(&mut read(12_340.0, true, None), ms);
            if keeping.is_due() {
                keeping.asked(ms);
                tries += 1;
            }
        }
        assert_eq!(tries, 3);
    }

    #[test]
    fn a_verification_ends_with_its_day() {
        assert_eq!(end_of_day_ms("1970-01-01"), Some(86_399_999));
        assert_eq!(end_of_day_ms("2024-02-29"), Some(1_709_251_199_999));
        for bad in ["", "2027", "2027-13-01", "2027-02-29", "2027-00-10", "2027-01-00", "a-b-c", "2027-1-1-1"]
        {
            assert_eq!(end_of_day_ms(bad), None, "{bad}");
        }
    }
}

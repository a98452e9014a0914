//! Stable-weight detection for indicators that tell no stability. What it finds is computed by
//! software and is never legal evidence (OIML R 76-1, 4.4.2 speaks of the indicator's own).

/// A gap between readings after which the past counts no more, milliseconds.
const GAP_MS: u64 = 1_000;
/// Fewest readings of a stable weight.
const READINGS: u32 = 5;

/// Finds out whether the weight stands still: all readings of at least `settle_ms` lie within one
/// interval.
#[derive(Debug)]
pub struct Settle {
    settle_ms: u64,
    interval_kg: f64,
    run: Option<Run>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    since_ms: u64,
    last_ms: u64,
    low_kg: f64,
    high_kg: f64,
    readings: u32,
}

impl Settle {
    /// Stable after `settle_ms` within `interval_kg`.
    pub fn new(settle_ms: u64, interval_kg: f64) -> Self {
        Self { settle_ms, interval_kg, run: None }
    }
    /// Forgets everything, as after a lost link or an unusable reading.
    pub fn reset(&mut self) {
        self.run = None;
    }
    /// Takes a reading; true when the weight stands still now. A reading outside the interval starts
    /// anew.
    pub fn push(&mut self, at_ms: u64, kg: f64) -> bool {
        if !kg.is_finite() {
            self.run = None;
            return false;
        }
        let fresh = Run { since_ms: at_ms, last_ms: at_ms, low_kg: kg, high_kg: kg, readings: 1 };
        let run = match self.run {
            Some(run) if at_ms.saturating_sub(run.last_ms) <= GAP_MS => {
                let (low_kg, high_kg) = (run.low_kg.min(kg), run.high_kg.max(kg));
                // A thousandth of an interval covers the rounding of decimal fractions.
                if high_kg - low_kg <= self.interval_kg * 1.001 {
                    Run { last_ms: at_ms, low_kg, high_kg, readings: run.readings.saturating_add(1), ..run }
                } else {
                    fresh
                }
            }
            Some(_) | None => fresh,
        };
        self.run = Some(run);
        run.readings >= READINGS && at_ms.saturating_sub(run.since_ms) >= self.settle_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_weight_is_stable_after_the_time_within_one_interval() {
        let mut settle = Settle::new(3_000, 20.0);
        let mut first = None;
        for i in 0..60u64 {
            // A truck drives on during two seconds, then sways by one interval.
            let kg = if i < 20 { i as f64 * 600.0 } else { 12_340.0 + (i % 2) as f64 * 20.0 };
            if settle.push(i * 100, kg) && first.is_none() {
                first = Some(i);
            }
        }
        assert_eq!(first, Some(50));
        assert!(!settle.push(6_000, 12_400.0), "a step starts anew");
    }

    #[test]
    fn a_gap_or_a_reset_starts_anew() {
        let mut settle = Settle::new(500, 1.0);
        for i in 0..6u64 {
            settle.push(i * 100, 7.0);
        }
        assert!(settle.push(600, 7.0));
        assert!(!settle.push(1_700, 7.0));
        settle.reset();
        assert!(!settle.push(1_800, 7.0));
        assert!(!settle.push(1_900, f64::NAN));
    }

    proptest! {
        /// Whenever it says stable, the last `settle_ms` of readings really lie within the interval.
        #[test]
        fn stable_is_true_of_the_past(steps in proptest::collection::vec((1u64..400, 0u8..4), 1..200)) {
            let mut settle = Settle::new(1_000, 2.0);
            let (mut now, mut past) = (0u64, Vec::<(u64, f64)>::new());
            for (step, level) in steps {
                now += step;
                let kg = f64::from(level);
                past.push((now, kg));
                if settle.push(now, kg) {
                    let window: Vec<f64> = past.iter().filter(|(at, _)| now - at <= 1_000).map(|(_, kg)| *kg).collect();
                    let high = window.iter().copied().fold(f64::MIN, f64::max);
                    let low = window.iter().copied().fold(f64::MAX, f64::min);
                    prop_assert!(high - low <= 2.01, "{window:?}");
                }
            }
        }
    }
}

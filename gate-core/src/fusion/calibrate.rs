//! From combined log-odds to a probability that keeps its word. Sources see the same dirty plate, so their
//! agreement is worth less than independent witnesses would be; the parameters are fitted on simulated
//! passes and checked on others (`docs/calibration.md`).

/// A line through the origin of log-odds, `logit(q) = slope * logit(p)`: even chances stay even.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Below 1: combined odds are too sure.
    pub slope: f64,
}

impl Calibration {
    /// Leaves a probability as it is.
    pub const IDENTITY: Calibration = Calibration { slope: 1.0 };
    /// The line for a slot that `sources` sources spoke about.
    pub fn for_sources(sources: usize) -> Self {
        match sources {
            0 | 1 => Self::IDENTITY,
            2 => TWO,
            3.. => MORE,
        }
    }
    /// The probability on the calibrated scale.
    pub fn apply(self, p: f64) -> f64 {
        if self == Self::IDENTITY {
            return p;
        }
        let p = p.clamp(1e-9, 1.0 - 1e-9);
        let nats = self.slope * (p / (1.0 - p)).ln();
        1.0 / (1.0 + (-nats).exp())
    }
}

/// Two sources.
const TWO: Calibration = Calibration { slope: 0.88 };
/// Three and more.
const MORE: Calibration = Calibration { slope: 0.88 };

/// Puts the best probability of a ranking onto the calibrated scale; the others keep their shares of the
/// rest.
pub fn calibrated(probabilities: &mut [f64], line: Calibration) {
    let Some((best, rest)) = probabilities.split_first_mut() else { return };
    let before = *best;
    let after = line.apply(before);
    if (1.0 - before) <= f64::EPSILON {
        return;
    }
    *best = after;
    for p in rest {
        *p = (*p * (1.0 - after) / (1.0 - before)).min(after);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_keeps_its_word_and_rankings_keep_their_order() {
        let mut one = [0.9, 0.05];
        calibrated(&mut one, Calibration::for_sources(1));
        assert_eq!(one, [0.9, 0.05]);
        let mut two = [0.99, 0.005, 0.001];
        calibrated(&mut two, Calibration { slope: 0.7 });
        assert!(two[0] < 0.99 && two.is_sorted_by(|a, b| a >= b));
        assert!(two.iter().sum::<f64>() <= 1.0 + 1e-12);
        calibrated(&mut [], Calibration::IDENTITY);
    }
}

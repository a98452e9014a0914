//! How long a commit waits for company. A lone append never waits: a decision's commit begins at once. Where
//! many append at the same time, those that the last commit released are back within a fraction of a
//! commit's time, and one commit for all of them costs the disk less than two for the halves.

use std::time::Duration;

/// From this many appenders at the same time on, a commit waits for all of them.
const CROWD: usize = 8;
/// At most as long as the last commit took, within these bounds.
const SHORTEST: Duration = Duration::from_micros(200);
const LONGEST: Duration = Duration::from_millis(2);

/// How many appenders there are, and how long it pays to wait for them.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    expected: usize,
    patience: Duration,
}

impl Crowd {
    /// A commit had this many appends and took so long; so many more were waiting when it ended.
    pub(crate) fn committed(&mut self, appends: usize, took: Duration, waiting: usize) {
        // Fewer than before: the crowd is going.
        self.expected = (appends + waiting).max(self.expected / 2);
        self.patience = took.clamp(SHORTEST, LONGEST);
    }
    /// How long a commit that has `appends` by now may wait for more, from its beginning.
    pub(crate) fn patience(&self, appends: usize) -> Option<Duration> {
        (self.expected >= CROWD && appends < self.expected).then_some(self.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_alone_and_a_crowd_that_has_gone_is_soon_forgotten() {
        let took = Duration::from_millis(1);
        let mut crowd = Crowd::default();
        assert_eq!(crowd.patience(1), None);
        crowd.committed(4, took, 0);
        assert_eq!(crowd.patience(1), None);
        crowd.committed(60, took, 0);
        assert_eq!(crowd.patience(59), Some(took));
        assert_eq!(crowd.patience(60), None);
        for _ in 0..4 {
            crowd.committed(1, took, 0);
        }
        assert_eq!(crowd.patience(1), None);
    }

    #[test]
    fn two_halves_that_take_turns_become_one() {
        let mut crowd = Crowd::default();
        crowd.committed(30, Duration::from_secs(1), 30);
        assert_eq!(crowd.patience(30), Some(LONGEST));
    }
}

//! How long a commit waits for company. A lone append never waits: a decision's commit begins at once. Where
//! many append at the same time, those that the last commit released are back within a fraction of a
//! commit's time, and one commit for all of them costs the disk less than two for the halves.

use std::time::Duration;

/// From this many appends in one commit on, the next one waits for as many.
const CROWD: usize = 8;
/// At most this long.
const LONGEST: Duration = Duration::from_micros(400);

/// How many appenders are expected back.
#[derive(Debug, Default)]
pub(crate) struct Crowd {
    expected: usize,
}

impl Crowd {
    /// A commit had this many appends.
    pub(crate) fn committed(&mut self, appends: usize) {
        // Fewer than were expected: the crowd is going.
        self.expected = appends.max(self.expected / 2);
    }
    /// How long a commit that has `appends` by now may wait for more.
    pub(crate) fn patience(&self, appends: usize) -> Option<Duration> {
        (self.expected >= CROWD && appends < self.expected).then_some(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_alone_and_a_crowd_that_has_gone_is_soon_forgotten() {
        let mut crowd = Crowd::default();
        assert_eq!(crowd.patience(1), None);
        crowd.committed(4);
        assert_eq!(crowd.patience(1), None);
        crowd.committed(60);
        assert_eq!(crowd.patience(59), Some(LONGEST));
        assert_eq!(crowd.patience(60), None);
        for _ in 0..4 {
            crowd.committed(1);
        }
        assert_eq!(crowd.patience(1), None);
    }
}

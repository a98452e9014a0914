//! Folding the reports of one dwell into one statement for each tag: filter by antenna and strength,
//! count, keep the strongest signal, and say it again only when it rose materially.

use crate::tag::{SealRule, Tag};
use crate::wire::TagReport;
use gate_types::observation::TagRead;
use std::collections::BTreeMap;

/// Most tags kept in one dwell; a lane sees a handful, more is a reader that looks at a warehouse.
pub const MAX_TAGS: usize = 64;
/// A rise of the strongest signal that is said again, dB.
const RISE_DB: i16 = 3;
/// Shortest time between two statements about one tag, milliseconds.
const REPEAT_MS: u64 = 500;

/// What became of a report.
#[derive(Debug, Clone, PartialEq)]
pub enum Folded {
    /// New, or risen materially: to be said.
    Say(TagRead),
    /// Counted, nothing new.
    Known,
    /// Another lane's antenna, or too weak: a neighbour or a reflection.
    Foreign,
    /// Without antenna or signal strength it cannot be attributed to this lane.
    Unattributable,
    /// More tags than [`MAX_TAGS`].
    Full,
}

#[derive(Debug)]
struct Seen {
    rssi_dbm: i16,
    antenna: u16,
    count: u32,
    said_rssi_dbm: i16,
    said_count: u32,
    said_ms: u64,
}

/// The tags of one dwell.
#[derive(Debug)]
pub struct Fold {
    antennas: Vec<u16>,
    rssi_min_dbm: i16,
    seals: Vec<SealRule>,
    seen: BTreeMap<Vec<u8>, Seen>,
}

impl Fold {
    /// Accepts reports of these antennas (empty: all) from this strength on.
    pub fn new(antennas: Vec<u16>, rssi_min_dbm: i16) -> Self {
        Self { antennas, rssi_min_dbm, seals: Vec::new(), seen: BTreeMap::new() }
    }
    /// Knows a site's seals by these.
    pub fn knows_seals(&mut self, seals: Vec<SealRule>) {
        self.seals = seals;
    }
    /// A new dwell: everything is new again.
    pub fn clear(&mut self) {
        self.seen.clear();
    }
    /// Folds one report in. `now_ms` is the arrival by the daemon's monotonic clock; the reader's own
    /// clock is not used.
    pub fn fold(&mut self, report: &TagReport, now_ms: u64) -> Folded {
        let (Some(antenna), Some(rssi)) = (report.antenna, report.peak_rssi_dbm) else {
            return Folded::Unattributable;
        };
        let rssi_dbm = i16::from(rssi);
        if (!self.antennas.is_empty() && !self.antennas.contains(&antenna)) || rssi_dbm < self.rssi_min_dbm {
            return Folded::Foreign;
        }
        let times = u32::from(report.seen_count.unwrap_or(1)).max(1);
        let key = report.epc.bytes();
        let Some(seen) = self.seen.get_mut(key) else {
            if self.seen.len() >= MAX_TAGS {
                return Folded::Full;
            }
            let seen = Seen {
                rssi_dbm,
                antenna,
                count: times,
                said_rssi_dbm: rssi_dbm,
                said_count: times,
                said_ms: now_ms,
            };
            let read = statement(report, &self.seals, &seen);
            self.seen.insert(key.to_vec(), seen);
            return Folded::Say(read);
        };
        seen.count = seen.count.saturating_add(times);
        if rssi_dbm > seen.rssi_dbm {
            (seen.rssi_dbm, seen.antenna) = (rssi_dbm, antenna);
        }
        let rose = seen.rssi_dbm >= seen.said_rssi_dbm.saturating_add(RISE_DB);
        let more = seen.count >= seen.said_count.saturating_mul(2);
        if (rose || more) && now_ms.saturating_sub(seen.said_ms) >= REPEAT_MS {
            (seen.said_rssi_dbm, seen.said_count, seen.said_ms) = (seen.rssi_dbm, seen.count, now_ms);
            return Folded::Say(statement(report, &self.seals, seen));
        }
        Folded::Known
    }
}

fn statement(report: &TagReport, seals: &[SealRule], seen: &Seen) -> TagRead {
    let tag = Tag::read(report, seals);
    TagRead {
        epc: report.epc.hex(),
        uri: tag.uri(),
        role: tag.role(),
        antenna: seen.antenna,
        rssi_dbm: seen.rssi_dbm,
        seen_count: seen.count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::EpcBits;

    fn report(n: u8, antenna: u16, rssi: i8) -> TagReport {
        let mut tag =
            TagReport::of(EpcBits::of_bytes(&[0x34, 0x76, 0x45, 0x1f, 0xd4, 0, 0, 0, 0, 0, 0, n]).unwrap());
        (tag.antenna, tag.peak_rssi_dbm, tag.seen_count) = (Some(antenna), Some(rssi), Some(1));
        tag
    }

    #[test]
    fn a_tag_is_said_once_and_again_when_it_rises() {
        let mut fold = Fold::new(vec![1, 2], -70);
        let Folded::Say(first) = fold.fold(&report(1, 1, -60), 0) else { panic!() };
        assert_eq!((first.antenna, first.rssi_dbm, first.seen_count), (1, -60, 1));
        assert_eq!(first.uri.as_deref(), Some("urn:epc:tag:giai-96:3.9521141.1"));
        assert_eq!(fold.fold(&report(1, 2, -50), 100), Folded::Known, "within the repeat time");
        let Folded::Say(again) = fold.fold(&report(1, 1, -65), 600) else { panic!() };
        assert_eq!(
            (again.antenna, again.rssi_dbm, again.seen_count),
            (2, -50, 3),
            "the strongest antenna is kept"
        );
        fold.clear();
        assert!(matches!(fold.fold(&report(1, 1, -60), 700), Folded::Say(_)), "a new dwell");
    }

    #[test]
    fn neighbours_and_reports_of_nowhere_are_not_this_lane() {
        let mut fold = Fold::new(vec![1], -65);
        assert_eq!(fold.fold(&report(1, 2, -40), 0), Folded::Foreign);
        assert_eq!(fold.fold(&report(1, 1, -66), 0), Folded::Foreign);
        let mut bare = report(1, 1, -40);
        bare.antenna = None;
        assert_eq!(fold.fold(&bare, 0), Folded::Unattributable);
    }

    #[test]
    fn a_flood_of_tags_is_bounded_and_said_at_a_bounded_rate() {
        let mut fold = Fold::new(vec![], -80);
        let said =
            (0..=255u8).filter(|n| matches!(fold.fold(&report(*n, 1, -50), 0), Folded::Say(_))).count();
        assert_eq!(said, MAX_TAGS);
        let mut said = 0;
        for ms in 0..10_000u64 {
            if let Folded::Say(_) = fold.fold(&report(0, 1, -50), ms) {
                said += 1;
            }
        }
        assert!(said <= 20, "{said}");
    }
}

//! The life of one ROSpec in the reader face: disabled, inactive, active; what it has seen and when
//! that is reported.

use crate::wire::{
    AiStopTrigger, Content, EpcBits, ReportTrigger, RoSpec, RoSpecState, StartTrigger, StopTrigger, TagReport,
};

/// Most tags kept for a report.
pub const MAX_PENDING: usize = 256;

/// A moment on the reader's two clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Monotonic, milliseconds.
    pub ms: u64,
    /// Wall time, microseconds since 1970 (UTC).
    pub utc_us: u64,
}

/// A tag in the field of an antenna.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Its EPC.
    pub epc: EpcBits,
    /// The antenna, from 1.
    pub antenna: u16,
    /// Received strength, dBm.
    pub rssi_dbm: i8,
    /// Its protocol control word; that of an EPC of this length where absent.
    pub pc: Option<u16>,
}

/// One ROSpec and what it has seen.
#[derive(Debug)]
pub(super) struct Inventory {
    pub(super) spec: RoSpec,
    ends_ms: Option<u64>,
    round_ends_ms: Option<u64>,
    pending: Vec<TagReport>,
}

/// What a moment brought to a ROSpec.
#[derive(Debug, Default)]
pub(super) struct Due {
    pub(super) report: Vec<TagReport>,
    pub(super) ended: bool,
}

impl Inventory {
    pub(super) fn new(spec: RoSpec) -> Self {
        Self { spec, ends_ms: None, round_ends_ms: None, pending: Vec::new() }
    }
    pub(super) fn is_active(&self) -> bool {
        self.spec.state == RoSpecState::Active
    }
    pub(super) fn starts_by_itself(&self) -> bool {
        self.spec.state == RoSpecState::Inactive && self.spec.start == StartTrigger::Immediate
    }
    pub(super) fn start(&mut self, now: Moment) {
        self.spec.state = RoSpecState::Active;
        self.pending.clear();
        self.ends_ms = match self.spec.stop {
            StopTrigger::Duration => Some(now.ms.saturating_add(u64::from(self.spec.stop_after_ms).max(1))),
            StopTrigger::Null | StopTrigger::Gpi => None,
        };
        self.round_ends_ms = self.round_end(now);
    }
    /// Leaves the active state; what is pending is reported as the trigger says.
    pub(super) fn leave(&mut self, to: RoSpecState) -> Vec<TagReport> {
        let was_active = self.is_active();
        self.spec.state = to;
        (self.ends_ms, self.round_ends_ms) = (None, None);
        if was_active && self.trigger() != ReportTrigger::None {
            std::mem::take(&mut self.pending)
        } else {
            Vec::new()
        }
    }
    pub(super) fn collect(&mut self) -> Vec<TagReport> {
        std::mem::take(&mut self.pending)
    }
    pub(super) fn deadline_ms(&self) -> Option<u64> {
        [self.ends_ms, self.round_ends_ms].into_iter().flatten().min()
    }
    /// The antennas that it inventories; 0 means all.
    pub(super) fn antennas(&self) -> impl Iterator<Item = u16> + '_ {
        self.spec.inventories.iter().flat_map(|ai| ai.antennas.iter().copied())
    }
    fn covers(&self, antenna: u16) -> bool {
        self.is_active() && self.antennas().any(|a| a == 0 || a == antenna)
    }
    fn trigger(&self) -> ReportTrigger {
        self.spec.report.as_ref().map_or(ReportTrigger::TagsOrEndOfRoSpec, |r| r.trigger)
    }
    fn round_end(&self, now: Moment) -> Option<u64> {
        let ai = self.spec.inventories.first()?;
        match ai.stop {
            AiStopTrigger::Duration | AiStopTrigger::TagObservation if ai.stop_after_ms > 0 => {
                Some(now.ms.saturating_add(u64::from(ai.stop_after_ms)))
            }
            AiStopTrigger::Null
            | AiStopTrigger::Gpi
            | AiStopTrigger::Duration
            | AiStopTrigger::TagObservation => None,
        }
    }
    /// How many tags end a round or fill a report, whichever is fewer; none: neither does.
    fn enough_tags(&self) -> Option<usize> {
        let report = self.spec.report.as_ref().map_or(0, |r| r.tags);
        let round = match (self.trigger(), self.spec.inventories.first()) {
            (ReportTrigger::TagsOrEndOfAiSpec, Some(ai)) if ai.stop == AiStopTrigger::TagObservation => {
                // TagObservationTrigger (185): trigger type, reserved, number of tags.
                let body = ai.stop_more.iter().find(|p| p.kind == 185).map(|p| p.body.as_slice());
                match body {
                    Some([0, _, high, low, ..]) => u16::from_be_bytes([*high, *low]),
                    Some(_) | None => 0,
                }
            }
            (_, _) => 0,
        };
        [report, round].into_iter().filter(|n| *n > 0).min().map(usize::from)
    }

    /// Takes a sighting in; gives the tags of a report that it completes, or none when this ROSpec does
    /// not look at the antenna.
    pub(super) fn see(&mut self, sighting: &Sighting, now: Moment) -> Option<Vec<TagReport>> {
        if !self.covers(sighting.antenna) {
            return None;
        }
        let known =
            self.pending.iter_mut().find(|t| t.epc == sighting.epc && t.antenna == Some(sighting.antenna));
        if let Some(tag) = known {
            tag.last_seen_utc_us = Some(now.utc_us);
            tag.seen_count = tag.seen_count.map(|n| n.saturating_add(1));
            tag.peak_rssi_dbm = tag.peak_rssi_dbm.max(Some(sighting.rssi_dbm));
        } else if self.pending.len() < MAX_PENDING {
            self.pending.push(TagReport {
                rospec_id: Some(self.spec.id),
                spec_index: Some(1),
                inventory_spec_id: self
                    .spec
                    .inventories
                    .first()
                    .and_then(|a| a.inventories.first())
                    .map(|i| i.id),
                antenna: Some(sighting.antenna),
                peak_rssi_dbm: Some(sighting.rssi_dbm),
                channel: Some(1),
                first_seen_utc_us: Some(now.utc_us),
                last_seen_utc_us: Some(now.utc_us),
                seen_count: Some(1),
                access_spec_id: Some(0),
                pc: Some(sighting.pc.unwrap_or_else(|| sighting.epc.bits().div_ceil(16) << 11)),
                ..TagReport::of(sighting.epc.clone())
            });
        }
        let full = self.enough_tags().is_some_and(|n| self.pending.len() >= n);
        let report = full && self.trigger() != ReportTrigger::None;
        Some(if report { std::mem::take(&mut self.pending) } else { Vec::new() })
    }

    /// What has become due by this moment. Rounds follow each other until the ROSpec's own stop.
    pub(super) fn due(&mut self, now: Moment) -> Due {
        let mut due = Due::default();
        if self.round_ends_ms.is_some_and(|at| at <= now.ms) {
            self.round_ends_ms = self.round_end(now);
            if self.trigger() == ReportTrigger::TagsOrEndOfAiSpec {
                due.report = std::mem::take(&mut self.pending);
            }
        }
        if self.ends_ms.is_some_and(|at| at <= now.ms) {
            due.report.extend(self.leave(RoSpecState::Inactive));
            due.ended = true;
        }
        due
    }

    /// Leaves only the fields that the ROSpec asks for.
    pub(super) fn cut(&self, mut tag: TagReport) -> TagReport {
        let Some(content) = self.spec.report.as_ref().map(|r| r.content) else { return tag };
        fn keep<T>(field: &mut Option<T>, content: Content, bit: u16) {
            if !content.has(bit) {
                *field = None;
            }
        }
        keep(&mut tag.rospec_id, content, Content::ROSPEC_ID);
        keep(&mut tag.spec_index, content, Content::SPEC_INDEX);
        keep(&mut tag.inventory_spec_id, content, Content::INVENTORY_SPEC_ID);
        keep(&mut tag.antenna, content, Content::ANTENNA_ID);
        keep(&mut tag.channel, content, Content::CHANNEL_INDEX);
        keep(&mut tag.peak_rssi_dbm, content, Content::PEAK_RSSI);
        keep(&mut tag.first_seen_utc_us, content, Content::FIRST_SEEN);
        keep(&mut tag.last_seen_utc_us, content, Content::LAST_SEEN);
        keep(&mut tag.seen_count, content, Content::SEEN_COUNT);
        keep(&mut tag.access_spec_id, content, Content::ACCESS_SPEC_ID);
        // C1G2EPCMemorySelector (348): EnableCRC, EnablePCBits.
        let memory = self.spec.report.iter().flat_map(|r| &r.content_more).find(|p| p.kind == 348);
        if memory.and_then(|p| p.body.first()).is_none_or(|bits| bits & 0x40 == 0) {
            tag.pc = None;
        }
        tag
    }
}

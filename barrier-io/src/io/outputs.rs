//! Outputs: pulses, lamps, and what the block says of them when it is read back.

use super::{IoCommand, IoDriver, Left, Light, Live};
use crate::modbus::Failure;
use crate::points::PointMap;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// So many cycles in a row an output reads otherwise than it was written before that is a fault.
const WRONG_CYCLES: u32 = 2;

/// What one connection knows of its outputs.
pub(super) struct Outputs {
    /// The momentary coils are known to be off, or on by this connection's own pulse.
    settled: bool,
    /// The block is read back.
    reads_back: bool,
    /// What this connection wrote last to each coil. Nothing is compared that it did not write.
    written: BTreeMap<u16, bool>,
    /// Cycles in a row in which something read otherwise.
    wrong_cycles: u32,
    lamp_fault: Option<String>,
    read_back_fault: Option<String>,
}

impl Outputs {
    pub(super) fn new(points: &PointMap) -> Self {
        Self {
            settled: false,
            reads_back: points.outputs.read_back,
            written: BTreeMap::new(),
            wrong_cycles: 0,
            lamp_fault: None,
            read_back_fault: None,
        }
    }
    /// What is wrong with the outputs, if anything.
    pub(super) fn fault(&self) -> Option<String> {
        self.lamp_fault.clone().or_else(|| self.read_back_fault.clone())
    }
}

impl IoDriver {
    /// Writes a coil and remembers it for the comparison.
    pub(super) async fn write(&self, live: &mut Live, coil: u16, on: bool) -> Result<Left, Failure> {
        let left = live.session.write_coil(coil, on).await?;
        live.outputs.written.insert(coil, on);
        Ok(left)
    }

    /// Ends the pulses that are due at `now`.
    pub(super) async fn end_pulses(&mut self, live: &mut Live, now: Instant) -> Result<(), Failure> {
        let due: Vec<u16> = self.pulses.iter().filter(|(_, at)| **at <= now).map(|(coil, _)| *coil).collect();
        for coil in due {
            self.write(live, coil, false).await?;
            self.pulses.remove(&coil);
        }
        Ok(())
    }

    /// Ends every pulse.
    pub(super) async fn end_all_pulses(&mut self, live: &mut Live) -> Result<(), Failure> {
        match self.pulses.values().max().copied() {
            Some(last) => self.end_pulses(live, last).await,
            None => Ok(()),
        }
    }

    pub(super) async fn command(&mut self, live: &mut Live, command: IoCommand) -> Result<(), Failure> {
        let outputs = self.points.outputs;
        let stale = || "the inputs are not fresh: the life counter does not move".to_owned();
        match command {
            IoCommand::Raise { done } if !live.fresh => refused(done, stale()),
            IoCommand::PermitLower { done } if !live.fresh => refused(done, stale()),
            IoCommand::Raise { done } => self.pulse(live, outputs.raise, done).await,
            IoCommand::PermitLower { done } => self.pulse(live, outputs.permit_lower, done).await,
            IoCommand::Stop { done } => match outputs.stop {
                Some(coil) => self.pulse(live, coil, done).await,
                None => refused(done, "the point map has no outputs.stop".to_owned()),
            },
            IoCommand::Light(light) => self.light(live, light).await,
        }
    }

    async fn light(&self, live: &mut Live, light: Light) -> Result<(), Failure> {
        let outputs = self.points.outputs;
        let (off, on) = match light {
            Light::Red => (outputs.lamp_green, outputs.lamp_red),
            Light::Green => (outputs.lamp_red, outputs.lamp_green),
        };
        live.outputs.lamp_fault = None;
        for (coil, value) in [(off, false), (on, true)] {
            match self.write(live, coil, value).await {
                Ok(_) => {}
                Err(Failure::Refused(why)) => {
                    live.outputs.lamp_fault = Some(format!("lamp coil {coil}: {why}"));
                }
                Err(lost @ (Failure::Link(_) | Failure::Protocol(_))) => return Err(lost),
            }
        }
        Ok(())
    }

    /// Starts one momentary pulse; a pulse that is still on ends first, so that the new one has its edge
    /// and no two are ever on together. A lane that commands nothing writes to none of them.
    async fn pulse(
        &mut self,
        live: &mut Live,
        coil: u16,
        done: oneshot::Sender<Result<Left, String>>,
    ) -> Result<(), Failure> {
        let written = self.start_pulse(live, coil).await;
        // The lane may have stopped waiting.
        let _gone = done.send(written.as_ref().copied().map_err(|f| f.text().to_owned()));
        match written {
            Ok(_) | Err(Failure::Refused(_)) => Ok(()),
            Err(lost @ (Failure::Link(_) | Failure::Protocol(_))) => Err(lost),
        }
    }

    async fn start_pulse(&mut self, live: &mut Live, coil: u16) -> Result<Left, Failure> {
        self.end_all_pulses(live).await?;
        // A daemon that was killed within a pulse left its coil on: without this the new pulse had no edge.
        if !live.outputs.settled {
            for coil in self.points.outputs.momentary() {
                self.write(live, coil, false).await?;
            }
            live.outputs.settled = true;
        }
        // Noted before the write: when its answer is lost, the coil may be on.
        self.pulses.insert(coil, Instant::now() + Duration::from_millis(self.points.outputs.pulse_ms));
        let written = self.write(live, coil, true).await;
        if matches!(written, Err(Failure::Refused(_))) {
            self.pulses.remove(&coil);
        }
        written
    }

    /// Reads the outputs back and compares them with what was written. A lamp that reads otherwise is
    /// written again, for its light is a state; so is a momentary coil that reads on after its end. One that
    /// reads off early is no fault: many barriers take the edge and reset it themselves.
    pub(super) async fn read_back(&self, live: &mut Live) -> Result<(), Failure> {
        if !live.outputs.reads_back {
            return Ok(());
        }
        let (first, count) = self.points.outputs.span();
        let bits = match live.session.read_coils(first, count).await {
            Ok(bits) => bits,
            Err(Failure::Refused(why)) => {
                live.outputs.reads_back = false;
                live.outputs.read_back_fault = Some(format!(
                    "the outputs cannot be read back ({why}); write outputs.read_back = false where the block has no \
                     function 01"
                ));
                return Ok(());
            }
            Err(lost @ (Failure::Link(_) | Failure::Protocol(_))) => return Err(lost),
        };
        let mut wrong = Vec::new();
        for (name, coil) in self.points.outputs.named() {
            let read = bits.get(usize::from(coil.saturating_sub(first))).copied().unwrap_or_default();
            let Some(written) = live.outputs.written.get(&coil).copied().filter(|w| *w != read) else {
                continue;
            };
            let momentary = self.points.outputs.momentary().any(|m| m == coil);
            if momentary && written {
                continue;
            }
            wrong.push(format!(
                "coil {coil} ({name}) was written {} and reads {}",
                level(written),
                level(read)
            ));
            if coil != self.points.outputs.heartbeat
                && let Err(lost @ (Failure::Link(_) | Failure::Protocol(_))) =
                    self.write(live, coil, written).await
            {
                return Err(lost);
            }
        }
        live.outputs.wrong_cycles =
            if wrong.is_empty() { 0 } else { live.outputs.wrong_cycles.saturating_add(1) };
        live.outputs.read_back_fault = (live.outputs.wrong_cycles >= WRONG_CYCLES).then(|| {
            format!("{}; check the outputs and whether another master writes them", wrong.join(", "))
        });
        Ok(())
    }
}

fn level(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

fn refused(done: oneshot::Sender<Result<Left, String>>, why: String) -> Result<(), Failure> {
    // The lane may have stopped waiting.
    let _gone = done.send(Err(why));
    Ok(())
}

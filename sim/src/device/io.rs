//! A lane block alone, with an arm that takes its time.

use super::{Place, announce, key};
use crate::faces::io::{Block, serve_tcp, speak_rtu};
use crate::faces::pty::Pty;
use crate::world::arm::Arm;
use crate::world::bay::{Bay, Pulse};
use anyhow::{Context as _, Result, bail};
use barrier_io::PointMap;
use gate_types::LaneId;
use gate_types::observation::Level;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;

/// The shipped point map.
const NEUTRAL: &str = include_str!("../../../config/points/neutral.toml");
/// The arm moves in steps of this.
const STEP: Duration = Duration::from_millis(50);

/// What a block is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// Its point map; the neutral one where absent.
    points: Option<PathBuf>,
    /// Its unit on a serial line.
    unit: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self { points: None, unit: 1 }
    }
}

pub(super) async fn serve(settings: Settings, place: Place, mut keys: mpsc::Receiver<String>) -> Result<()> {
    let map = match &settings.points {
        Some(file) => PointMap::load(file)?,
        None => PointMap::parse(NEUTRAL)?,
    };
    let bay = Bay::new(LaneId::new("bench")?, 0);
    let block = Block::start(bay.clone(), map);
    match place {
        Place::Tcp(listener) => {
            announce("listening", &listener.local_addr()?.to_string());
            serve_tcp(block.clone(), listener);
        }
        Place::Pty => {
            let (line, path) = Pty::open()?;
            announce("pty", &path.display().to_string());
            tokio::spawn(speak_rtu(block.clone(), settings.unit, line));
        }
    }
    let mut arm = Arm::default();
    let mut every = tokio::time::interval(STEP);
    loop {
        tokio::select! {
            _ = every.tick() => step(&bay, &mut arm),
            line = key(&mut keys) => if let Err(error) = turn(&line, &bay, &block) {
                eprintln!("{error:#}");
            },
        }
    }
}

/// What the arm was told, and what its limit switches say of it.
fn step(bay: &Bay, arm: &mut Arm) {
    let mut log = Vec::new();
    let mut panel = bay.panel();
    let occupied = panel.inputs.loop_under.may_be_on() || panel.inputs.curtain.is_on();
    for pulse in std::mem::take(&mut panel.pulses) {
        match pulse {
            Pulse::Raise => arm.raise(&mut log),
            Pulse::Lower => arm.lower(occupied, &mut log),
        }
    }
    arm.step(STEP.as_secs_f64(), occupied, &mut log);
    panel.inputs.limit_up = level(arm.is_up());
    panel.inputs.limit_down = level(arm.is_down());
    drop(panel);
    for act in log {
        eprintln!("arm: {act:?}");
    }
}

fn level(on: bool) -> Level {
    if on { Level::On } else { Level::Off }
}

fn turn(line: &str, bay: &Bay, block: &Block) -> Result<()> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (name, on) = match words.as_slice() {
        [] => return Ok(()),
        ["freeze"] => {
            block.freeze(true);
            return Ok(());
        }
        ["thaw"] => {
            block.freeze(false);
            return Ok(());
        }
        [name, "on"] => (*name, true),
        [name, "off"] => (*name, false),
        _other => bail!("`{line}`: NAME on|off, freeze or thaw"),
    };
    let mut panel = bay.panel();
    let inputs = &mut panel.inputs;
    let input = match name {
        "loop_approach" => Some(&mut inputs.loop_approach),
        "loop_under" => Some(&mut inputs.loop_under),
        "curtain" => Some(&mut inputs.curtain),
        "local_key" => Some(&mut inputs.local_key),
        "fire" => Some(&mut inputs.fire),
        "barrier_fault" => Some(&mut inputs.barrier_fault),
        _other => None,
    };
    let names =
        "loop_approach, loop_under, curtain, local_key, fire, barrier_fault; the arm moves by its coils";
    *input.with_context(|| format!("`{name}`: {names}"))? = level(on);
    Ok(())
}

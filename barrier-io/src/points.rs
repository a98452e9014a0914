//! Point maps: which register bit means what, at which polarity, and which coil does what. Pure.

use gate_types::observation::{LaneInputs, Level};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

/// Most registers that one Modbus request may read.
const MOST_REGISTERS: u16 = 125;
/// Most coils that one Modbus request may read.
const MOST_COILS: u16 = 2_000;

/// Everything that is wrong with a point map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct PointMapError {
    /// The file; empty where the text came from elsewhere.
    pub file: PathBuf,
    /// Each problem with its place and what to do; never empty.
    pub problems: Vec<String>,
}

impl fmt::Display for PointMapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{}: {problem}", self.file.display())?;
        }
        Ok(())
    }
}

/// The kind of register that holds the inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegisterKind {
    /// Function 04.
    InputRegisters,
    /// Function 03.
    HoldingRegisters,
}

/// The wire level at which an input is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Active {
    /// Active when the bit is 1.
    High,
    /// Active when the bit is 0 (fail-safe contacts: a cut wire reads as active).
    Low,
}

/// One input bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Register, counted from the block's first one.
    pub register: u16,
    /// Bit, 0 (least significant) to 15.
    pub bit: u8,
    /// Polarity.
    pub active: Active,
}

/// The lane's inputs; an absent one is not fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputPoints {
    /// First loop, before the arm.
    pub loop_approach: Point,
    /// Second loop, under and behind the arm.
    pub loop_under: Point,
    /// Light curtain interrupted.
    #[serde(default)]
    pub curtain: Option<Point>,
    /// Arm at its upper end.
    pub limit_up: Point,
    /// Arm at its lower end.
    pub limit_down: Point,
    /// Key switch.
    #[serde(default)]
    pub local_key: Option<Point>,
    /// Fire alarm.
    #[serde(default)]
    pub fire: Option<Point>,
    /// Fault of the barrier's own controller.
    #[serde(default)]
    pub barrier_fault: Option<Point>,
    /// Loop or light barrier across the edge of the weighing platform that the vehicle comes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_before: Option<Point>,
    /// The same at the edge that the vehicle leaves over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_behind: Option<Point>,
}

/// The block of registers that holds inputs and life counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputBlock {
    /// Kind of register.
    pub function: RegisterKind,
    /// Address of the first register.
    pub start: u16,
    /// Registers, 1 to 125: one request reads all.
    pub count: u16,
    /// The life counter's register, counted from the block's first one.
    pub life_register: u16,
    /// The counter standing still this long makes the inputs unknown, milliseconds, 500..=10,000.
    pub life_timeout_ms: u64,
    /// The bits.
    pub points: InputPoints,
}

/// Coil addresses. Raise and permit-lower are momentary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outputs {
    /// Rising edge: raise the arm.
    pub raise: u16,
    /// Rising edge: the arm may be lowered.
    pub permit_lower: u16,
    /// Red lamp.
    pub lamp_red: u16,
    /// Green lamp.
    pub lamp_green: u16,
    /// Toggled by the driver; the block goes to its safe state when it stands still.
    pub heartbeat: u16,
    /// Rising edge: the arm stops where it is. Momentary; absent where the barrier has no such input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<u16>,
    /// The block answers function 01 for its outputs: they are read back and compared every cycle. True
    /// where absent.
    #[serde(default = "yes")]
    pub read_back: bool,
    /// How long a momentary coil stays on, milliseconds, 50..=2,000.
    pub pulse_ms: u64,
    /// Period of the heartbeat's toggling, milliseconds, 100..=1,000.
    pub heartbeat_ms: u64,
}

fn yes() -> bool {
    true
}

impl Outputs {
    /// All fitted outputs by name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u16)> {
        let fitted = [
            ("raise", self.raise),
            ("permit_lower", self.permit_lower),
            ("lamp_red", self.lamp_red),
            ("lamp_green", self.lamp_green),
            ("heartbeat", self.heartbeat),
        ];
        fitted.into_iter().chain(self.stop.map(|coil| ("stop", coil)))
    }
    /// The momentary ones: on for [`Outputs::pulse_ms`], off otherwise.
    pub fn momentary(&self) -> impl Iterator<Item = u16> {
        [self.raise, self.permit_lower].into_iter().chain(self.stop)
    }
    /// First coil and count of the smallest range that holds all of them, as function 01 reads it.
    pub fn span(&self) -> (u16, u16) {
        let (mut least, mut most) = (u16::MAX, 0);
        for (_, coil) in self.named() {
            (least, most) = (least.min(coil), most.max(coil));
        }
        (least, most.saturating_sub(least).saturating_add(1))
    }
}

/// A point map as its TOML file holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointMap {
    /// For people.
    pub name: String,
    /// Inputs.
    pub inputs: InputBlock,
    /// Outputs.
    pub outputs: Outputs,
}

/// One block as read: the inputs and the life counter that was read with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded {
    /// The inputs at their polarity.
    pub inputs: LaneInputs,
    /// The life counter.
    pub life: u16,
}

impl InputPoints {
    fn named(&self) -> [(&'static str, Option<Point>); 10] {
        [
            ("loop_approach", Some(self.loop_approach)),
            ("loop_under", Some(self.loop_under)),
            ("curtain", self.curtain),
            ("limit_up", Some(self.limit_up)),
            ("limit_down", Some(self.limit_down)),
            ("local_key", self.local_key),
            ("fire", self.fire),
            ("barrier_fault", self.barrier_fault),
            ("platform_before", self.platform_before),
            ("platform_behind", self.platform_behind),
        ]
    }
}

impl PointMap {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Self, PointMapError> {
        let fail = |what: String| PointMapError { file: path.to_path_buf(), problems: vec![what] };
        let text = std::fs::read_to_string(path)
            .map_err(|e| fail(format!("cannot be read: {e}; check the path and its rights")))?;
        Self::parse(&text).map_err(|e| PointMapError { file: path.to_path_buf(), ..e })
    }

    /// Parses and checks a text. All problems of meaning are reported together.
    pub fn parse(text: &str) -> Result<Self, PointMapError> {
        let fail = |problems| PointMapError { file: PathBuf::new(), problems };
        let map: PointMap = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(0, |s| text[..s.start.min(text.len())].matches('\n').count() + 1);
            fail(vec![format!("line {line}: {}", e.message())])
        })?;
        let problems = map.problems();
        if problems.is_empty() { Ok(map) } else { Err(fail(problems)) }
    }

    fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let block = &self.inputs;
        if block.count == 0 || block.count > MOST_REGISTERS {
            found.push(format!(
                "inputs.count: {} is not 1 to {MOST_REGISTERS}; one request reads the block",
                block.count
            ));
        }
        if block.start.checked_add(block.count).is_none() {
            found.push(format!("inputs.start: {} and count {} pass address 65535", block.start, block.count));
        }
        if block.life_register >= block.count {
            found.push(format!(
                "inputs.life_register: {} lies outside the block of {} registers; the counter is read with the inputs",
                block.life_register, block.count
            ));
        }
        between(&mut found, "inputs.life_timeout_ms", block.life_timeout_ms, 500, 10_000);
        let mut taken: BTreeMap<(u16, u8), &str> = BTreeMap::new();
        for (name, point) in block.points.named() {
            let Some(point) = point else { continue };
            let at = format!("inputs.points.{name}");
            if point.register >= block.count {
                found.push(format!(
                    "{at}: register {} lies outside the block of {}",
                    point.register, block.count
                ));
            }
            if point.register == block.life_register {
                found.push(format!("{at}: register {} is the life counter", point.register));
            }
            if point.bit > 15 {
                found.push(format!("{at}: bit {} is not 0 to 15", point.bit));
            }
            if let Some(other) = taken.insert((point.register, point.bit), name) {
                found.push(format!(
                    "{at}: register {} bit {} is already `{other}`",
                    point.register, point.bit
                ));
            }
        }
        let out = &self.outputs;
        let mut coils = BTreeSet::new();
        for (name, coil) in out.named() {
            if !coils.insert(coil) {
                found.push(format!("outputs.{name}: coil {coil} is used twice; give each output its own"));
            }
        }
        let (first, count) = out.span();
        if out.read_back && count > MOST_COILS {
            found.push(format!(
                "outputs: {count} coils from {first} are more than one request reads back ({MOST_COILS}); give the \
                 outputs neighbouring coils, or write outputs.read_back = false"
            ));
        }
        between(&mut found, "outputs.pulse_ms", out.pulse_ms, 50, 2_000);
        between(&mut found, "outputs.heartbeat_ms", out.heartbeat_ms, 100, 1_000);
        found
    }

    /// The inputs as they are before anything was read: fitted ones unknown.
    pub fn unknown(&self) -> LaneInputs {
        let p = &self.inputs.points;
        let level = |fitted: bool| {
            if fitted { Level::Unknown } else { Level::NotFitted }
        };
        LaneInputs {
            loop_approach: Level::Unknown,
            loop_under: Level::Unknown,
            curtain: level(p.curtain.is_some()),
            limit_up: Level::Unknown,
            limit_down: Level::Unknown,
            local_key: level(p.local_key.is_some()),
            fire: level(p.fire.is_some()),
            barrier_fault: level(p.barrier_fault.is_some()),
            platform_before: level(p.platform_before.is_some()),
            platform_behind: level(p.platform_behind.is_some()),
        }
    }

    /// The meaning of one block. `None` when it has not exactly [`InputBlock::count`] registers.
    pub fn decode(&self, registers: &[u16]) -> Option<Decoded> {
        if registers.len() != usize::from(self.inputs.count) {
            return None;
        }
        let life = *registers.get(usize::from(self.inputs.life_register))?;
        let p = &self.inputs.points;
        let read = |point: Point| match registers.get(usize::from(point.register)) {
            None => Level::Unknown,
            Some(word) => {
                let high = (word >> (point.bit & 15)) & 1 == 1;
                if high == (point.active == Active::High) { Level::On } else { Level::Off }
            }
        };
        let maybe = |point: Option<Point>| point.map_or(Level::NotFitted, read);
        let inputs = LaneInputs {
            loop_approach: read(p.loop_approach),
            loop_under: read(p.loop_under),
            curtain: maybe(p.curtain),
            limit_up: read(p.limit_up),
            limit_down: read(p.limit_down),
            local_key: maybe(p.local_key),
            fire: maybe(p.fire),
            barrier_fault: maybe(p.barrier_fault),
            platform_before: maybe(p.platform_before),
            platform_behind: maybe(p.platform_behind),
        };
        Some(Decoded { inputs, life })
    }

    /// The block that a remote I/O with these inputs would offer: the other side of [`PointMap::decode`].
    /// Unknown and not fitted levels are written as all-zero bits.
    pub fn encode(&self, inputs: &LaneInputs, life: u16) -> Vec<u16> {
        let mut words = vec![0u16; usize::from(self.inputs.count)];
        let levels = [
            inputs.loop_approach,
            inputs.loop_under,
            inputs.curtain,
            inputs.limit_up,
            inputs.limit_down,
            inputs.local_key,
            inputs.fire,
            inputs.barrier_fault,
            inputs.platform_before,
            inputs.platform_behind,
        ];
        for ((_, point), level) in self.inputs.points.named().into_iter().zip(levels) {
            let Some(point) = point else { continue };
            let high = match level {
                Level::On => point.active == Active::High,
                Level::Off => point.active == Active::Low,
                Level::Unknown | Level::NotFitted => false,
            };
            if let (true, Some(word)) = (high, words.get_mut(usize::from(point.register))) {
                *word |= 1 << (point.bit & 15);
            }
        }
        if let Some(word) = words.get_mut(usize::from(self.inputs.life_register)) {
            *word = life;
        }
        words
    }
}

fn between(found: &mut Vec<String>, name: &str, value: u64, least: u64, most: u64) {
    if !(least..=most).contains(&value) {
        found.push(format!("{name}: {value} is not {least} to {most} milliseconds"));
    }
}

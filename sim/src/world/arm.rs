//! A barrier arm with its own controller: it moves only on a pulse, takes its time, and never comes down
//! on a vehicle.

/// Time from one end to the other, seconds.
pub const TRAVEL_S: f64 = 1.2;

/// Which way the arm moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Motion {
    Still,
    Up,
    Down,
}

/// What the arm did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ArmAct {
    /// A raise pulse came.
    RaisePulse,
    /// A lower pulse came.
    LowerPulse,
    /// The arm left its place upwards.
    StartedUp,
    /// The upper end.
    ReachedUp,
    /// The arm left its place downwards.
    StartedDown,
    /// The lower end.
    ReachedDown,
    /// A lower pulse was refused, or the fall was reversed: a vehicle is under the arm.
    Guarded,
}

/// The arm.
#[derive(Debug, Clone, Copy)]
pub struct Arm {
    /// 0: down, 1: up.
    pub angle: f64,
    motion: Motion,
}

impl Default for Arm {
    fn default() -> Self {
        Self { angle: 0.0, motion: Motion::Still }
    }
}

impl Arm {
    /// The upper limit switch.
    pub fn is_up(&self) -> bool {
        self.angle >= 1.0
    }
    /// The lower limit switch.
    pub fn is_down(&self) -> bool {
        self.angle <= 0.0
    }
    /// It is on its way down.
    pub fn falls(&self) -> bool {
        self.motion == Motion::Down
    }
    /// The rising edge of the raise coil.
    pub fn raise(&mut self, log: &mut Vec<ArmAct>) {
        log.push(ArmAct::RaisePulse);
        if !self.is_up() && self.motion != Motion::Up {
            self.motion = Motion::Up;
            log.push(ArmAct::StartedUp);
        }
    }
    /// The rising edge of the lower coil.
    pub fn lower(&mut self, occupied: bool, log: &mut Vec<ArmAct>) {
        log.push(ArmAct::LowerPulse);
        if occupied {
            log.push(ArmAct::Guarded);
        } else if !self.is_down() && self.motion != Motion::Down {
            self.motion = Motion::Down;
            log.push(ArmAct::StartedDown);
        }
    }
    /// Lets `dt` seconds pass; `occupied`: a vehicle is under the arm.
    pub fn step(&mut self, dt: f64, occupied: bool, log: &mut Vec<ArmAct>) {
        if self.motion == Motion::Down && occupied {
            self.motion = Motion::Up;
            log.push(ArmAct::Guarded);
        }
        match self.motion {
            Motion::Still => {}
            Motion::Up => {
                self.angle = (self.angle + dt / TRAVEL_S).min(1.0);
                if self.is_up() {
                    self.motion = Motion::Still;
                    log.push(ArmAct::ReachedUp);
                }
            }
            Motion::Down => {
                self.angle = (self.angle - dt / TRAVEL_S).max(0.0);
                if self.is_down() {
                    self.motion = Motion::Still;
                    log.push(ArmAct::ReachedDown);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_on_a_pulse_only_and_not_onto_a_vehicle() {
        let (mut arm, mut log) = (Arm::default(), Vec::new());
        arm.step(5.0, false, &mut log);
        assert!(arm.is_down() && log.is_empty());
        arm.raise(&mut log);
        arm.step(0.6, false, &mut log);
        assert!(!arm.is_up() && !arm.is_down());
        arm.step(0.7, false, &mut log);
        assert!(arm.is_up());
        arm.lower(true, &mut log);
        arm.step(2.0, true, &mut log);
        assert!(arm.is_up());
        arm.lower(false, &mut log);
        arm.step(0.3, false, &mut log);
        arm.step(0.3, true, &mut log);
        arm.step(2.0, true, &mut log);
        assert!(arm.is_up());
        arm.lower(false, &mut log);
        arm.step(2.0, false, &mut log);
        assert!(arm.is_down());
    }
}

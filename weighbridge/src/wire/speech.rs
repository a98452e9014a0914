//! The indicator's side of every format, for simulators: what lies on a platform as telegrams and answers.

use super::toledo::{self, Checksum};
use super::{Decimal, Unit, dini, rice_lake, sics, sma, systec, yaohua};
use crate::wire::lines::Lines;

/// What an indicator feels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Load {
    /// Gross, kilograms.
    pub kg: f64,
    /// It moves.
    pub motion: bool,
    /// Above capacity.
    pub over: bool,
    /// Below zero.
    pub under: bool,
    /// Zero was not captured since power-up.
    pub unzeroed: bool,
}

/// The formats that an indicator's side exists for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tongue {
    Toledo(Checksum),
    Sics,
    Sma,
    Dini,
    RiceLake,
    Yaohua,
    YaohuaReversed,
    YaohuaLine,
    Systec,
}

/// What a request changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// Nothing.
    Nothing,
    /// Zero was set.
    Zeroed,
}

/// How one indicator speaks.
#[derive(Debug)]
pub struct Speech {
    tongue: Tongue,
    interval_kg: f64,
    lines: Lines,
    /// Weighings in the alibi memory.
    kept: u32,
}

impl Speech {
    /// The indicator's side of a format's name; none for a name that has none.
    pub fn of_name(name: &str, interval_kg: f64) -> Option<Self> {
        let tongue = match name {
            "toledo" => Tongue::Toledo(Checksum::Present),
            "toledo-plain" => Tongue::Toledo(Checksum::Absent),
            "sics" => Tongue::Sics,
            "sma" => Tongue::Sma,
            "dini" => Tongue::Dini,
            "rice-lake" => Tongue::RiceLake,
            "yaohua" => Tongue::Yaohua,
            "yaohua-reversed" => Tongue::YaohuaReversed,
            "yaohua-line" => Tongue::YaohuaLine,
            "systec" => Tongue::Systec,
            _other => return None,
        };
        let lines = match tongue {
            Tongue::Sma => Lines::between(b'\n', b"\r"),
            Tongue::Systec => Lines::between(b'<', b">"),
            _crlf => Lines::new(),
        };
        Some(Self { tongue, interval_kg, lines, kept: 0 })
    }

    fn shown(&self, load: &Load) -> Decimal {
        let kg = (load.kg / self.interval_kg).round() * self.interval_kg;
        // Six digits are what every format can show.
        Decimal { digits: kg.clamp(-99_999.0, 999_999.0) as i64, places: 0 }
    }

    /// The telegram that it sends by itself; none where it waits to be asked.
    pub fn telegram(&self, load: &Load) -> Option<Vec<u8>> {
        let weight = self.shown(load);
        match self.tongue {
            Tongue::Toledo(checksum) => {
                let mut telegram = toledo::Telegram::gross_kg(load.kg, self.interval_kg)?;
                telegram.motion = load.motion;
                telegram.zero_not_captured = load.unzeroed;
                telegram.out_of_range = load.over || load.under;
                telegram.negative |= load.under;
                Some(telegram.encode(checksum))
            }
            Tongue::RiceLake => rice_lake::Telegram {
                negative: load.under || weight.digits < 0,
                weight: Some(Decimal { digits: weight.digits.abs(), ..weight }),
                unit: Unit::Kilogram,
                net: false,
                status: match load {
                    Load { over: true, .. } | Load { under: true, .. } => rice_lake::Status::OutOfRange,
                    Load { unzeroed: true, .. } => rice_lake::Status::Invalid,
                    Load { motion: true, .. } => rice_lake::Status::Motion,
                    Load { .. } => rice_lake::Status::Valid,
                },
            }
            .encode(),
            Tongue::Yaohua => yaohua::write_continuous(weight),
            Tongue::YaohuaReversed => yaohua::write_reversed(weight),
            Tongue::YaohuaLine => Some(yaohua::write_line((!load.over).then_some(weight))),
            Tongue::Sics | Tongue::Sma | Tongue::Dini | Tongue::Systec => None,
        }
    }

    /// Answers what a client sends, cut anywhere.
    pub fn hear(&mut self, bytes: &[u8], load: &Load) -> (Vec<u8>, Changed) {
        let (mut out, mut changed, mut rest) = (Vec::new(), Changed::Nothing, bytes);
        while let Some(line) = self.lines.take(&mut rest) {
            let Ok(line) = line else { continue };
            let (answer, did) = self.answer(&line, load);
            out.extend(answer);
            if did == Changed::Zeroed {
                changed = did;
            }
        }
        (out, changed)
    }

    fn answer(&mut self, line: &str, load: &Load) -> (Vec<u8>, Changed) {
        let nothing = |bytes: Vec<u8>| (bytes, Changed::Nothing);
        match self.tongue {
            Tongue::Sics => self.sics(line, load),
            Tongue::Sma => match sma::Request::decode(line) {
                Some(sma::Request::Zero) if load.motion => nothing(b"\n!\r".to_vec()),
                Some(sma::Request::Zero) => (self.sma(&Load::default()), Changed::Zeroed),
                Some(sma::Request::Weight | sma::Request::Repeat) => nothing(self.sma(load)),
                None => nothing(b"\n?\r".to_vec()),
            },
            Tongue::Dini => match dini::Request::decode(line) {
                Some(dini::Request::Read) => nothing(self.dini(load)),
                Some(dini::Request::Keep) => nothing(self.dini_kept(load)),
                Some(dini::Request::Zero) if load.motion => {
                    nothing(dini::Reply::Other("ERR02".into()).encode())
                }
                Some(dini::Request::Zero) => (dini::Reply::Done.encode(), Changed::Zeroed),
                None => nothing(dini::Reply::Other("ERR01".into()).encode()),
            },
            Tongue::Systec => match systec::Request::decode(line) {
                Some(systec::Request::Zero) if load.motion => nothing(systec::Reply::Error(13).encode()),
                Some(systec::Request::Zero) => (systec::Reply::Done.encode(), Changed::Zeroed),
                Some(request) => nothing(self.systec(request == systec::Request::Register, load)),
                None => nothing(systec::Reply::Error(32).encode()),
            },
            Tongue::Toledo(_) | Tongue::RiceLake => {
                let zero = line.trim() == "Z" || line.trim() == "KZERO";
                (Vec::new(), if zero && !load.motion { Changed::Zeroed } else { Changed::Nothing })
            }
            Tongue::Yaohua | Tongue::YaohuaReversed | Tongue::YaohuaLine => nothing(Vec::new()),
        }
    }

    fn sics(&self, line: &str, load: &Load) -> (Vec<u8>, Changed) {
        let (reply, changed) = match sics::Request::decode(line) {
            Some(sics::Request::Stable) if load.motion => (sics::Reply::NotNow, Changed::Nothing),
            Some(sics::Request::Stable | sics::Request::Immediate | sics::Request::Repeat) => {
                let reply = match load {
                    Load { over: true, .. } => sics::Reply::Over,
                    Load { under: true, .. } => sics::Reply::Under,
                    Load { .. } => sics::Reply::Weight {
                        stable: !load.motion,
                        value: self.shown(load),
                        unit: Unit::Kilogram,
                    },
                };
                (reply, Changed::Nothing)
            }
            Some(sics::Request::Zero) if load.motion => {
                (sics::Reply::Zeroed(sics::Zeroed::NotNow), Changed::Nothing)
            }
            Some(sics::Request::Zero | sics::Request::ZeroNow) => {
                (sics::Reply::Zeroed(sics::Zeroed::Done), Changed::Zeroed)
            }
            Some(sics::Request::Cancel) => return (Vec::new(), Changed::Nothing),
            None => (sics::Reply::Refused('S'), Changed::Nothing),
        };
        (reply.encode(), changed)
    }
    fn sma(&self, load: &Load) -> Vec<u8> {
        let status = match load {
            Load { unzeroed: true, .. } => sma::Status::InitialZeroError,
            Load { over: true, .. } => sma::Status::Over,
            Load { under: true, .. } => sma::Status::Under,
            Load { .. } => sma::Status::Normal,
        };
        let weight = (!load.unzeroed).then(|| self.shown(load));
        let (mode, motion, unit) = (sma::Mode::Gross, load.motion, Unit::Kilogram);
        sma::Response { status, range: 1, mode, high_resolution: false, motion, weight, unit }.encode()
    }
    fn dini_status(load: &Load) -> dini::Status {
        match load {
            Load { over: true, .. } => dini::Status::Over,
            Load { under: true, .. } => dini::Status::Under,
            Load { motion: true, .. } => dini::Status::Unstable,
            Load { .. } => dini::Status::Stable,
        }
    }
    fn dini(&self, load: &Load) -> Vec<u8> {
        let (status, weight) = (Self::dini_status(load), Some(self.shown(load)));
        dini::Reply::Weight { status, mode: dini::Mode::Gross, weight, unit: Unit::Kilogram }.encode()
    }
    fn dini_kept(&mut self, load: &Load) -> Vec<u8> {
        let (status, gross) = (Self::dini_status(load), self.shown(load));
        let keeps = status == dini::Status::Stable && gross.digits >= 0;
        self.kept += u32::from(keeps);
        let alibi = keeps.then(|| format!("00000-{:06}", self.kept));
        dini::Reply::Kept { status, gross, unit: Unit::Kilogram, alibi }.encode()
    }
    fn systec(&mut self, register: bool, load: &Load) -> Vec<u8> {
        let gross = self.shown(load);
        match load {
            Load { over: true, .. } => return systec::Reply::Error(12).encode(),
            Load { under: true, .. } => return systec::Reply::Error(20).encode(),
            Load { motion: true, .. } if register => return systec::Reply::Error(13).encode(),
            Load { .. } if register && gross.digits < 0 => return systec::Reply::Error(11).encode(),
            Load { .. } => self.kept += u32::from(register),
        }
        let ident = if register { self.kept.to_string() } else { "0".into() };
        let at = "01.01.26 12:00".to_owned();
        systec::Reply::Weight { motion: load.motion, at, ident, gross, unit: Unit::Kilogram }.encode()
    }
}

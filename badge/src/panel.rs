//! The panel's side of a conversation with one reader (clauses 5.7 and annex D), pure: it makes the next command
//! and takes its answer.

use crate::Key;
use osdp::command::CommandCode;
use osdp::packet::{Address, ControlByte, CtrlFlags, PacketBuilder, ParsedPacket, Scb, ScsType, Sqn};
use osdp::reply::{Reply, ReplyCode};
use osdp::secure::{Challenged, Cryptogrammed, Direction, Disconnected, Secure, Session, seal, unseal};
use serde::Serialize;

/// Longest badge, bits.
const MOST_BITS: u16 = 512;

/// A badge that was presented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Badge {
    /// Its number as the reader gave it: the bits, first one first, lower-case hex, filled with zeros behind.
    pub number: String,
    /// How many of the bits count (26, 34, 37, ...).
    pub bits: u16,
    /// Whether the line is secured with a key of the reader's own.
    pub secured: bool,
}

/// What a reader is told besides being asked for news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Sounds once, 200 ms.
    Beep,
}

/// What an answer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Nothing new.
    Nothing,
    /// Who the reader is.
    Reader {
        /// Maker's number, model and version, serial number, firmware.
        identity: String,
    },
    /// The conversation is set up: from now on badges may come.
    Ready,
    /// A badge.
    Badge(Badge),
    /// The reader is opened or its power fails (clause 7.6), or all is well again (`None`).
    Local(Option<&'static str>),
    /// Ask the same once more.
    Busy,
}

/// An answer that ends the conversation; begin a new one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongAnswer {
    /// Not to be read.
    #[error("not to be read: {0:?}")]
    Form(osdp::Error),
    /// Another address or number than was asked.
    #[error("an answer to another question")]
    Other,
    /// The reader refuses.
    #[error("the reader refuses: {0}")]
    Refused(String),
    /// The key is not the reader's.
    #[error("the reader has another key: check the key file, or install the key anew")]
    Key,
    /// An answer in the clear, or a forged one, where the line is secured.
    #[error("an answer that is not secured, or was changed on its way")]
    NotSecured,
}

impl From<osdp::Error> for WrongAnswer {
    fn from(error: osdp::Error) -> Self {
        WrongAnswer::Form(error)
    }
}

enum Stage {
    Identify,
    Ask,
    Challenge,
    Prove(Box<Session<Cryptogrammed>>),
    Plain,
    Secured(Box<Session<Secure>>),
    /// After a wrong answer.
    Over,
}

/// The panel's side.
pub struct Panel {
    address: u8,
    key: Key,
    challenge: [u8; 8],
    sqn: Sqn,
    stage: Stage,
    waiting: Option<Box<Session<Challenged>>>,
    well: bool,
}

impl Panel {
    /// A new conversation. `challenge`: eight bytes that nobody can foretell. Errors: an address above 126.
    pub fn new(address: u8, key: Key, challenge: [u8; 8]) -> Result<Self, WrongAnswer> {
        Address::pd(address).map_err(WrongAnswer::Form)?;
        let (sqn, stage) = (Sqn::ZERO, Stage::Identify);
        Ok(Self { address, key, challenge, sqn, stage, waiting: None, well: true })
    }

    /// The next command. Send the same bytes again where no answer comes.
    pub fn ask(&mut self, order: Option<Order>) -> Result<Vec<u8>, WrongAnswer> {
        let address = Address::pd(self.address)?;
        let (code, data) = match order {
            // Reader 0, tone 2 (default), 200 ms, once.
            Some(Order::Beep) => (CommandCode::Buz, vec![0, 2, 2, 0, 1]),
            None => (CommandCode::Poll, Vec::new()),
        };
        match &mut self.stage {
            Stage::Identify => Ok(self.plain(address, CommandCode::Id, vec![0])?),
            Stage::Ask => Ok(self.plain(address, CommandCode::Cap, vec![0])?),
            Stage::Challenge => {
                let Some(key) = self.key.bytes() else { return Err(WrongAnswer::Key) };
                self.waiting = Some(Box::new(Session::<Disconnected>::new(key).challenge(self.challenge)));
                let data = self.challenge.to_vec();
                Ok(self.setting_up(address, ScsType::Scs11, CommandCode::Chlng, data)?)
            }
            Stage::Prove(session) => {
                let data = session.server_cryptogram().to_vec();
                Ok(self.setting_up(address, ScsType::Scs13, CommandCode::SCrypt, data)?)
            }
            Stage::Plain => Ok(self.plain(address, code, data)?),
            Stage::Secured(session) => {
                let hide = !data.is_empty();
                let way = Direction::AcuToPd;
                Ok(seal(session, address, self.sqn, way, hide, code.as_byte(), &data)?)
            }
            Stage::Over => Err(WrongAnswer::Other),
        }
    }

    /// Takes the answer to the last command. After an error the conversation is over.
    pub fn answer(&mut self, frame: &[u8]) -> Result<Told, WrongAnswer> {
        let told = self.take(frame);
        if told.is_err() {
            self.stage = Stage::Over;
        }
        told
    }

    fn take(&mut self, frame: &[u8]) -> Result<Told, WrongAnswer> {
        let (packet, _) = ParsedPacket::parse(frame)?;
        if !packet.addr.is_reply() || packet.addr.pd_addr() != self.address {
            return Err(WrongAnswer::Other);
        }
        if packet.code == ReplyCode::Busy.as_byte() && packet.scb.is_none() {
            return Ok(Told::Busy);
        }
        if packet.ctrl.sqn != self.sqn {
            return Err(WrongAnswer::Other);
        }
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let secured = matches!(stage, Stage::Secured(_)) && self.key.kind() == 1;
        let (stage, told) = match stage {
            Stage::Identify => (Stage::Ask, identity(reply(&packet, packet.data)?)?),
            Stage::Ask => {
                reply(&packet, packet.data)?;
                match self.key {
                    Key::None => (Stage::Plain, Told::Ready),
                    Key::Install | Key::Own(_) => (Stage::Challenge, Told::Nothing),
                }
            }
            Stage::Challenge => {
                let Reply::CCrypt(theirs) = reply(&packet, packet.data)? else {
                    return Err(WrongAnswer::Key);
                };
                let waiting = self.waiting.take().ok_or(WrongAnswer::Other)?;
                let session = waiting.receive_ccrypt(&theirs).map_err(|_| WrongAnswer::Key)?;
                (Stage::Prove(Box::new(session)), Told::Nothing)
            }
            Stage::Prove(session) => {
                let Reply::RMacI(theirs) = reply(&packet, packet.data)? else { return Err(WrongAnswer::Key) };
                let session = session.confirm_rmac_i(&theirs.r_mac_i).map_err(|_| WrongAnswer::Key)?;
                (Stage::Secured(Box::new(session)), Told::Ready)
            }
            Stage::Plain => {
                let said = reply(&packet, packet.data)?;
                (Stage::Plain, self.news(said, secured))
            }
            Stage::Secured(mut session) => {
                if packet.scb.is_none_or(|scb| !scb.ty.has_mac()) {
                    return Err(WrongAnswer::NotSecured);
                }
                let data = unseal(&mut session, &packet, frame).map_err(|_| WrongAnswer::NotSecured)?;
                let said = reply(&packet, &data)?;
                (Stage::Secured(session), self.news(said, secured))
            }
            Stage::Over => return Err(WrongAnswer::Other),
        };
        self.stage = stage;
        self.sqn = self.sqn.next();
        Ok(told)
    }

    fn news(&mut self, said: Reply, secured: bool) -> Told {
        match said {
            Reply::Raw(raw) if (1..=MOST_BITS).contains(&raw.bit_count) => {
                Told::Badge(Badge { number: hex::encode(&raw.bits), bits: raw.bit_count, secured })
            }
            Reply::LStatR(local) => {
                let was = std::mem::replace(&mut self.well, local.tamper == 0 && local.power == 0);
                match (local.tamper, local.power) {
                    (0, 0) if was => Told::Nothing,
                    (0, 0) => Told::Local(None),
                    (0, _) => Told::Local(Some("its power fails: check the supply")),
                    (_, _) => Told::Local(Some("it was opened or taken from its wall: send somebody")),
                }
            }
            // Keys of a keypad are a secret of whoever types them, and nothing here asks for one.
            _other => Told::Nothing,
        }
    }

    fn plain(&self, address: Address, code: CommandCode, data: Vec<u8>) -> Result<Vec<u8>, osdp::Error> {
        let control = ControlByte::new(self.sqn, CtrlFlags::USE_CRC);
        PacketBuilder::plain(address, control, code.as_byte(), data).encode()
    }

    fn setting_up(
        &self,
        addr: Address,
        kind: ScsType,
        code: CommandCode,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, osdp::Error> {
        let ctrl = ControlByte::new(self.sqn, CtrlFlags::USE_CRC | CtrlFlags::HAS_SCB);
        let scb = Some(Scb::new(kind, [self.key.kind()]));
        PacketBuilder { addr, ctrl, scb, code: code.as_byte(), data }.encode()
    }
}

/// The typed answer; a refusal is an error.
fn reply(packet: &ParsedPacket<'_>, data: &[u8]) -> Result<Reply, WrongAnswer> {
    let code = ReplyCode::from_byte(packet.code)?;
    if code == ReplyCode::Nak {
        let why = match Reply::decode(code, data) {
            Ok(Reply::Nak(nak)) => format!("{:?}", nak.error),
            Ok(_) | Err(_) => "no reason given".to_owned(),
        };
        return Err(WrongAnswer::Refused(why));
    }
    Ok(Reply::decode(code, data)?)
}

fn identity(said: Reply) -> Result<Told, WrongAnswer> {
    let Reply::PdId(id) = said else { return Err(WrongAnswer::Other) };
    let [a, b, c] = id.firmware;
    let maker = hex::encode(id.vendor_oui);
    let identity = format!(
        "maker {maker}, model {} v{}, serial {}, firmware {a}.{b}.{c}",
        id.model, id.version, id.serial
    );
    Ok(Told::Reader { identity })
}

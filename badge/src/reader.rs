//! The reader's side of a conversation, pure: commands in, answers out, badges on request.

use crate::{Framer, Key};
use osdp::caps::Capability;
use osdp::command::CommandCode;
use osdp::packet::{Address, ControlByte, CtrlFlags, PacketBuilder, ParsedPacket, Scb, ScsType, Sqn};
use osdp::reply::{Ack, CCrypt, LStatR, Nak, NakErrorCode, PdCap, PdId, Raw, Reply};
use osdp::secure::crypto::{SessionKeys, client_cryptogram};
use osdp::secure::{Cryptogrammed, Direction, Disconnected, Secure, Session, seal, unseal};
use std::collections::VecDeque;

/// Badges that may wait to be fetched.
const WAITING: usize = 8;

enum Channel {
    Plain,
    Proving(Box<Session<Cryptogrammed>>),
    Secured(Box<Session<Secure>>),
}

/// A reader of one address.
pub struct ReaderFace {
    address: u8,
    key: Key,
    random: [u8; 8],
    framer: Framer,
    channel: Channel,
    waiting: VecDeque<Reply>,
    last: Option<(u8, Vec<u8>)>,
    beeps: u32,
}

impl ReaderFace {
    /// A reader that answers at this address. With a key it answers nothing but its setting up in the clear.
    pub fn new(address: u8, key: Key, random: [u8; 8]) -> Self {
        Self {
            address,
            key,
            random,
            framer: Framer::new(),
            channel: Channel::Plain,
            waiting: VecDeque::new(),
            last: None,
            beeps: 0,
        }
    }
    /// A badge is presented: its bits, first one first. False where too many wait already or the bits do not fit.
    pub fn present(&mut self, bits: &[u8], count: u16) -> bool {
        let fits = usize::from(count).div_ceil(8) == bits.len();
        let room = self.waiting.len() < WAITING;
        if fits && room {
            let raw = Raw { reader: 0, format_code: 0, bit_count: count, bits: bits.to_vec() };
            self.waiting.push_back(Reply::Raw(raw));
        }
        fits && room
    }
    /// Its housing is opened or closed.
    pub fn tamper(&mut self, open: bool) {
        if self.waiting.len() < WAITING {
            self.waiting.push_back(Reply::LStatR(LStatR { tamper: u8::from(open), power: 0 }));
        }
    }
    /// How often it sounded.
    pub fn beeps(&self) -> u32 {
        self.beeps
    }
    /// Whether the line is secured now.
    pub fn is_secured(&self) -> bool {
        matches!(self.channel, Channel::Secured(_))
    }
    /// Takes bytes of the panel, gives the answers.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Vec<u8>> {
        self.framer.push(bytes).iter().filter_map(|frame| self.heard(frame)).collect()
    }

    fn heard(&mut self, frame: &[u8]) -> Option<Vec<u8>> {
        let (packet, _) = ParsedPacket::parse(frame).ok()?;
        if packet.addr.is_reply() || packet.addr.pd_addr() != self.address {
            return None;
        }
        let sqn = packet.ctrl.sqn.value();
        match &self.last {
            // The panel has not heard the answer.
            Some((last, answer)) if sqn != 0 && *last == sqn => return Some(answer.clone()),
            Some(_) | None => {}
        }
        if sqn == 0 {
            self.channel = Channel::Plain;
        }
        let answer = self.answer(&packet, frame).ok()?;
        self.last = Some((sqn, answer.clone()));
        Some(answer)
    }

    fn answer(&mut self, packet: &ParsedPacket<'_>, frame: &[u8]) -> Result<Vec<u8>, osdp::Error> {
        let sqn = packet.ctrl.sqn;
        let code = CommandCode::from_byte(packet.code).ok();
        let address = Address::reply(self.address)?;
        match std::mem::replace(&mut self.channel, Channel::Plain) {
            Channel::Secured(mut session) if packet.scb.is_some_and(|s| s.ty.has_mac()) => {
                if unseal(&mut session, packet, frame).is_err() {
                    return self.clear(sqn, &nak(NakErrorCode::EncryptedCommunicationRequired));
                }
                let said = self.obey(code);
                let data = said.encode_data()?;
                let way = Direction::PdToAcu;
                let code = said.code().as_byte();
                let sealed = seal(&mut session, address, sqn, way, !data.is_empty(), code, &data);
                self.channel = Channel::Secured(session);
                sealed
            }
            Channel::Proving(session) if code == Some(CommandCode::SCrypt) => {
                if packet.data != session.server_cryptogram() {
                    return self.clear(sqn, &nak(NakErrorCode::EncryptedCommunicationRequired));
                }
                let rmac = session.initial_rmac();
                let Ok(session) = session.confirm_rmac_i(&rmac) else {
                    return self.clear(sqn, &nak(NakErrorCode::EncryptedCommunicationRequired));
                };
                self.channel = Channel::Secured(Box::new(session));
                self.setting_up(sqn, ScsType::Scs14, 1, 0x78, rmac.to_vec())
            }
            Channel::Plain | Channel::Proving(_) | Channel::Secured(_) => match (code, self.key.bytes()) {
                (Some(CommandCode::Chlng), Some(key)) => self.challenged(packet, key),
                (Some(CommandCode::Id | CommandCode::Cap), _) | (Some(_), None) => {
                    let said = self.obey(code);
                    self.clear(sqn, &said)
                }
                (Some(_), Some(_)) => self.clear(sqn, &nak(NakErrorCode::EncryptedCommunicationRequired)),
                (None, _) => self.clear(sqn, &nak(NakErrorCode::UnknownCommandCode)),
            },
        }
    }

    fn challenged(&mut self, packet: &ParsedPacket<'_>, key: [u8; 16]) -> Result<Vec<u8>, osdp::Error> {
        let sqn = packet.ctrl.sqn;
        let told = packet.scb.and_then(|scb| scb.data.first().copied());
        let Ok(rnd_a) = <[u8; 8]>::try_from(packet.data) else {
            return self.clear(sqn, &nak(NakErrorCode::CommandLengthError));
        };
        if told != Some(self.key.kind()) {
            return self.clear(sqn, &nak(NakErrorCode::EncryptedCommunicationRequired));
        }
        // Another number for each session.
        self.random =
            std::array::from_fn(|i| self.random[i].wrapping_mul(29).wrapping_add(rnd_a[i]).wrapping_add(1));
        let keys = SessionKeys::derive(&key, &rnd_a);
        let ccrypt = CCrypt {
            cuid: [self.address, 0, 0, 0, 0, 0, 0, 1],
            rnd_b: self.random,
            client_cryptogram: client_cryptogram(&keys.s_enc, &rnd_a, &self.random),
        };
        let session = Session::<Disconnected>::new(key).challenge(rnd_a).receive_ccrypt(&ccrypt);
        if let Ok(session) = session {
            self.channel = Channel::Proving(Box::new(session));
        }
        let kind = self.key.kind();
        self.setting_up(sqn, ScsType::Scs12, kind, 0x76, ccrypt.encode()?)
    }

    fn obey(&mut self, code: Option<CommandCode>) -> Reply {
        match code {
            Some(CommandCode::Id) => Reply::PdId(PdId {
                vendor_oui: [0, 0, 0],
                model: 1,
                version: 1,
                serial: 1,
                firmware: [0, 1, 0],
            }),
            Some(CommandCode::Cap) => Reply::PdCap(PdCap::new(vec![
                // Card data as bits; CRC; AES-128.
                Capability { code: 3, compliance: 1, number_of: 0 },
                Capability { code: 8, compliance: 1, number_of: 0 },
                Capability { code: 9, compliance: u8::from(self.key != Key::None), number_of: 1 },
            ])),
            Some(CommandCode::Poll) => self.waiting.pop_front().unwrap_or(Reply::Ack(Ack)),
            Some(CommandCode::Buz) => {
                self.beeps += 1;
                Reply::Ack(Ack)
            }
            Some(_) | None => nak(NakErrorCode::UnknownCommandCode),
        }
    }

    fn clear(&self, sqn: Sqn, said: &Reply) -> Result<Vec<u8>, osdp::Error> {
        let control = ControlByte::new(sqn, CtrlFlags::USE_CRC);
        let address = Address::reply(self.address)?;
        PacketBuilder::plain(address, control, said.code().as_byte(), said.encode_data()?).encode()
    }

    fn setting_up(
        &self,
        sqn: Sqn,
        kind: ScsType,
        status: u8,
        code: u8,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, osdp::Error> {
        let ctrl = ControlByte::new(sqn, CtrlFlags::USE_CRC | CtrlFlags::HAS_SCB);
        let scb = Some(Scb::new(kind, [status]));
        PacketBuilder { addr: Address::reply(self.address)?, ctrl, scb, code, data }.encode()
    }
}

fn nak(error: NakErrorCode) -> Reply {
    Reply::Nak(Nak::simple(error))
}

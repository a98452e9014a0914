//! What a tag says beyond its bits: an EPC scheme, a freight container's own code, an electronic seal.
//!
//! Container tags follow ISO 17363: the protocol control word has the numbering system toggle set and the
//! application family A9h (AAh for dangerous goods), and the code stands in characters of six bits behind
//! the data identifier `7B` (ISO 6346 code of a container). Active e-seals (ISO 18185) need a reader of
//! their own; a passive one that answers with another EPC once it is broken is told by a site's
//! [`SealRule`].

use crate::epc::{Epc, role_of};
use crate::wire::{EpcBits, TagReport};
use gate_types::iso6346::ContainerCode;
use gate_types::observation::TagRole;

/// The toggle of the protocol control word: the low byte is an application family identifier.
const ISO_TOGGLE: u16 = 0x0100;
/// Application families of ISO 17363.
const CONTAINER: u8 = 0xa9;
const CONTAINER_DANGEROUS: u8 = 0xaa;
/// End of the six-bit text.
const END: u8 = 0x21;

/// What a tag is, as far as it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tag {
    /// An EPC of a known scheme.
    Epc(Epc),
    /// A freight container's tag.
    Container(ContainerTag),
    /// An electronic seal.
    Seal(SealTag),
    /// Bits of no known scheme.
    Opaque,
}

/// A container tag of ISO 17363.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerTag {
    /// The container's code; its check digit holds.
    pub code: ContainerCode,
    /// The family is that of dangerous goods.
    pub dangerous: bool,
}

/// A seal's state, as its tag tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealState {
    /// Whole.
    Closed,
    /// Opened or broken.
    Open,
    /// The tag does not tell.
    Untold,
}

/// An electronic seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealTag {
    /// Its number: the EPC in lower-case hex, the bit of its state cleared.
    pub number: String,
    /// Its state.
    pub state: SealState,
}

/// How a site's seals are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealRule {
    prefix: Vec<u8>,
    open_bit: Option<u16>,
}

impl SealRule {
    /// Parses `PREFIX` or `PREFIX:BIT`: hex digits of whole bytes that every seal's EPC begins with, and the
    /// bit, counted from 0 at the front, that is set once the seal is open.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (prefix, bit) = text.split_once(':').map_or((text, None), |(prefix, bit)| (prefix, Some(bit)));
        let told = || format!("`{text}`: hex digits of whole bytes, and :BIT where a bit tells an open seal");
        let even = !prefix.is_empty() && prefix.len() % 2 == 0 && prefix.len() <= 124 && prefix.is_ascii();
        if !even {
            return Err(told());
        }
        let byte = |at: usize| prefix.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        let prefix: Vec<u8> =
            (0..prefix.len()).step_by(2).map(byte).collect::<Option<_>>().ok_or_else(told)?;
        let first = prefix.len() * 8;
        let open_bit = match bit.map(str::parse::<u16>) {
            None => None,
            Some(Ok(bit)) if usize::from(bit) >= first && bit < 496 => Some(bit),
            Some(_) => return Err(format!("`{text}`: the bit lies behind the prefix, {first} to 495")),
        };
        Ok(Self { prefix, open_bit })
    }
    fn read(&self, epc: &EpcBits) -> Option<SealTag> {
        let mut bytes = epc.bytes().to_vec();
        if !bytes.starts_with(&self.prefix) {
            return None;
        }
        let state = match self.open_bit {
            None => SealState::Untold,
            Some(bit) => match bytes.get_mut(usize::from(bit / 8)) {
                Some(byte) => {
                    let mask = 0x80 >> (bit % 8);
                    let open = *byte & mask != 0;
                    *byte &= !mask;
                    if open { SealState::Open } else { SealState::Closed }
                }
                None => SealState::Untold,
            },
        };
        Some(SealTag { number: bytes.iter().map(|b| format!("{b:02x}")).collect(), state })
    }
}

impl Tag {
    /// Reads a report. A site's seals come first, for their EPCs may be of any scheme.
    pub fn read(report: &TagReport, seals: &[SealRule]) -> Self {
        if let Some(seal) = seals.iter().find_map(|rule| rule.read(&report.epc)) {
            return Self::Seal(seal);
        }
        match report.pc {
            // With the toggle set the bits are no EPC, whatever their header looks like.
            Some(pc) if pc & ISO_TOGGLE != 0 => {
                container(pc.to_be_bytes()[1], report.epc.bytes()).map_or(Self::Opaque, Self::Container)
            }
            Some(_) | None => Epc::decode(report.epc.bytes()).map_or(Self::Opaque, Self::Epc),
        }
    }
    /// What it is fixed to, by the convention of [`role_of`].
    pub fn role(&self) -> TagRole {
        match self {
            Self::Epc(epc) => role_of(Some(epc)),
            Self::Container(_) => TagRole::Container,
            Self::Seal(_) => TagRole::Seal,
            Self::Opaque => TagRole::Unknown,
        }
    }
    /// Its decoded form: the tag URI of an EPC, the BIC URI of a container
    /// (`urn:epc:id:bic:CSQU3054383`), a seal's number and state (`urn:varco:seal:NUMBER:open`).
    pub fn uri(&self) -> Option<String> {
        match self {
            Self::Epc(epc) => Some(epc.uri()),
            Self::Container(tag) => Some(format!("urn:epc:id:bic:{}", tag.code.as_str())),
            Self::Seal(seal) => Some(match seal.state {
                SealState::Closed => format!("urn:varco:seal:{}:closed", seal.number),
                SealState::Open => format!("urn:varco:seal:{}:open", seal.number),
                SealState::Untold => format!("urn:varco:seal:{}", seal.number),
            }),
            Self::Opaque => None,
        }
    }
}

fn container(family: u8, bytes: &[u8]) -> Option<ContainerTag> {
    let dangerous = match family {
        CONTAINER => false,
        CONTAINER_DANGEROUS => true,
        _other => return None,
    };
    let text = six_bit_text(bytes)?;
    let code = ContainerCode::parse(text.strip_prefix("7B")?).ok()?;
    Some(ContainerTag { code, dangerous })
}

/// Six bits a character, the low ones of ASCII, to the end mark or to where fewer than six remain.
fn six_bit_text(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    for at in (0..(bytes.len() * 8).saturating_sub(5)).step_by(6) {
        let bit = |n: usize| bytes.get(n / 8).map_or(0, |byte| (byte >> (7 - n % 8)) & 1);
        match (0..6).fold(0u8, |all, n| all << 1 | bit(at + n)) {
            END => break,
            letter @ 1..=26 => text.push(char::from(b'A' + letter - 1)),
            digit @ 0x30..=0x39 => text.push(char::from(digit)),
            _other => return None,
        }
    }
    Some(text)
}

/// The bits of a container's tag and its protocol control word, for a simulator.
pub fn container_tag(code: &ContainerCode, dangerous: bool) -> Option<(EpcBits, u16)> {
    let text = format!("7B{}", code.as_str());
    let values = text.bytes().map(|b| b & 0x3f).chain(std::iter::once(END));
    let bits: Vec<u8> = values.flat_map(|v| (0..6).rev().map(move |n| (v >> n) & 1)).collect();
    let words = bits.len().div_ceil(16);
    let mut bytes = vec![0u8; words * 2];
    for (at, bit) in bits.iter().enumerate() {
        if let Some(byte) = bytes.get_mut(at / 8) {
            *byte |= bit << (7 - at % 8);
        }
    }
    let family = if dangerous { CONTAINER_DANGEROUS } else { CONTAINER };
    let pc = u16::try_from(words).ok()? << 11 | ISO_TOGGLE | u16::from(family);
    Some((EpcBits::of_bytes(&bytes).ok()?, pc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn report(epc: &[u8], pc: Option<u16>) -> TagReport {
        let mut report = TagReport::of(EpcBits::of_bytes(epc).unwrap());
        report.pc = pc;
        report
    }

    /// `7BCSQU3054383` and the end mark, six bits a character, worked out apart from this code.
    const GOLDEN: [u8; 12] = [0xdc, 0x20, 0xd3, 0x45, 0x5c, 0xf0, 0xd7, 0x4c, 0xf8, 0xce, 0x10, 0x00];

    #[test]
    fn a_container_says_its_own_code() {
        let tag = Tag::read(&report(&GOLDEN, Some(0x31a9)), &[]);
        let Tag::Container(container) = &tag else { panic!("{tag:?}") };
        assert_eq!((container.code.as_str(), container.dangerous), ("CSQU3054383", false));
        assert_eq!(
            (tag.role(), tag.uri().as_deref()),
            (TagRole::Container, Some("urn:epc:id:bic:CSQU3054383"))
        );
        let code = ContainerCode::parse("CSQU3054383").unwrap();
        assert_eq!(container_tag(&code, false), Some((EpcBits::of_bytes(&GOLDEN).unwrap(), 0x31a9)));
        assert_eq!(Tag::read(&report(&GOLDEN, Some(0x31aa)), &[]).role(), TagRole::Container);
        for (pc, why) in
            [(None, "no control word"), (Some(0x3000), "an EPC"), (Some(0x31a1), "another family")]
        {
            assert_eq!(Tag::read(&report(&GOLDEN, pc), &[]), Tag::Opaque, "{why}");
        }
        let mut wrong = GOLDEN;
        wrong[9] ^= 0x40;
        assert_eq!(
            Tag::read(&report(&wrong, Some(0x31a9)), &[]),
            Tag::Opaque,
            "the check digit does not hold"
        );
        // An EPC's header in a tag of the other numbering system is a coincidence.
        let giai = [0x34, 0x76, 0x45, 0x1f, 0xd4, 0, 0, 0, 0, 0, 0x16, 0x2e];
        assert_eq!(Tag::read(&report(&giai, Some(0x31a1)), &[]), Tag::Opaque);
    }

    #[test]
    fn a_seal_tells_that_it_was_opened() {
        let rule = [SealRule::parse("e5ea:95").unwrap()];
        let closed = [0xe5, 0xea, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34];
        let mut open = closed;
        open[11] |= 1;
        let tag = Tag::read(&report(&closed, None), &rule);
        assert_eq!(
            (tag.role(), tag.uri().as_deref()),
            (TagRole::Seal, Some("urn:varco:seal:e5ea00000000000000001234:closed"))
        );
        let Tag::Seal(seal) = Tag::read(&report(&open, None), &rule) else { panic!() };
        assert_eq!((seal.number.as_str(), seal.state), ("e5ea00000000000000001234", SealState::Open));
        assert_eq!(Tag::read(&report(&closed, None), &[]), Tag::Opaque);
        for bad in ["", "e5e", "zz", "e5ea:3", "e5ea:496", "e5ea:x", "é5"] {
            assert!(SealRule::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_tag_is_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 1..62), pc in any::<Option<u16>>()) {
            let rule = [SealRule::parse("34:100").unwrap()];
            let tag = Tag::read(&report(&bytes, pc), &rule);
            let _ = (tag.role(), tag.uri());
        }
    }
}

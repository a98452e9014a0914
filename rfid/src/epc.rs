//! EPCs of 96 bits as written by the GS1 EPC Tag Data Standard 1.13, clauses 10 and 14: SGTIN, SSCC,
//! GRAI and GIAI, both directions.
//!
//! What a tag is fixed to is not in its EPC. Until tags are bound to vehicles and units by
//! registration, [`role_of`] follows this house's convention: an individual asset (GIAI-96) is a
//! vehicle, a returnable asset (GRAI-96) is a container, everything else is unknown.

use gate_types::observation::TagRole;

/// The schemes read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Trade item with serial (header 0x30).
    Sgtin96,
    /// Logistic unit (header 0x31).
    Sscc96,
    /// Returnable asset (header 0x33).
    Grai96,
    /// Individual asset (header 0x34).
    Giai96,
}

/// A decoded EPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epc {
    /// Scheme.
    pub scheme: Scheme,
    /// Filter value, 0..=7.
    pub filter: u8,
    /// Digits of the company prefix, 6..=12.
    pub company_digits: u8,
    /// GS1 company prefix.
    pub company: u64,
    /// Item reference, serial reference, asset type, or the whole individual asset reference.
    pub reference: u64,
    /// Serial number, 38 bits; 0 for SSCC and GIAI, which have none.
    pub serial: u64,
}

/// Bits of the company prefix by partition value 0..=6; its digits are 12 less the partition.
const COMPANY_BITS: [u32; 7] = [40, 37, 34, 30, 27, 24, 20];

impl Scheme {
    fn of_header(header: u8) -> Option<Self> {
        match header {
            0x30 => Some(Self::Sgtin96),
            0x31 => Some(Self::Sscc96),
            0x33 => Some(Self::Grai96),
            0x34 => Some(Self::Giai96),
            _other => None,
        }
    }
    fn header(self) -> u8 {
        match self {
            Self::Sgtin96 => 0x30,
            Self::Sscc96 => 0x31,
            Self::Grai96 => 0x33,
            Self::Giai96 => 0x34,
        }
    }
    /// Bits of company prefix and reference together.
    fn pair_bits(self) -> u32 {
        match self {
            Self::Sgtin96 | Self::Grai96 => 44,
            Self::Sscc96 => 58,
            Self::Giai96 => 82,
        }
    }
    /// Decimal digits of company prefix and reference together; 25 stands for "fills the bits".
    fn pair_digits(self) -> u32 {
        match self {
            Self::Sgtin96 => 13,
            Self::Sscc96 => 17,
            Self::Grai96 => 12,
            Self::Giai96 => 25,
        }
    }
}

fn field(bits: u128, from_top: u32, width: u32) -> u64 {
    let shifted = bits >> (96 - from_top - width);
    u64::try_from(shifted & ((1u128 << width) - 1)).unwrap_or(u64::MAX)
}

impl Epc {
    /// Reads 12 bytes; none for other lengths, other schemes, and values that the standard forbids.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 12] = bytes.try_into().ok()?;
        let bits = bytes.iter().fold(0u128, |all, b| all << 8 | u128::from(*b));
        let scheme = Scheme::of_header(bytes[0])?;
        let filter = u8::try_from(field(bits, 8, 3)).ok()?;
        let partition = u8::try_from(field(bits, 11, 3)).ok()?;
        let company_bits = *COMPANY_BITS.get(usize::from(partition))?;
        let reference_bits = scheme.pair_bits() - company_bits;
        let epc = Self {
            scheme,
            filter,
            company_digits: 12 - partition,
            company: field(bits, 14, company_bits),
            reference: field(bits, 14 + company_bits, reference_bits),
            serial: match scheme {
                Scheme::Sgtin96 | Scheme::Grai96 => field(bits, 58, 38),
                Scheme::Sscc96 | Scheme::Giai96 => 0,
            },
        };
        // An SSCC's last 24 bits are reserved and zero.
        let reserved = scheme == Scheme::Sscc96 && field(bits, 72, 24) != 0;
        (epc.fits() && !reserved).then_some(epc)
    }

    /// Writes 12 bytes; none where a number has too many digits.
    pub fn encode(&self) -> Option<[u8; 12]> {
        if !self.fits() {
            return None;
        }
        let partition = 12 - u32::from(self.company_digits);
        let company_bits = *COMPANY_BITS.get(usize::try_from(partition).ok()?)?;
        let mut bits = u128::from(self.scheme.header()) << 88;
        bits |= u128::from(self.filter) << 85 | u128::from(partition) << 82;
        bits |= u128::from(self.company) << (82 - company_bits);
        bits |= u128::from(self.reference) << (82 - self.scheme.pair_bits()) | u128::from(self.serial);
        let mut out = [0; 12];
        out.copy_from_slice(bits.to_be_bytes().get(4..)?);
        Some(out)
    }

    fn fits(&self) -> bool {
        let digits = u32::from(self.company_digits);
        if !(6..=12).contains(&digits) || self.filter > 7 || self.serial >= 1 << 38 {
            return false;
        }
        let company_bits = COMPANY_BITS[usize::from(12 - self.company_digits)];
        let reference_bits = self.scheme.pair_bits() - company_bits;
        let reference_digits = self.scheme.pair_digits() - digits;
        self.company < 10u64.pow(digits)
            && u128::from(self.reference) < 10u128.pow(reference_digits)
            && u128::from(self.reference) < 1u128 << reference_bits
    }

    /// The tag URI of clause 12 of the standard: `urn:epc:tag:sgtin-96:3.0614141.812345.6789`.
    pub fn uri(&self) -> String {
        let Self { filter, company, reference, serial, .. } = self;
        let digits = usize::from(self.company_digits);
        let rest = usize::try_from(self.scheme.pair_digits()).unwrap_or(0).saturating_sub(digits);
        let head = format!("{filter}.{company:0digits$}");
        let padded = if rest == 0 { String::new() } else { format!("{reference:0rest$}") };
        match self.scheme {
            Scheme::Sgtin96 => format!("urn:epc:tag:sgtin-96:{head}.{padded}.{serial}"),
            Scheme::Sscc96 => format!("urn:epc:tag:sscc-96:{head}.{padded}"),
            Scheme::Grai96 => format!("urn:epc:tag:grai-96:{head}.{padded}.{serial}"),
            Scheme::Giai96 => format!("urn:epc:tag:giai-96:{head}.{reference}"),
        }
    }
}

/// What a tag of this EPC is fixed to, by the convention above.
pub fn role_of(epc: Option<&Epc>) -> TagRole {
    match epc.map(|e| e.scheme) {
        Some(Scheme::Giai96) => TagRole::Vehicle,
        Some(Scheme::Grai96) => TagRole::Container,
        Some(Scheme::Sgtin96 | Scheme::Sscc96) | None => TagRole::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()
    }

    /// The first pair comes from an independent decoder, the others are the standard's own examples
    /// (Tag Data Standard, annex E.3).
    #[test]
    fn published_examples() {
        for (hex, uri) in [
            ("3074257bf7194e4000001a85", "urn:epc:tag:sgtin-96:3.0614141.812345.6789"),
            ("3174257bf4499602d2000000", "urn:epc:tag:sscc-96:3.0614141.1234567890"),
            ("3376451fd40c0e400000162e", "urn:epc:tag:grai-96:3.9521141.12345.5678"),
            ("3476451fd40000000000162e", "urn:epc:tag:giai-96:3.9521141.5678"),
        ] {
            let epc = Epc::decode(&bytes(hex)).unwrap();
            assert_eq!(epc.uri(), uri);
            assert_eq!(epc.encode().unwrap().to_vec(), bytes(hex));
        }
    }

    #[test]
    fn foreign_and_forbidden_epcs_stay_opaque() {
        // Another header, partition 7, a company prefix of too many digits, another length.
        for hex in
            ["e2801160600002054cc2096f", "301c00000000000000000000", "3018fffff00000000000000f", "3074"]
        {
            assert_eq!(Epc::decode(&bytes(hex)), None, "{hex}");
        }
        assert_eq!(role_of(None), TagRole::Unknown);
        assert_eq!(role_of(Epc::decode(&bytes("3476451fd40000000000162e")).as_ref()), TagRole::Vehicle);
    }

    proptest! {
        #[test]
        fn decoding_and_encoding_agree(head in 0u8..6, rest in any::<[u8; 11]>()) {
            let mut all = vec![0x30 + head];
            all.extend(rest);
            if let Some(epc) = Epc::decode(&all) {
                prop_assert_eq!(epc.encode().unwrap().to_vec(), all);
                let _ = epc.uri();
            }
        }
    }
}

//! True names: plates of the countries that drive to Bari, container codes with valid check digits,
//! vehicle tags.

use gate_types::iso6346::check_digit;
use rand::Rng;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;

/// A plate with what its drawing needs.
#[derive(Debug, Clone, PartialEq)]
pub struct PlateFace {
    /// Country code on the band (`I`, `D`, `AL`).
    pub country: &'static str,
    /// Country as ISO 3166 (`IT`).
    pub region: &'static str,
    /// The groups of characters, left to right.
    pub groups: Vec<String>,
    /// A blue band at the left.
    pub band: bool,
    /// Stars on the band.
    pub stars: bool,
    /// A second blue band at the right.
    pub right_band: bool,
    /// Seals after the first group.
    pub seal: bool,
    /// Yellow ground.
    pub yellow: bool,
    /// DIN-like letters.
    pub din: bool,
    /// Two lines on a square plate.
    pub two_lines: bool,
}

impl PlateFace {
    /// Canonical text.
    pub fn text(&self) -> String {
        self.groups.concat()
    }
}

/// One country's plates: weight, codes, letters that are issued, formats of tractor and trailer (groups
/// by spaces: `L` letter, `D` digit, anything else itself).
struct Country {
    weight: u32,
    region: &'static str,
    band: &'static str,
    letters: &'static str,
    tractor: &'static str,
    trailer: &'static str,
    stars: bool,
    right_band: bool,
    seal: bool,
}

const NO_Q: &str = "ABCDEFGHIJKLMNOPRSTUVWXYZ";
const COUNTRIES: [Country; 11] = [
    Country {
        weight: 42,
        region: "IT",
        band: "I",
        letters: "ABCDEFGHJKLMNPRSTVWXYZ",
        tractor: "LL DDDLL",
        trailer: "XA DDDLL",
        stars: true,
        right_band: true,
        seal: false,
    },
    Country {
        weight: 14,
        region: "AL",
        band: "AL",
        letters: "ABCDEFGHJKLMNPRSTUVXYZ",
        tractor: "AA DDD LL",
        trailer: "AB DDD LL",
        stars: false,
        right_band: true,
        seal: false,
    },
    Country {
        weight: 14,
        region: "GR",
        band: "GR",
        letters: "ABEHIKMNOPTXYZ",
        tractor: "LLL DDDD",
        trailer: "P DDDDD",
        stars: true,
        right_band: false,
        seal: false,
    },
    Country {
        weight: 6,
        region: "ME",
        band: "MNE",
        letters: "ABCDEFGHIJKLMNOPRSTUVZ",
        tractor: "PG LLDDD",
        trailer: "BR LLDDD",
        stars: false,
        right_band: false,
        seal: true,
    },
    Country {
        weight: 8,
        region: "DE",
        band: "D",
        letters: NO_Q,
        tractor: "HH LLDDDD",
        trailer: "M LDDDD",
        stars: true,
        right_band: false,
        seal: true,
    },
    Country {
        weight: 4,
        region: "HR",
        band: "HR",
        letters: "ABCDEFGHIJKLMNOPRSTUVZ",
        tractor: "ZG DDDD LL",
        trailer: "ST DDDD LL",
        stars: true,
        right_band: false,
        seal: true,
    },
    Country {
        weight: 5,
        region: "RO",
        band: "RO",
        letters: "ABCDEFGHJKLMNPRSTUVWXYZ",
        tractor: "CT DD LLL",
        trailer: "TM DD LLL",
        stars: true,
        right_band: false,
        seal: false,
    },
    Country {
        weight: 4,
        region: "BG",
        band: "BG",
        letters: "ABCEHKMOPTXY",
        tractor: "CB DDDD LL",
        trailer: "B DDDD LL",
        stars: true,
        right_band: false,
        seal: false,
    },
    Country {
        weight: 4,
        region: "PL",
        band: "PL",
        letters: NO_Q,
        tractor: "WGM DDDLL",
        trailer: "WA DDDDD",
        stars: true,
        right_band: false,
        seal: true,
    },
    Country {
        weight: 4,
        region: "TR",
        band: "TR",
        letters: "ABCDEFGHIJKLMNOPRSTUVYZ",
        tractor: "34 LLL DDD",
        trailer: "35 LL DDDD",
        stars: false,
        right_band: false,
        seal: false,
    },
    Country {
        weight: 3,
        region: "MK",
        band: "NMK",
        letters: "ABCDEFGHIJKLMNOPRSTUVZ",
        tractor: "SK DDDD LL",
        trailer: "BT DDDD LL",
        stars: false,
        right_band: false,
        seal: true,
    },
];

/// Which vehicle carries the plate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// The tractor.
    Tractor,
    /// The trailer.
    Trailer,
}

/// A country that plates are drawn from; both plates of a vehicle are of one country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home(usize);

impl Home {
    /// A country by how often its vehicles come.
    pub fn random(rng: &mut ChaCha8Rng) -> Self {
        let total: u32 = COUNTRIES.iter().map(|c| c.weight).sum();
        let mut at = rng.random_range(0..total);
        for (i, c) in COUNTRIES.iter().enumerate() {
            if at < c.weight {
                return Self(i);
            }
            at -= c.weight;
        }
        Self(0)
    }
    /// The language of its drivers (BCP 47).
    pub fn language(self) -> &'static str {
        match COUNTRIES[self.0].region {
            "AL" => "sq",
            "GR" => "el",
            "ME" => "sr",
            "DE" => "de",
            "HR" => "hr",
            "RO" => "ro",
            "BG" => "bg",
            "PL" => "pl",
            "TR" => "tr",
            "MK" => "mk",
            _ => "it",
        }
    }
    /// A plate of that country.
    pub fn plate(self, carrier: Carrier, rng: &mut ChaCha8Rng) -> PlateFace {
        let c = &COUNTRIES[self.0];
        let format = match carrier {
            Carrier::Tractor => c.tractor,
            Carrier::Trailer => c.trailer,
        };
        let letters: Vec<char> = c.letters.chars().collect();
        let fixed: usize = format.find(['L', 'D']).unwrap_or(0);
        let mut text = String::new();
        for (i, f) in format.chars().enumerate() {
            text.push(match f {
                'L' => *letters.choose(rng).unwrap_or(&'A'),
                'D' => char::from(b'0' + rng.random_range(0..10)),
                // Italian and Albanian series run on: the second letter of the prefix moves.
                'A' if i == 1 && fixed > 1 => *letters.choose(rng).unwrap_or(&'A'),
                other => other,
            });
        }
        PlateFace {
            country: c.band,
            region: c.region,
            groups: text.split(' ').map(str::to_owned).collect(),
            band: true,
            stars: c.stars,
            right_band: c.right_band,
            seal: c.seal,
            yellow: false,
            din: rng.random_bool(0.5),
            two_lines: carrier == Carrier::Trailer && !c.right_band && rng.random_bool(0.12),
        }
    }
}

/// A container with what its drawing needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// The code, 11 characters.
    pub code: String,
    /// Size and type (`45G1`).
    pub type_code: &'static str,
    /// Its wall.
    pub colour: [u8; 3],
}

const OWNERS: [(&str, [u8; 3]); 20] = [
    ("MSCU", [205, 160, 60]),
    ("MEDU", [205, 160, 60]),
    ("MSKU", [150, 156, 160]),
    ("MAEU", [150, 156, 160]),
    ("MRKU", [96, 150, 196]),
    ("CMAU", [28, 50, 110]),
    ("CGMU", [28, 50, 110]),
    ("HLXU", [220, 106, 36]),
    ("HLBU", [220, 106, 36]),
    ("EITU", [24, 104, 70]),
    ("EMCU", [24, 104, 70]),
    ("OOLU", [196, 196, 192]),
    ("COSU", [60, 80, 120]),
    ("ZIMU", [120, 40, 44]),
    ("SUDU", [168, 36, 36]),
    ("TCLU", [140, 62, 42]),
    ("TEMU", [124, 58, 44]),
    ("TGHU", [116, 50, 40]),
    ("CAIU", [70, 92, 84]),
    ("BMOU", [36, 84, 140]),
];

/// A container of a known owner, with a valid check digit (ISO 6346; never the ambiguous digit 10).
pub fn unit(rng: &mut ChaCha8Rng) -> Unit {
    let (owner, colour) = OWNERS.choose(rng).copied().unwrap_or(OWNERS[0]);
    let body = format!("{owner}{:06}", rng.random_range(100_000..1_000_000));
    let digit = check_digit(&body).unwrap_or(0);
    let type_code = ["22G1", "42G1", "45G1", "45R1", "22U1"].choose(rng).copied().unwrap_or("22G1");
    Unit { code: format!("{body}{digit}"), type_code, colour }
}

/// A vehicle tag: GIAI-96 (TDS: header 0x34, filter 0, partition 5, 24 bits of prefix, 58 of asset).
pub fn vehicle_tag(rng: &mut ChaCha8Rng) -> String {
    let prefix: u128 = 8_001_234;
    let asset: u128 = u128::from(rng.random::<u64>() & 0x000f_ffff_ffff);
    let bits: u128 = (0x34 << 88) | (5 << 82) | (prefix << 58) | asset;
    format!("{bits:024x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate_types::iso6346::ContainerCode;
    use rand::SeedableRng as _;

    #[test]
    fn codes_hold_and_plates_have_their_country_form() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..200 {
            assert!(ContainerCode::parse(&unit(&mut rng).code).is_ok());
            let home = Home::random(&mut rng);
            for carrier in [Carrier::Tractor, Carrier::Trailer] {
                let plate = home.plate(carrier, &mut rng);
                assert!((5..=9).contains(&plate.text().len()), "{plate:?}");
                assert!(plate.text().chars().all(|c| c.is_ascii_alphanumeric()));
            }
            assert_eq!(vehicle_tag(&mut rng).len(), 24);
        }
    }
}

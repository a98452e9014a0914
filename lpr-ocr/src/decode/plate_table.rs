//! Plates that must fit their country's grammar, and look-alikes that must not.

use super::alphabet::symbols_of;
use super::plate::Grammars;

const FIT: &[(&str, &str)] = &[
    ("IT", "EK679XR FD001AA XA123BB AB12345 BA123456"),
    ("AT", "W12345A GU123AB KB12ABC L1234AB S999XY"),
    ("BE", "1ABC123 2FGH456 1QAB123 ABC123 123ABC"),
    ("BG", "CB1234AB PB1234XA E1234KM CA7777CA"),
    ("CY", "KAA123 HBC456"),
    ("CZ", "1AB2345 5E12345 3SX0001 ABC1234"),
    ("DE", "BAB123 MAB1234 HHXY12 KAB1 BMWE77 DUIAB12 BAB12H WOBZK295"),
    ("DK", "AB12345 XC98765"),
    ("EE", "123ABC 456AB"),
    ("ES", "1234BCD R1234BBB M1234AB GI1234AB"),
    ("FI", "ABC123 XYZ12"),
    ("FR", "AA123BB DK001ZZ 1234AB75"),
    ("GR", "YNE1234 IKA7890 P12345"),
    ("HR", "ZG1234AB ST123A RI123AB SK1234A"),
    ("HU", "ABC123 AABC123 XYZ001"),
    ("IE", "131D12345 12D1234 171KK123 07G1234"),
    ("LT", "ABC123 AB123"),
    ("LU", "AB1234 12345"),
    ("LV", "AB1234 KL12 P1234"),
    ("MT", "ABC123 QAZ789"),
    ("NL", "GH123J 12GHJK 5TXK32 BX12GH OB12GH VXX12K 79JTK4"),
    ("PL", "WA12345 KR1234A PO1AC23 WGM12AC RZ1234K DWR12345 GD123AC SK1A234"),
    ("PT", "AA12BB 12AB34 1234AB AB1234"),
    ("RO", "B123ABC B12XYZ CJ12ABC CT99MAX TM123456"),
    ("SE", "ABC123 ABC12D"),
    ("SI", "LJ123AB MBAB123 KP12ABC CE1A234"),
    ("SK", "BA123AB KE001XY RK099AN AA123BB ZAYES12"),
    ("AL", "AA123BB AC001ZZ TR1234A"),
    ("ME", "PGAB123 BRAB001 KOCG777"),
    ("RS", "BG123AB NS1234CD BG12345A"),
    ("BA", "A12E345 T01M999"),
    ("MK", "SK1234AB OH123CD"),
    ("XK", "01123AB 07999KS"),
    ("TR", "34ABC123 06A1234 35AB123 81ZZ9999 01A12345"),
    ("MA", "12345ب6 1234د45 12345A6"),
    ("TN", "1234567 2019999"),
    ("DZ", "1234511916 12345611916"),
    ("EG", "٣٤٥سصط ١٢٣٤نم ١٢٣٤صطع"),
    ("CH", "ZH123456 TI12345 GE1234"),
    ("NO", "AB12345 XY1234"),
    ("GB", "AB12CDE OY09FEU LK71XYZ M123ABC ABC123D AIZ1234"),
    ("UA", "AA1234BB KA0001AA BH7777IT"),
    ("MD", "ABC123 KAH12"),
    ("US", "ABC1234 7ABC123 ABC123 123ABC AB12345"),
    ("BR", "ABC1234 ABC1D23 QIO0Q00"),
];

const UNFIT: &[(&str, &str)] = &[
    ("IT", "EO679XR EK67OXR EI679XR QA123BB EK679X EK6799XR"),
    ("AT", "W02345A QQ123AB"),
    ("BE", "0ABC123 1AOC123 1ABC1234"),
    ("BG", "CB1234AD CB123AB QB1234AB"),
    ("CZ", "1OB2345 1DB2345 OAB2345"),
    ("DE", "XAB123 QAB123 BAB0123 BABCDE12 BAB12345"),
    ("DK", "IO12345 AB02345"),
    ("ES", "1234ABC 1234BCQ O234BCD"),
    ("FR", "AI123BB AA12BB AAO23BB"),
    ("GR", "YNE0234 CNE1234 YNEI234"),
    ("HR", "XX123A ZG12AB ZG1234QB"),
    ("IE", "131A12345 131D012"),
    ("NL", "AE12GH 12AEIO GHI23J1"),
    ("PL", "WA1234O AA12345 WA123BD QA12345"),
    ("RO", "XX12ABC CJ12QAB CJ12OAB B1234ABC"),
    ("SI", "LJ1 QQ123AB"),
    ("SK", "RKO99AN RKO26AJ RK6O5AB RK3OOAG BA12AB"),
    ("AL", "AA123BO AI123BB"),
    ("ME", "PGAB12 PG12345 PGQB123"),
    ("BA", "B12E345 A12B345 AI2E345"),
    ("XK", "08123AB 00123AB"),
    ("TR", "82A1234 00AB123 34QB123 34ABCD12"),
    ("MA", "12345ب00 01234ب6 12345ب6ب"),
    ("EG", "345سصط ٣٤٥سصطع ٠٤٥سصط"),
    ("CH", "ZH0123 QQ1234 ZHA123"),
    ("NO", "IO12345 AB123456"),
    ("GB", "AB12CDI OYO9FEU AI12CDE AB92CDE QB12CDE"),
    ("UA", "AA1234BD QA1234BB AA12345B"),
    ("BR", "ABC123 ABC12D3 A1C1234"),
];

#[test]
fn plates_fit_their_country_and_look_alikes_do_not() {
    let all = Grammars::built_in(&[]).unwrap();
    let mut wrong = Vec::new();
    for (table, must) in [(FIT, true), (UNFIT, false)] {
        for (country, plates) in table {
            for plate in plates.split_whitespace() {
                let symbols = symbols_of(plate);
                assert_eq!(symbols.len(), plate.chars().count(), "{plate}");
                if all.countries(&symbols).contains(country) != must {
                    wrong.push(format!("{country} {plate} must fit: {must}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_country_has_examples_and_its_grammar_prefers_its_own() {
    let fit: Vec<&str> = FIT.iter().map(|f| f.0).collect();
    for (country, plates) in FIT {
        let own = Grammars::built_in(&[(*country).to_owned()]).unwrap();
        let all = Grammars::built_in(&[]).unwrap();
        let better = |plate: &str| own.nats(&symbols_of(plate)) > all.nats(&symbols_of(plate));
        assert!(plates.split_whitespace().any(better), "{country}");
    }
    for code in Grammars::built_in(&[]).unwrap().codes() {
        assert!(fit.contains(&code), "{code} has no example");
    }
}

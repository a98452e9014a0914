//! The size-type code (ISO 6346, clause 4.2 and annexes D and E) beside a container code.

use crate::geometry::Quad;
use lpr_ocr::decode::beam::{Language, search};
use lpr_ocr::decode::{Found, Probabilities, normal_of, symbol_of};

/// Below this ln p no code is told.
const LEAST_LOG_P: f64 = -2.5;
/// Farthest from the container code, in lengths of it.
const FAR: f32 = 1.2;

/// Length, height, type group, type.
struct SizeType;

const LENGTH: &[u8] = b"1234ABCDEFGHKLMNP";
const HEIGHT: &[u8] = b"0245689CDEFLMNP";
const GROUP: &[u8] = b"ABGHKNPRSTUV";
const DETAIL: &[u8] = b"0123456789";

impl Language for SizeType {
    type State = ();
    fn start(&self) {}
    fn step(&self, (): (), len: usize, symbol: u8) -> Option<()> {
        let place = [LENGTH, HEIGHT, GROUP, DETAIL].get(len)?;
        place.iter().any(|c| symbol_of(*c) == Some(symbol)).then_some(())
    }
    fn complete(&self, (): (), len: usize) -> bool {
        len == 4
    }
}

/// The size-type code that a crop shows, where it does so clearly.
pub(crate) fn text(seen: &Probabilities) -> Option<String> {
    let best = search(seen, &SizeType, 16).into_iter().next()?;
    (best.log_p >= LEAST_LOG_P).then(|| normal_of(&best.symbols))
}

/// The size-type code nearest to a container code.
pub(crate) fn nearest<'a>(types: &'a [Found], code: &Quad) -> Option<&'a Found> {
    let (x, y) = code.0.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0 / 4.0, s.1 + p.1 / 4.0));
    let (w, h) = code.sides();
    let far = |f: &Found| (f.cx - x).hypot(f.cy - y);
    types
        .iter()
        .filter(|f| far(f) < FAR * w.max(h))
        .min_by(|a, b| (far(a) / a.score.max(0.05)).total_cmp(&(far(b) / b.score.max(0.05))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lpr_ocr::decode::ObjectClass;
    use lpr_ocr::decode::beam::made_logits;

    #[test]
    fn only_size_type_codes_are_told() {
        let say = |t: &str| text(&Probabilities::from_logits(&made_logits(t, t.len(), 18.0)).unwrap());
        assert_eq!(say("22G1").as_deref(), Some("22G1"));
        assert_eq!(say("L5R1").as_deref(), Some("L5R1"));
        assert_eq!(say("ABCD"), None);
        assert_eq!(say("22G"), None);
    }

    #[test]
    fn the_nearest_one_counts() {
        let at = |cx: f32, cy: f32| Found {
            class: ObjectClass::TypeCode,
            score: 0.8,
            cx,
            cy,
            w: 60.0,
            h: 20.0,
            angle: 0.0,
        };
        let code = Quad::rectangle(500.0, 100.0, 300.0, 40.0, 0.0);
        let types = [at(900.0, 100.0), at(420.0, 150.0), at(560.0, 300.0)];
        assert_eq!(nearest(&types, &code).map(|f| f.cx), Some(420.0));
        assert!(nearest(&types[..1], &code).is_none());
    }
}

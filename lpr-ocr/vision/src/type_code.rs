//! Which size-type code (ISO 6346) belongs to a container code.

use crate::geometry::Quad;
use lpr_ocr::decode::Found;

/// Below this confidence a size-type code is not told.
pub(crate) const LEAST: f32 = 0.5;
/// Farthest from the container code, in lengths of it.
const FAR: f32 = 1.2;

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

//! Which size-type code (ISO 6346) belongs to a container code.

use crate::geometry::Quad;
use lpr_ocr::decode::{Found, ObjectClass};

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

/// Where it stands by custom where none was found, best first: below a line or a stack, beneath a column.
pub(crate) fn customary(code: &Quad, layout: &str) -> Option<Found> {
    let like =
        Found { class: ObjectClass::TypeCode, score: 0.0, cx: 0.0, cy: 0.0, w: 0.0, h: 0.0, angle: 0.0 };
    let (w, h) = code.sides();
    // Parts of the code's length and height: rows stand 1.4 capitals apart, four characters are 0.4 of a line.
    match layout {
        "stack" => Some(code.part(0.0, 1.17, 0.55, 1.58).oriented(&like)),
        "horizontal" => Some(code.part(0.0, 1.45, 0.4, 2.45).oriented(&like)),
        "vertical" => {
            let row = h / w.max(1.0);
            let beneath = code.part(1.0 + 0.9 * row, -0.9, 1.0 + 2.0 * row, 1.9).oriented(&like);
            // A column is read downwards, the size-type code beneath it mostly across.
            let angle = beneath.angle - std::f32::consts::FRAC_PI_2;
            Some(Found { w: beneath.h, h: beneath.w, angle, ..beneath })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_customary_place_is_below_the_code() {
        let line = Quad::rectangle(500.0, 100.0, 300.0, 30.0, 0.0);
        let below = customary(&line, "horizontal").unwrap();
        assert!((below.cy - 143.5).abs() < 1.0 && below.cx < 450.0 && below.angle.abs() < 1e-3, "{below:?}");
        let column = Quad::rectangle(100.0, 300.0, 400.0, 30.0, std::f32::consts::FRAC_PI_2);
        let beneath = customary(&column, "vertical").unwrap();
        assert!(
            (beneath.cx - 100.0).abs() < 1.0 && beneath.cy > 520.0 && beneath.w > beneath.h,
            "{beneath:?}"
        );
        assert!(beneath.angle.abs() < 1e-3, "{beneath:?}");
        assert!(customary(&line, "one_row").is_none());
    }
}

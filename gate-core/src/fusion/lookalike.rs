//! Texts that readers confuse.

use gate_types::plate::fold;

/// Groups of glyphs that faces draw alike. Wider than [`fold`], which alone counts as equal.
const GROUPS: [&str; 7] = ["0OQD", "1IL", "2Z", "4A", "5S", "6G", "8B"];

/// True where two texts are equal after folding (O, Q as 0; I as 1), or have the same length and
/// differ in exactly one place by glyphs of one group. Equal texts are look-alikes of themselves.
pub fn look_alike(a: &str, b: &str) -> bool {
    if fold(a) == fold(b) {
        return true;
    }
    if a.chars().count() != b.chars().count() {
        return false;
    }
    let mut different = a.chars().zip(b.chars()).filter(|(x, y)| x != y);
    match (different.next(), different.next()) {
        (Some((x, y)), None) => GROUPS.iter().any(|g| g.contains(x) && g.contains(y)),
        (None, _) | (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_confusable_glyph_or_folded_equality() {
        assert!(look_alike("AB123CD", "AB123CD"));
        assert!(look_alike("ABO1OCD", "AB010CD"), "any number of folded glyphs");
        assert!(look_alike("AB123CB", "AB123C8"));
        assert!(!look_alike("BB123CB", "8B123C8"), "two confusable glyphs are too many");
        assert!(!look_alike("AB123CD", "AB124CD"));
        assert!(!look_alike("AB123CD", "AB123C"));
    }
}

//! From an instruction to the lines of the driver's sign: the driver's language first, the site's after it.

use config::Site;
use gate_types::mission::InstructionKind;
use gate_types::verdict::Instruction;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The texts, data of this crate.
const TEXTS: &str = include_str!("../signs.toml");
/// The language that stands in for one without texts.
const FALLBACK: &str = "en";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    lines: Vec<String>,
    #[serde(default)]
    with_node: Option<Vec<String>>,
    #[serde(default)]
    with_place: Option<Vec<String>>,
}

/// The sign texts of a site.
#[derive(Debug, Clone)]
pub struct SignTexts {
    by_language: BTreeMap<String, BTreeMap<String, Template>>,
    site_language: String,
    node_names: BTreeMap<String, String>,
}

/// How much room a sign has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Lines.
    pub lines: usize,
    /// Characters a line.
    pub columns: usize,
}

impl SignTexts {
    /// The texts with the site's language and the names of its nodes.
    pub fn of(site: &Site) -> Result<Self, toml::de::Error> {
        Ok(Self {
            by_language: toml::from_str(TEXTS)?,
            site_language: primary(&site.language),
            node_names: site.nodes.iter().map(|n| (n.id.to_string(), n.name.clone())).collect(),
        })
    }
    /// The lines for one instruction; never more and never longer than the sign has room for.
    pub fn lines(&self, instruction: &Instruction, language: Option<&str>, room: Room) -> Vec<String> {
        let driver = language.map_or_else(|| self.site_language.clone(), primary);
        let mut lines = self.in_language(instruction, &driver, room);
        if driver != self.site_language {
            let site = self.in_language(instruction, &self.site_language, room);
            // Both or the driver's alone: half a sentence helps nobody.
            if site != lines && lines.len() + site.len() <= room.lines {
                lines.extend(site);
            }
        }
        lines.truncate(room.lines);
        lines
    }
    fn in_language(&self, instruction: &Instruction, language: &str, room: Room) -> Vec<String> {
        let key = key(instruction.kind);
        let found = self.by_language.get(language).or_else(|| self.by_language.get(FALLBACK));
        let Some(template) = found.and_then(|kinds| kinds.get(key)) else {
            return wrap(&plain(key), room.columns);
        };
        let node = instruction
            .next_node
            .as_ref()
            .map(|id| self.node_names.get(id.as_str()).cloned().unwrap_or_else(|| id.to_string()));
        let lines = match (&template.with_place, &instruction.place, &template.with_node, &node) {
            (Some(with_place), Some(_), _, _) => with_place,
            (_, _, Some(with_node), Some(_)) => with_node,
            (_, _, _, _) => &template.lines,
        };
        lines
            .iter()
            .map(|line| {
                line.replace("{node}", node.as_deref().unwrap_or_default())
                    .replace("{place}", instruction.place.as_deref().unwrap_or_default())
            })
            .flat_map(|line| wrap(&plain(&line), room.columns))
            .collect()
    }
}

/// The key of a kind in the table.
fn key(kind: InstructionKind) -> &'static str {
    match kind {
        InstructionKind::GoOn => "go_on",
        InstructionKind::GoToParking => "go_to_parking",
        InstructionKind::ReportToInspection => "report_to_inspection",
        InstructionKind::Finish => "finish",
        InstructionKind::Wait => "wait",
        InstructionKind::CallOperator => "call_operator",
        InstructionKind::TurnBack => "turn_back",
        InstructionKind::LaneClosed => "lane_closed",
    }
}

/// The primary subtag of a BCP 47 tag, small letters: `it-IT` is `it`.
fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

/// Capitals without accents and without anything that a sign may not have a glyph for.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_uppercase) {
        match c {
            ' '..='~' => out.push(c),
            'À' | 'Á' | 'Â' | 'Ã' | 'Ä' | 'Å' => out.push('A'),
            'Ç' | 'Č' | 'Ć' => out.push('C'),
            'È' | 'É' | 'Ê' | 'Ë' => out.push('E'),
            'Ì' | 'Í' | 'Î' | 'Ï' => out.push('I'),
            'Ñ' => out.push('N'),
            'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ö' | 'Ø' => out.push('O'),
            'Ù' | 'Ú' | 'Û' | 'Ü' => out.push('U'),
            'Š' => out.push('S'),
            'Ž' => out.push('Z'),
            '’' | '‘' => out.push('\''),
            '–' | '—' => out.push('-'),
            _ => out.push(' '),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Wraps at words; a word that is longer than a line is cut.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let word: String = word.chars().take(columns.max(1)).collect();
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            Some(_) | None => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use gate_types::NodeId;

    const KINDS: [InstructionKind; 8] = [
        InstructionKind::GoOn,
        InstructionKind::GoToParking,
        InstructionKind::ReportToInspection,
        InstructionKind::Finish,
        InstructionKind::Wait,
        InstructionKind::CallOperator,
        InstructionKind::TurnBack,
        InstructionKind::LaneClosed,
    ];

    fn texts() -> SignTexts {
        let site: Site = toml::from_str(
            r#"
            port = "ITBRI"
            name = "Bari"
            language = "it-IT"
            process = []
            [[node]]
            id = "6"
            name = "Varco della Vittoria è lì"
            kind = "facility_gate"
            map = { x = 1.0, y = 1.0 }
            "#,
        )
        .unwrap();
        SignTexts::of(&site).unwrap()
    }
    fn instruction(kind: InstructionKind) -> Instruction {
        Instruction { kind, next_node: None, place: None }
    }

    #[test]
    fn the_driver_reads_both_languages_where_there_is_room() {
        let mut go = instruction(InstructionKind::GoOn);
        go.next_node = Some(NodeId::new("6").unwrap());
        let room = Room { lines: 4, columns: 26 };
        assert_eq!(
            texts().lines(&go, Some("en"), room),
            ["GO AHEAD TO", "VARCO DELLA VITTORIA E LI", "PROSEGUIRE PER", "VARCO DELLA VITTORIA E LI"]
        );
        assert_eq!(texts().lines(&go, None, room), ["PROSEGUIRE PER", "VARCO DELLA VITTORIA E LI"]);
        assert_eq!(
            texts().lines(&go, Some("en"), Room { lines: 2, columns: 26 }),
            ["GO AHEAD TO", "VARCO DELLA VITTORIA E LI"]
        );
    }

    #[test]
    fn an_unknown_language_reads_english() {
        let wait = instruction(InstructionKind::Wait);
        let room = Room { lines: 4, columns: 20 };
        assert_eq!(texts().lines(&wait, Some("tr"), room), ["PLEASE WAIT", "ATTENDERE"]);
    }

    #[test]
    fn an_inspection_names_the_place() {
        let mut report = instruction(InstructionKind::ReportToInspection);
        report.place = Some("Molo San Vito, capannone 3".into());
        report.next_node = Some(NodeId::new("6").unwrap());
        let lines = texts().lines(&report, Some("it"), Room { lines: 4, columns: 16 });
        assert_eq!(lines, ["ISPEZIONE:", "MOLO SAN VITO,", "CAPANNONE 3"]);
    }

    #[test]
    fn every_kind_in_every_language_fits_every_sign() {
        let texts = texts();
        for kind in KINDS {
            for language in ["it", "en", "de"] {
                for (lines, columns) in [(1, 8), (2, 16), (4, 20)] {
                    let mut told = instruction(kind);
                    told.next_node = Some(NodeId::new("6").unwrap());
                    told.place = Some("日本 x".into());
                    let shown = texts.lines(&told, Some(language), Room { lines, columns });
                    assert!(!shown.is_empty() && shown.len() <= lines, "{kind:?} {language}: {shown:?}");
                    assert!(shown.iter().all(|l| l.len() <= columns && l.is_ascii()), "{shown:?}");
                }
            }
        }
        for kind in KINDS {
            for language in ["it", "en"] {
                assert!(texts.by_language[language].contains_key(key(kind)), "{language} {kind:?}");
            }
        }
    }
}

//! From text to types. The parser stops at the first error of what it reads, so every section of a file
//! is also read by itself: each broken section tells its first error, with its place and line.

use crate::{
    CameraConfig, CentralConfig, ConsoleConfig, IdentityRule, IoConfig, LaneConfig, LaneMode, LaneTimers,
    MqttConfig, NodeConfig, NodeSpec, OcrConfig, Problem, Problems, PushConfig, ReaderConfig, Road,
    ScaleConfig, SignConfig, Site, WeightRule,
};
use gate_types::mission::{DeclarationKind, DefinitiveStatus, Direction, LegRule, MissionPath, Process};
use gate_types::rules::{Check, Profile, RuleMode, RuleSet, Scope};
use gate_types::{LaneId, NodeId, PortId, ProcessId};
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

type Value<'i> = Spanned<DeValue<'i>>;

/// A kind of file, with the reader of each of its sections.
pub(crate) trait Sectioned: DeserializeOwned {
    /// Tries one section, named by its keys without indices (`lane.timers`; `*` for a free name).
    fn try_section(place: &str, value: &Value<'_>) -> Option<Error>;
}

fn attempt<T: DeserializeOwned>(value: &Value<'_>) -> Option<Error> {
    T::deserialize(value.clone().into_deserializer()).err()
}

impl Sectioned for Site {
    fn try_section(place: &str, value: &Value<'_>) -> Option<Error> {
        match place {
            "node" => attempt::<NodeSpec>(value),
            "road" => attempt::<Road>(value),
            "process" => attempt::<Process>(value),
            "process.legs.*" => attempt::<LegRule>(value),
            "process.paths" => attempt::<MissionPath>(value),
            "port" => attempt::<PortId>(value),
            "process.id" => attempt::<ProcessId>(value),
            "process.definitive" => attempt::<DefinitiveStatus>(value),
            "process.declarations" => attempt::<DeclarationKind>(value),
            "process.transparent" => attempt::<NodeId>(value),
            _ => None,
        }
    }
}

impl Sectioned for NodeConfig {
    fn try_section(place: &str, value: &Value<'_>) -> Option<Error> {
        match place {
            "console" => attempt::<ConsoleConfig>(value),
            "central" => attempt::<CentralConfig>(value),
            "mqtt" => attempt::<MqttConfig>(value),
            "push" => attempt::<PushConfig>(value),
            "ocr" => attempt::<OcrConfig>(value),
            "lane" => attempt::<LaneConfig>(value),
            "lane.identity" => attempt::<IdentityRule>(value),
            "lane.weight" => attempt::<WeightRule>(value),
            "lane.timers" => attempt::<LaneTimers>(value),
            "lane.io" | "lane.exit_io" => attempt::<IoConfig>(value),
            "lane.camera" => attempt::<CameraConfig>(value),
            "lane.reader" => attempt::<ReaderConfig>(value),
            "lane.scale" => attempt::<ScaleConfig>(value),
            "lane.sign" => attempt::<SignConfig>(value),
            "node" => attempt::<NodeId>(value),
            "lane.id" => attempt::<LaneId>(value),
            "lane.direction" => attempt::<Direction>(value),
            "lane.mode" => attempt::<LaneMode>(value),
            _ => None,
        }
    }
}

impl Sectioned for RuleSet {
    fn try_section(place: &str, value: &Value<'_>) -> Option<Error> {
        match place {
            "scope" => attempt::<Scope>(value),
            "scope.nodes" => attempt::<NodeId>(value),
            "scope.lanes" => attempt::<LaneId>(value),
            "mode" => attempt::<RuleMode>(value),
            "profile" => attempt::<Profile>(value),
            "check" => attempt::<Check>(value),
            _ => None,
        }
    }
}

/// Reads a file into its type.
pub(crate) fn read<T: Sectioned>(file: &Path) -> Result<T, Problems> {
    let text = std::fs::read_to_string(file).map_err(|e| {
        let text = format!("cannot be read: {e}; check the path and its rights");
        Problems(vec![Problem { file: file.to_path_buf(), path: "file".to_owned(), text }])
    })?;
    parse(&text, file)
}

fn parse<T: Sectioned>(text: &str, file: &Path) -> Result<T, Problems> {
    let whole = match toml::from_str::<T>(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let mut errors: Vec<(String, Error)> = Vec::new();
    match DeTable::parse(text) {
        Ok(table) => walk::<T>(table.get_ref(), "", "", &mut errors),
        // Not TOML at all: the first error hides the rest.
        Err(_) => return Err(Problems(vec![problem(text, file, "", &whole)])),
    }
    errors.push((String::new(), whole));
    // The innermost section that saw an error names it best, and sections come before what holds them.
    let mut problems: Vec<(usize, Problem)> = Vec::new();
    for (place, error) in &errors {
        let line = line_of(text, error);
        let seen = problems.iter().any(|(l, p)| *l == line && p.text == error.message());
        if !seen {
            problems.push((line, problem(text, file, place, error)));
        }
    }
    problems.sort_by_key(|(line, _)| *line);
    let mut problems: Vec<Problem> = problems.into_iter().map(|(_, p)| p).collect();
    let text = "was read no further than its types, one error of each section; more may show once these are corrected";
    problems.push(Problem { file: file.to_path_buf(), path: "file".to_owned(), text: text.to_owned() });
    Err(Problems(problems))
}

/// Tries all sections below `table`, inner ones first.
fn walk<T: Sectioned>(table: &DeTable<'_>, place: &str, shown: &str, errors: &mut Vec<(String, Error)>) {
    for (key, value) in table {
        let key = key.get_ref();
        let name = if place == "process.legs" { "*" } else { key };
        let below =
            |base: &str, key: &str| if base.is_empty() { key.to_owned() } else { format!("{base}.{key}") };
        let (place, shown) = (below(place, name), below(shown, key));
        match value.get_ref() {
            DeValue::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    let id = item.get_ref().get("id").and_then(|id| id.get_ref().as_str());
                    let shown = id.map_or(format!("{shown}[{n}]"), |id| format!("{shown}[{id}]"));
                    section::<T>(item, &place, &shown, errors);
                }
            }
            DeValue::Table(_)
            | DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => section::<T>(value, &place, &shown, errors),
        }
    }
}

fn section<T: Sectioned>(value: &Value<'_>, place: &str, shown: &str, errors: &mut Vec<(String, Error)>) {
    if let DeValue::Table(table) = value.get_ref() {
        walk::<T>(table, place, shown, errors);
    }
    if let Some(error) = T::try_section(place, value) {
        errors.push((shown.to_owned(), error));
    }
}

fn line_of(text: &str, error: &Error) -> usize {
    error.span().map_or(0, |s| text.get(..s.start).map_or(0, |t| t.matches('\n').count() + 1))
}

fn problem(text: &str, file: &Path, place: &str, error: &Error) -> Problem {
    let line = line_of(text, error);
    let source = line.checked_sub(1).and_then(|n| text.lines().nth(n)).unwrap_or_default();
    let key = source.split_once('=').map(|(key, _)| key.trim()).unwrap_or_default();
    // A scalar that was read by itself is named by its place already.
    let key = if place.rsplit('.').next() == Some(key) { "" } else { key };
    let parts = [place, key].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".");
    let place = if parts.is_empty() { format!("line {line}") } else { format!("line {line}, {parts}") };
    Problem { file: file.to_path_buf(), path: place, text: error.message().to_owned() }
}

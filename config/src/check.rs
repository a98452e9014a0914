//! What a site or node file must fulfil beyond its types. Each check adds to one list; none stops it.

mod devices;
mod lane;
mod node;
mod paths;
mod rules;
mod site;

pub(crate) use node::node;
pub(crate) use rules::{rule_set, rule_sets};
pub(crate) use site::site;

use crate::Problem;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// The growing list of a file's problems.
struct Findings {
    file: PathBuf,
    found: Vec<Problem>,
}

impl Findings {
    fn of(file: &Path) -> Self {
        Self { file: file.to_path_buf(), found: Vec::new() }
    }
    /// Adds one: where, and what is wrong and what to do.
    fn add(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.found.push(Problem { file: self.file.clone(), path: path.into(), text: text.into() });
    }
    /// Adds a problem unless `value` lies within the bounds.
    fn within<T: PartialOrd + Display>(&mut self, path: &str, value: T, least: T, most: T, unit: &str) {
        // Written so that a value that compares with nothing (NaN) is outside.
        if !(value >= least && value <= most) {
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            self.add(path, format!("{value}{unit} is not within {least} to {most}{unit}; correct it"));
        }
    }
    /// Adds a problem for an empty text.
    fn filled(&mut self, path: &str, text: &str) {
        if text.trim().is_empty() {
            self.add(path, "is empty; fill it in");
        }
    }
    /// Adds a problem for each key that an earlier one of `seen` has, naming the earlier place.
    fn unique(&mut self, seen: &mut BTreeMap<String, String>, what: &str, key: &str, path: &str) {
        if let Some(first) = seen.get(key) {
            self.add(path, format!("{what} `{key}` is used already at {first}; give each its own"));
        } else {
            seen.insert(key.to_owned(), path.to_owned());
        }
    }
}

/// The values that stand more than once, each named once.
fn repeated<T: Ord + Clone>(values: &[T]) -> Vec<T> {
    let mut sorted: Vec<T> = values.to_vec();
    sorted.sort();
    let mut twice: Vec<T> = sorted.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0].clone()).collect();
    twice.dedup();
    twice
}

/// The serde name of a unit variant, as it stands in the file.
fn written<T: serde::Serialize>(value: &T) -> String {
    toml::Value::try_from(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

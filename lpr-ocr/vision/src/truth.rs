//! The truth table of `score`.

use crate::cli::ALL_KINDS;
use anyhow::Context as _;
use gate_types::observation::ReadKind;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    /// The file as the table names it.
    pub file: String,
    /// Letters and digits only; empty where there is nothing to read.
    pub text: String,
    /// What is looked for; empty truths without a kind: everything.
    pub kinds: Vec<ReadKind>,
    /// The table's layout, or `all`.
    pub layout: String,
    /// The table's region, or `all`.
    pub region: String,
    /// The table's size-type code, or empty.
    pub type_code: String,
}

/// Letters and digits of a text in the normal form that readings have: capitals, Arabic glyphs transliterated.
pub(crate) fn bare(text: &str) -> String {
    lpr_ocr::decode::alphabet::normalise(&text.to_uppercase())
}

/// Reads the table and its corrections.
pub(crate) fn load(truth: &Path, corrections: Option<&Path>) -> anyhow::Result<Vec<Truth>> {
    let mut corrected = HashMap::new();
    if let Some(path) = corrections {
        for mut row in table(path)? {
            if let (Some(file), Some(text)) = (row.remove("file"), row.remove("text")) {
                corrected.insert(file, text);
            }
        }
    }
    let rows = table(truth)?;
    anyhow::ensure!(!rows.is_empty(), "{}: no line below the first", truth.display());
    let of = |row: HashMap<String, String>| {
        let get = |name: &str| row.get(name).filter(|v| !v.is_empty());
        let file = get("file")?.clone();
        let written = corrected.get(&file).or(row.get("text")).cloned().unwrap_or_default();
        let named = get("kind").or(get("region")).map(String::as_str);
        let kinds = match named {
            Some("plate") => vec![ReadKind::Plate],
            Some("container" | "ilu") => vec![ReadKind::Container],
            Some("adr") => vec![ReadKind::Adr],
            _ if written.contains('/') => vec![ReadKind::Adr],
            _ if written.is_empty() => ALL_KINDS.to_vec(),
            _ => vec![ReadKind::Plate],
        };
        let or_all = |name: &str| get(name).cloned().unwrap_or_else(|| "all".into());
        Some(Truth {
            file,
            text: bare(&written),
            kinds,
            layout: or_all("layout"),
            region: or_all("region"),
            type_code: get("type_code").cloned().unwrap_or_default(),
        })
    };
    Ok(rows.into_iter().filter_map(of).collect())
}

/// The path of a file that a table names: beside the table.
pub(crate) fn path_of(truth: &Path, file: &str) -> PathBuf {
    truth.parent().unwrap_or(Path::new(".")).join(file)
}

fn table(path: &Path) -> anyhow::Result<Vec<HashMap<String, String>>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut lines = text.lines();
    let header = cells(lines.next().unwrap_or("").trim_start_matches('\u{feff}'));
    anyhow::ensure!(
        header.iter().any(|h| h == "file") && header.iter().any(|h| h == "text"),
        "{}: the first line must name the columns file and text",
        path.display()
    );
    let row = |l: &str| header.iter().cloned().zip(cells(l)).collect();
    Ok(lines.filter(|l| !l.trim().is_empty()).map(row).collect())
}

/// The cells of a line; a cell with commas stands in quotes.
fn cells(line: &str) -> Vec<String> {
    let (mut all, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(std::mem::take(&mut cell).trim().to_owned()),
            c => cell.push(c),
        }
    }
    all.push(cell.trim().to_owned());
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_with_its_corrections() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(
            at("truth.csv"),
            "file,text,x,region,layout\na.jpg,RK0 99-AN,3,eu,\n\"b,1.jpg\",CSQU3054383,,container,vertical\nc.jpg,33/1203,,adr,\nd.jpg,,,,\n",
        )
        .unwrap();
        std::fs::write(at("fix.csv"), "file,text\na.jpg,RK099AO\n").unwrap();
        let rows = load(&at("truth.csv"), Some(&at("fix.csv"))).unwrap();
        assert_eq!(rows[0].text, "RK099AO");
        assert_eq!((rows[1].file.as_str(), rows[1].layout.as_str()), ("b,1.jpg", "vertical"));
        assert_eq!((rows[2].kinds[0], rows[2].text.as_str()), (ReadKind::Adr, "331203"));
        assert_eq!((rows[3].text.as_str(), rows[3].kinds.len()), ("", 3));
        std::fs::write(at("bad.csv"), "name\nx\n").unwrap();
        assert!(load(&at("bad.csv"), None).unwrap_err().to_string().contains("file and text"));
    }
}

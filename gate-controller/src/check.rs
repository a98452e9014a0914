//! `check-config`: every problem of every file at once.

use config::{Problem, load_node, load_site};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Exit status for a configuration error (`EX_CONFIG` of sysexits).
pub const EX_CONFIG: u8 = 78;

/// Checks site and node files; true where all are clean. Prints `FILE: ok` or the problems.
pub fn check_files(files: &[PathBuf], out: &mut impl Write) -> std::io::Result<bool> {
    let mut clean = true;
    let mut printed: Vec<Problem> = Vec::new();
    for file in files {
        let problems = check_file(file);
        if problems.is_empty() {
            writeln!(out, "{}: ok", file.display())?;
            continue;
        }
        clean = false;
        for problem in problems {
            // Eight node files that share one site would print its problems eight times.
            if !printed.contains(&problem) {
                writeln!(out, "{problem}")?;
                printed.push(problem);
            }
        }
    }
    Ok(clean)
}

/// The problems of one file.
fn check_file(file: &Path) -> Vec<Problem> {
    let result = match kind_of(file) {
        FileKind::Site => load_site(file).map(|_| ()),
        FileKind::Node => load_node(file).map(|_| ()),
    };
    result.err().map_or_else(Vec::new, |problems| problems.0)
}

enum FileKind {
    Site,
    Node,
}

/// A site file lists nodes or processes; anything else is judged as a node file. A file that cannot be
/// read or parsed goes to the loader, which says so.
fn kind_of(file: &Path) -> FileKind {
    let table = std::fs::read_to_string(file).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let is_array = |t: &toml::Table, key: &str| t.get(key).is_some_and(toml::Value::is_array);
    match table {
        Some(t) if is_array(&t, "node") || is_array(&t, "process") => FileKind::Site,
        Some(t) if t.contains_key("port") && !t.contains_key("state_dir") => FileKind::Site,
        Some(_) | None => FileKind::Node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_of_every_file_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        let site = write("site.toml", "port = 'ITBRI'\nnode = []\nbogus = 1\n");
        let node = write("node.toml", "site = 'site.toml'\nnode = '1'\nlane = []\n");
        let absent = folder.path().join("absent.toml");
        let mut out = Vec::new();
        let clean = check_files(&[site.clone(), site, node, absent], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!clean);
        assert_eq!(text.lines().filter(|l| l.contains("site.toml: line")).count(), 1, "{text}");
        assert!(text.contains("node.toml") && text.contains("absent.toml"), "{text}");
        assert!(!text.contains(": ok"), "{text}");
    }
}

//! `check-config`: every problem of every file at once.

use barrier_io::{PointMap, PointMapError};
use config::{Problem, load_node, load_rules, load_site};
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
            for warning in verifications(file) {
                writeln!(out, "{}: warning: {warning}", file.display())?;
            }
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
        FileKind::Rules => load_rules(file).map(|_| ()),
        FileKind::Node => {
            let mut problems = load_node(file).err().map_or_else(Vec::new, |problems| problems.0);
            problems.extend(point_maps(file));
            problems.extend(days(file));
            return problems;
        }
    };
    result.err().map_or_else(Vec::new, |problems| problems.0)
}

/// The problems inside the point maps that a node file names, also where the rest of it is wrong. A map
/// that is not there is the loader's to tell, at its place in the node file.
fn point_maps(node: &Path) -> Vec<Problem> {
    let table = std::fs::read_to_string(node).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let lanes = table.as_ref().and_then(|t| t.get("lane")?.as_array());
    let folder = node.parent().unwrap_or(Path::new(""));
    let mut files: Vec<PathBuf> = lanes
        .into_iter()
        .flatten()
        .flat_map(|lane| {
            ["io", "exit_io"].map(|io| Some(folder.join(lane.get(io)?.get("points")?.as_str()?)))
        })
        .flatten()
        .filter(|file| file.is_file())
        .collect();
    files.sort();
    files.dedup();
    files.iter().filter_map(|file| PointMap::load(file).err()).flat_map(in_the_map).collect()
}

/// Days of verification in a node file: the scale's place, and the day as it is written.
fn verified(node: &Path) -> Vec<(String, String)> {
    let table = std::fs::read_to_string(node).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let lanes = table.as_ref().and_then(|t| t.get("lane")?.as_array());
    let day = |lane: &toml::Value| Some(lane.get("scale")?.get("verified_until")?.as_str()?.to_owned());
    let lanes = lanes.into_iter().flatten().enumerate();
    lanes.filter_map(|(n, lane)| Some((format!("lane[{n}].scale.verified_until"), day(lane)?))).collect()
}

/// Days that are none.
fn days(node: &Path) -> Vec<Problem> {
    let wrong = verified(node).into_iter().filter(|(_, day)| weighbridge::end_of_day_ms(day).is_none());
    wrong
        .map(|(path, day)| {
            let text = format!("`{day}`: a day such as 2027-03-31");
            Problem { file: node.to_path_buf(), path, text }
        })
        .collect()
}

/// Verifications that have ended or end soon.
fn verifications(node: &Path) -> Vec<String> {
    const SOON_DAYS: i64 = 30;
    let now_ms = device::Clock::start().now().wall_ms.0;
    let told = verified(node).into_iter().filter_map(|(path, day)| {
        let left_ms = weighbridge::end_of_day_ms(&day)? - now_ms;
        let left_days = left_ms / 86_400_000;
        match left_ms {
            ..0 => Some(format!(
                "{path}: the verification ended on {day}; no weight is legal evidence until it is renewed"
            )),
            _ if left_days < SOON_DAYS => Some(format!(
                "{path}: the verification ends on {day}, in {left_days} days; have the scale verified"
            )),
            _ => None,
        }
    });
    told.collect()
}

fn in_the_map(error: PointMapError) -> Vec<Problem> {
    let PointMapError { file, problems } = error;
    problems
        .into_iter()
        .map(|problem| {
            // The map's own problems begin with their place.
            let (path, text) = match problem.split_once(": ") {
                Some((path, text)) => (path.to_owned(), text.to_owned()),
                None => (String::new(), problem),
            };
            Problem { file: file.clone(), path, text }
        })
        .collect()
}

enum FileKind {
    Site,
    Rules,
    Node,
}

/// A rule file lists checks, a site file nodes or processes; anything else is judged as a node file. A file that cannot be
/// read or parsed goes to the loader, which says so.
fn kind_of(file: &Path) -> FileKind {
    let table = std::fs::read_to_string(file).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let is_array = |t: &toml::Table, key: &str| t.get(key).is_some_and(toml::Value::is_array);
    match table {
        Some(t) if is_array(&t, "check") || t.contains_key("author") => FileKind::Rules,
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
    #[test]
    fn a_verification_that_ends_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let node = folder.path().join("node.toml");
        let lanes = ["2020-12-31", "2999-12-31", "soon"]
            .map(|day| format!("[[lane]]\n[lane.scale]\nverified_until = '{day}'\n"));
        std::fs::write(&node, lanes.concat()).unwrap();
        let told = verifications(&node);
        assert!(
            told.len() == 1 && told[0].starts_with("lane[0].scale.verified_until: the verification ended"),
            "{told:?}"
        );
        assert!(days(&node).iter().any(|p| p.path == "lane[2].scale.verified_until"));
    }
    #[test]
    fn a_wrong_point_map_is_told_with_the_node_file_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let map = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/points/neutral.toml");
        let wrong = std::fs::read_to_string(map).unwrap().replace("permit_lower = 1", "permit_lower = 0");
        std::fs::write(folder.path().join("map.toml"), wrong.replace("bit = 2", "bit = 16")).unwrap();
        let node = folder.path().join("node.toml");
        let lane = "[[lane]]\nid = 'n1-in-1'\n[lane.io]\npoints = 'map.toml'\n";
        std::fs::write(&node, format!("site = 'none.toml'\nnode = '1'\n{lane}{lane}")).unwrap();
        let mut out = Vec::new();
        assert!(!check_files(&[node], &mut out).unwrap());
        let text = String::from_utf8(out).unwrap();
        for place in ["map.toml: inputs.points.curtain: bit 16", "map.toml: outputs.permit_lower: coil 0"] {
            assert_eq!(text.matches(place).count(), 1, "{place} is not told once:\n{text}");
        }
        assert!(text.contains("node.toml: "), "{text}");
    }
}

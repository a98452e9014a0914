//! Every file under `tests/invalid` is refused with exactly the problems of its `.expected_error` file.
//! `UPDATE_EXPECTED=1` writes those files anew; read the difference before it is committed.

#![allow(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

use config::{Problems, load_node, load_rules, load_site};
use std::path::{Path, PathBuf};

fn problems_of(file: &Path, name: &str) -> Problems {
    let refused = if name.starts_with("site-") {
        load_site(file).err()
    } else if name.starts_with("rules-") {
        load_rules(file).err()
    } else {
        load_node(file).err()
    };
    refused.unwrap_or_else(|| panic!("{name} is accepted"))
}

#[test]
fn every_invalid_file_is_told_everything_that_is_wrong() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let update = std::env::var_os("UPDATE_EXPECTED").is_some();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(files.len() >= 10, "the fixtures are missing");
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let told = format!("{}\n", problems_of(&file, &name)).replace(&format!("{}/", folder.display()), "");
        assert!(told.lines().all(|line| line.contains(".toml: ")), "a problem without its file:\n{told}");
        let expected_file = file.with_extension("expected_error");
        if update {
            std::fs::write(&expected_file, &told).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_file).unwrap_or_default();
        if told != expected {
            wrong.push(format!("--- {name}: expected\n{expected}--- told\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

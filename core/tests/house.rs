//! The arrows between the modules point one way: a module uses only those above it.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// The modules, each with those above it in reach; those in one row may use each other.
const HOUSE: [&[&str]; 9] = [
    &["json"],
    &["limits", "error"],
    &["jsonrpc"],
    &["revision"],
    &["model"],
    &["catalog", "frame", "schema", "seal"],
    &["server"],
    &["http"],
    &["settings"],
];

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| files(&entry.unwrap().path(), found));
    } else {
        found.push(path.to_owned());
    }
}

#[test]
fn arrows_point_one_way() {
    let floor = |name: &str| HOUSE.iter().position(|names| names.contains(&name));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&source, &mut found);
    let mut uses = 0;
    for path in found {
        let shown = path.strip_prefix(&source).unwrap().to_str().unwrap();
        let own = shown.split(['/', '.']).next().unwrap();
        if own == "lib" || shown.ends_with("tests.rs") {
            continue;
        }
        let height = floor(own).unwrap_or_else(|| panic!("{shown}: put the module {own} into the house"));
        // Comments and tests may look anywhere.
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for used in code.flat_map(|line| line.split("crate::").skip(1)) {
            let name = used.split(|c: char| !c.is_ascii_lowercase()).next().unwrap();
            let Some(other) = floor(name) else { continue };
            assert!(other <= height, "{shown} uses {name}, which stands below it");
            uses += 1;
        }
    }
    assert!(uses > 50, "the modules were not found");
}

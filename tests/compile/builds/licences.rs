//! What `cargo deny` would say of licences and of the tree of the published crate, without its
//! download. Advisories need a database from the network: run `cargo deny check advisories` where
//! there is one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{cargo, root, run};

const ALLOWED: [&str; 10] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "NCSA",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn every_dependency_has_a_permissive_licence() {
    let output = run(cargo(&["metadata", "--format-version", "1", "--locked"]).current_dir(root()));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !is_allowed(package["license"].as_str().unwrap_or_default()))
        .map(|package| {
            format!("{} {}: {}", package["name"], package["version"], package["license"])
        })
        .collect();
    assert!(packages.len() > 50, "cargo metadata lists the whole tree");
    assert!(refused.is_empty(), "{refused:#?}");
}

/// Some alternative of the SPDX expression has only allowed parts.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let parenthesised = expression
        .split_once(") AND ")
        .map(|(left, right)| (left.replace('(', ""), right.to_owned()));
    if let Some((left, right)) = parenthesised {
        return is_allowed(&left) && is_allowed(&right);
    }
    expression.split(" OR ").any(|all| all.split(" AND ").all(|one| ALLOWED.contains(&one.trim())))
}

#[test]
fn the_published_crate_has_one_version_of_each_dependency() {
    let tree =
        ["tree", "-p", "cache-runtime", "-e", "normal", "--prefix", "none", "--format", "{p}"];
    let output = run(cargo(&tree).current_dir(root()));
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut words = line.split_whitespace().map(str::to_owned);
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name).or_default().insert(version);
        }
    }
    assert!(versions.len() > 10, "cargo tree lists the tree");
    versions.retain(|_, versions| versions.len() > 1);
    assert!(versions.is_empty(), "{versions:#?}");
}

//! The links of all pages lead somewhere: to a file or a folder
//! that is there, and to a heading of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::root;

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let mut pages = BTreeMap::new();
    find(root(), &mut pages);
    assert!(pages.len() > 15, "the pages are found: {:?}", pages.keys());
    let mut wrong = Vec::new();
    for (page, text) in &pages {
        let folder = page.parent().expect("in a folder");
        for link in links(text).filter(|link| !is_elsewhere(link)) {
            let (to, anchor) = link.split_once('#').unwrap_or((link, ""));
            let to = match to {
                "" => page.clone(),
                to => plain(&folder.join(to)),
            };
            let has_anchor =
                |text: &String| anchor.is_empty() || anchors(text).iter().any(|it| it == anchor);
            let is_there = match pages.get(&to) {
                Some(text) => has_anchor(text),
                None => anchor.is_empty() && to.exists(),
            };
            if !is_there {
                wrong.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere:\n{}", wrong.join("\n"));
}

/// Every page below this folder that is not a build's.
fn find(folder: &Path, pages: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).expect("read the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_hidden = name.starts_with('.') || name == "target" || path.is_symlink();
        if path.is_dir() && !is_hidden {
            find(&path, pages);
        } else if name.ends_with(".md") {
            let text = fs::read_to_string(&path).expect("read the page");
            pages.insert(path.clone(), text);
        }
    }
}

fn is_elsewhere(link: &str) -> bool {
    link.contains("://") || link.starts_with("mailto:")
}

/// Without `..`, as a key of the pages.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// The lines that are no code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// What stands behind `](` in prose.
fn links(text: &str) -> impl Iterator<Item = &str> {
    prose(text).flat_map(|line| {
        let ends = line.split("](").skip(1);
        ends.filter_map(|rest| rest.split_once(')').map(|(link, _)| link))
    })
}

/// The anchors of the headings, as GitHub names them.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for heading in prose(text).filter(|line| line.starts_with('#')) {
        let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let anchor: String = heading.chars().filter(kept).collect();
        let anchor = anchor.replace(' ', "-");
        let again =
            anchors.iter().filter(|it| **it == anchor || it.starts_with(&format!("{anchor}-")));
        let anchor = match again.count() {
            0 => anchor,
            n => format!("{anchor}-{n}"),
        };
        anchors.push(anchor);
    }
    anchors
}

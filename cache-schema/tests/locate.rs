//! Finding the file.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use cache_schema::{Located, locate};
use tempfile::TempDir;

/// Folders with these files in them, outside of every workspace.
struct Folders(PathBuf, #[expect(dead_code, reason = "it goes when it is dropped")] TempDir);

impl Folders {
    fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().to_owned();
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("in the folder")).expect("writable");
            fs::write(path, text).expect("writable");
        }
        Self(root, dir)
    }

    /// The file of the crate in this folder, and what is nearer.
    #[track_caller]
    fn of(&self, crate_dir: &str, variable: Option<&str>) -> (String, Vec<String>) {
        let Located { file, nearer } =
            locate(&self.0.join(crate_dir), variable.map(OsStr::new)).expect("there is one");
        let short = |path: &PathBuf| {
            let path = path.strip_prefix(&self.0).expect("in the folder");
            path.to_str().expect("a text").to_owned()
        };
        (short(&file), nearer.iter().map(short).collect())
    }

    #[track_caller]
    fn why_not(&self, crate_dir: &str, variable: Option<&str>) -> String {
        let located = locate(&self.0.join(crate_dir), variable.map(OsStr::new));
        let why = located.expect_err("there is none").to_string();
        why.replace(&*self.0.to_string_lossy(), "ROOT")
    }
}

const MEMBER: &str = "[package]\nname = \"member\"";
const WORKSPACE: &str = "[workspace]\nmembers = [\"app/*\"]";

#[test]
fn the_crates_own_comes_first() {
    let files = [
        ("Cargo.toml", WORKSPACE),
        ("cache.toml", ""),
        ("app/one/Cargo.toml", MEMBER),
        ("app/one/cache.toml", ""),
        ("other.toml", ""),
    ];
    let folders = Folders::new(&files);
    for variable in [None, Some(""), Some("../../other.toml")] {
        let own = ("app/one/cache.toml".to_owned(), vec![]);
        assert_eq!(folders.of("app/one", variable), own, "{variable:?}");
    }
}

#[test]
fn then_what_the_variable_says_and_it_begins_at_the_crate() {
    let files = [
        ("Cargo.toml", WORKSPACE),
        ("cache.toml", ""),
        ("app/one/Cargo.toml", MEMBER),
        ("app/one/other.toml", ""),
    ];
    let folders = Folders::new(&files);
    let nearer = vec!["app/one/cache.toml".to_owned()];
    let absolute = folders.0.join("app/one/other.toml");
    for variable in ["other.toml", absolute.to_str().expect("a text")] {
        let (file, of) = folders.of("app/one", Some(variable));
        assert_eq!((&*file, &of), ("app/one/other.toml", &nearer));
    }
    assert_eq!(
        folders.why_not("app/one", Some("no.toml")),
        "CACHE_TOML names `ROOT/app/one/no.toml`, which is not a file\n\
         help: correct the variable (a relative path starts at the crate's Cargo.toml), or unset it \
         to use the nearest cache.toml above the crate"
    );
}

#[test]
fn then_the_nearest_above_it_up_to_the_workspace() {
    let files = [
        ("cache.toml", ""),
        ("workspace/Cargo.toml", WORKSPACE),
        ("workspace/app/cache.toml", ""),
        ("workspace/app/one/Cargo.toml", MEMBER),
        ("workspace/two/Cargo.toml", MEMBER),
    ];
    let folders = Folders::new(&files);
    let (file, nearer) = folders.of("workspace/app/one", None);
    assert_eq!(file, "workspace/app/cache.toml");
    assert_eq!(nearer, ["workspace/app/one/cache.toml"]);
    // What is outside of the workspace is somebody else's.
    assert_eq!(
        folders.why_not("workspace/two", None),
        "no cache.toml in `ROOT/workspace/two`, nor above it up to the workspace's folder, `ROOT/workspace`\n\
         help: create one beside the workspace's Cargo.toml (it may be empty to begin with), \
         or set CACHE_TOML to its path"
    );
    // A folder of that name is not the file.
    fs::create_dir(folders.0.join("workspace/two/cache.toml")).expect("writable");
    folders.why_not("workspace/two", None);
    let (file, _) = folders.of("workspace/two", Some("../app/cache.toml"));
    assert_eq!(file, "workspace/two/../app/cache.toml");
}

#[test]
fn the_workspace_is_what_it_is_for_cargo() {
    let files = [
        ("Cargo.toml", "[workspace]\nmembers = [\"excluded/but_named\"]\nexclude = [\"excluded\"]"),
        ("cache.toml", ""),
        ("excluded/one/Cargo.toml", MEMBER),
        ("excluded/but_named/Cargo.toml", MEMBER),
        ("nested/Cargo.toml", "[package]\nname = \"nested\"\n[workspace]"),
        ("nested/inner/Cargo.toml", MEMBER),
        ("elsewhere/Cargo.toml", "[package]\nname = \"elsewhere\"\nworkspace = \"../root\""),
        ("root/Cargo.toml", "[workspace]"),
        ("root/cache.toml", ""),
        ("broken/Cargo.toml", "[package"),
    ];
    let folders = Folders::new(&files);
    assert_eq!(folders.of("excluded/but_named", None).0, "cache.toml");
    assert_eq!(folders.of("broken", None).0, "cache.toml");
    assert_eq!(folders.of("elsewhere", None).0, "root/cache.toml");
    for alone in ["excluded/one", "nested"] {
        assert_eq!(
            folders.why_not(alone, None),
            format!(
                "no cache.toml in `ROOT/{alone}`\n\
                 help: create one beside the Cargo.toml (it may be empty to begin with), or set CACHE_TOML to its path"
            )
        );
    }
    assert!(folders.why_not("nested/inner", None).contains("`ROOT/nested`"));
}

#[test]
fn a_package_reads_its_own_alone() {
    for of_packages in ["Cargo.toml.orig", ".cargo-checksum.json", ".cargo-ok"] {
        let mark = format!("vendor/library/{of_packages}");
        let files = [
            ("Cargo.toml", WORKSPACE),
            ("cache.toml", ""),
            ("vendor/library/Cargo.toml", MEMBER),
            (&*mark, ""),
        ];
        let folders = Folders::new(&files);
        for variable in [None, Some("../../cache.toml")] {
            let why = folders.why_not("vendor/library", variable);
            let begins = format!(
                "this package comes without a cache.toml: there is none beside `ROOT/{mark}`, which"
            );
            assert!(why.starts_with(&begins), "{why}");
        }
        fs::write(folders.0.join("vendor/library/cache.toml"), "").expect("writable");
        let (file, _) = folders.of("vendor/library", Some("../../cache.toml"));
        assert_eq!(file, "vendor/library/cache.toml");
    }
}

/// The workspace of the repository is the crate's; the program that it is built for has a variable
/// of its own.
#[test]
fn a_repository_that_cargo_has_checked_out_has_its_own() {
    let files = [
        ("app/cache.toml", ""),
        ("checkout/.cargo-ok", ""),
        ("checkout/Cargo.toml", WORKSPACE),
        ("checkout/cache.toml", ""),
        ("checkout/app/one/Cargo.toml", MEMBER),
    ];
    let folders = Folders::new(&files);
    for variable in [None, Some("../../../app/cache.toml")] {
        let (file, _) = folders.of("checkout/app/one", variable);
        assert_eq!(file, "checkout/cache.toml");
    }
}

/// What is between the crate and the workspace that it names counts.
#[test]
fn a_workspace_that_is_named_is_above_it_all_the_same() {
    let files = [
        ("Cargo.toml", WORKSPACE),
        ("cache.toml", ""),
        ("app/cache.toml", ""),
        ("app/one/Cargo.toml", "[package]\nname = \"one\"\nworkspace = \"../..\""),
    ];
    let folders = Folders::new(&files);
    let (file, nearer) = folders.of("app/one", None);
    assert_eq!(file, "app/cache.toml");
    assert_eq!(nearer, ["app/one/cache.toml"]);
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_not_passed_over() {
    let files = [("Cargo.toml", WORKSPACE), ("cache.toml", ""), ("app/one/Cargo.toml", MEMBER)];
    let folders = Folders::new(&files);
    let link = folders.0.join("app/one/cache.toml");
    std::os::unix::fs::symlink("nowhere.toml", link).expect("writable");
    assert_eq!(
        folders.why_not("app/one", None),
        "`ROOT/app/one/cache.toml` is a link to nothing\nhelp: correct or remove it"
    );
}

#[test]
fn nothing_is_above_the_root_of_the_file_system() {
    let located = locate(Path::new("/no-such-folder"), None);
    let why = located.expect_err("there is none").to_string();
    assert!(why.starts_with("no cache.toml in `/no-such-folder`\n"), "{why}");
}

/// Cargo takes it for what is at the link, and so it is found from there.
#[cfg(unix)]
#[test]
fn a_member_that_is_a_link_is_where_the_link_is() {
    let files = [
        ("workspace/Cargo.toml", WORKSPACE),
        ("workspace/cache.toml", ""),
        ("elsewhere/cache.toml", ""),
        ("elsewhere/one/Cargo.toml", MEMBER),
    ];
    let folders = Folders::new(&files);
    let link = folders.0.join("workspace/app");
    std::os::unix::fs::symlink(folders.0.join("elsewhere"), link).expect("writable");
    // The folder above the link is not the one above what is linked to; this one is in both.
    assert_eq!(folders.of("workspace/app/one", None).0, "workspace/app/cache.toml");
    fs::remove_file(folders.0.join("elsewhere/cache.toml")).expect("writable");
    assert_eq!(folders.of("workspace/app/one", None).0, "workspace/cache.toml");
}

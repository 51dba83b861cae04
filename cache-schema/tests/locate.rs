//! Finding the file.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use cache_schema::locate;

/// A folder `app/crate` with a `cache.toml` in `app` and another one, `other.toml`, beside the crate.
fn folder(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(root.join("app/crate/cache.toml"))
        .expect("a folder of that name is not the file");
    fs::write(root.join("app/cache.toml"), "").expect("writable");
    fs::write(root.join("app/crate/other.toml"), "").expect("writable");
    root
}

#[test]
fn the_first_above_the_crate() {
    let root = folder("above");
    assert_eq!(
        locate(&root.join("app/crate"), None),
        Ok(root.join("app/cache.toml"))
    );
    assert_eq!(
        locate(&root.join("app"), Some(OsStr::new(""))),
        Ok(root.join("app/cache.toml"))
    );
}

#[test]
fn the_variable_wins_and_is_relative_to_the_crate() {
    let root = folder("variable");
    let crate_dir = root.join("app/crate");
    assert_eq!(
        locate(&crate_dir, Some(OsStr::new("other.toml"))),
        Ok(crate_dir.join("other.toml"))
    );
    let absolute = root.join("app/cache.toml");
    assert_eq!(
        locate(&crate_dir, Some(absolute.as_os_str())),
        Ok(absolute.clone())
    );
}

#[test]
fn what_is_not_there_is_explained() {
    let root = folder("missing");
    let error = locate(&root.join("app"), Some(OsStr::new("no.toml"))).expect_err("there is none");
    assert_eq!(
        error.to_string(),
        format!(
            "CACHE_TOML names `{}`, which is not a file\n\
             help: correct the variable (a relative path starts at the crate's Cargo.toml), or unset it \
             to use the nearest cache.toml above the crate",
            root.join("app/no.toml").display()
        )
    );
    // Nothing is above the root of the file system.
    let error = locate(&PathBuf::from("/no-such-folder"), None).expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "no cache.toml in `/no-such-folder` or any directory above it\n\
         help: create one beside the workspace's Cargo.toml (it may be empty to begin with), or set \
         CACHE_TOML to its path"
    );
}

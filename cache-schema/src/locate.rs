//! Finding the file: the crate's only I/O.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

const FILE_NAME: &str = "cache.toml";

/// Where the schema is: `cache_toml` if given, else the first `cache.toml` walking up from the
/// manifest's directory.
///
/// `cache_toml` is the value of the environment variable `CACHE_TOML`. A relative one is relative to
/// `manifest_dir`; an empty one counts as not given.
///
/// # Errors
///
/// [`NotFound`], which says where it looked and what to do.
pub fn locate(manifest_dir: &Path, cache_toml: Option<&OsStr>) -> Result<PathBuf, NotFound> {
    if let Some(given) = cache_toml.filter(|given| !given.is_empty()) {
        let path = manifest_dir.join(given);
        return if path.is_file() {
            Ok(path)
        } else {
            Err(NotFound(Searched::Given(path)))
        };
    }
    manifest_dir
        .ancestors()
        .map(|directory| directory.join(FILE_NAME))
        .find(|path| path.is_file())
        .ok_or_else(|| NotFound(Searched::UpFrom(manifest_dir.to_owned())))
}

/// There is no `cache.toml` where [`locate()`] looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFound(Searched);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Searched {
    Given(PathBuf),
    UpFrom(PathBuf),
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Searched::Given(path) => write!(
                f,
                "CACHE_TOML names `{}`, which is not a file\n\
                 help: correct the variable (a relative path starts at the crate's Cargo.toml), or \
                 unset it to use the nearest cache.toml above the crate",
                path.display()
            ),
            Searched::UpFrom(directory) => write!(
                f,
                "no cache.toml in `{}` or any directory above it\n\
                 help: create one beside the workspace's Cargo.toml (it may be empty to begin with), \
                 or set CACHE_TOML to its path",
                directory.display()
            ),
        }
    }
}

impl Error for NotFound {}

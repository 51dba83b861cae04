//! Finding the file: the crate's only I/O.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use toml::Table;

const FILE_NAME: &str = "cache.toml";

/// What a package from a registry, an archive or `cargo vendor` has beside its `Cargo.toml`.
const OF_PACKAGES: [&str; 3] = ["Cargo.toml.orig", ".cargo-checksum.json", OF_CARGO];

/// What cargo puts into what it has fetched: beside a package's manifest, atop a repository.
const OF_CARGO: &str = ".cargo-ok";

/// Where the file of a crate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The file.
    pub file: PathBuf,
    /// Places that were looked at first: should a file appear in one of them, it is that one.
    pub nearer: Vec<PathBuf>,
}

/// Where the `cache.toml` of the crate in `manifest_dir` is, by the first of these rules:
///
/// 1. It is beside the crate's `Cargo.toml`.
/// 2. It is where `cache_toml` says, the value of the environment variable `CACHE_TOML`. A relative
///    one begins at `manifest_dir`; an empty one counts as not given.
/// 3. It is in the nearest folder above the crate, up to the folder of the crate's workspace.
///
/// For a package that was published or vendored only the first rule counts: it is a part of
/// somebody else's program, whose file and variable are not meant for it. For one in a repository
/// that cargo has checked out it is the first and the third. What is above a crate, and what is its
/// workspace, is what they are for cargo
/// (<https://doc.rust-lang.org/cargo/reference/workspaces.html>): a member that is a symbolic link
/// is where the link is.
///
/// # Errors
///
/// [`NotFound`], which says where it looked and what to do.
pub fn locate(manifest_dir: &Path, cache_toml: Option<&OsStr>) -> Result<Located, NotFound> {
    let own = manifest_dir.join(FILE_NAME);
    if is_there(&own)? {
        let nearer = Vec::new();
        return Ok(Located { file: own, nearer });
    }
    let mut marks = OF_PACKAGES.iter().map(|it| manifest_dir.join(it));
    if let Some(mark) = marks.find(|mark| mark.exists()) {
        return Err(NotFound(Searched::Package(mark)));
    }
    let given = cache_toml.filter(|given| !given.is_empty() && !is_of_git(manifest_dir));
    if let Some(given) = given {
        let file = manifest_dir.join(given);
        let nearer = vec![own];
        return match file.is_file() {
            true => Ok(Located { file, nearer }),
            false => Err(NotFound(Searched::Given(file))),
        };
    }
    let mut looked = vec![own];
    let workspace = workspace(manifest_dir);
    let folders = workspace.iter().flat_map(|it| above(manifest_dir, it));
    for file in folders.map(|folder| folder.join(FILE_NAME)) {
        if is_there(&file)? {
            let nearer = looked;
            return Ok(Located { file, nearer });
        }
        looked.push(file);
    }
    let crate_dir = manifest_dir.to_owned();
    Err(NotFound(Searched::Folders { crate_dir, workspace }))
}

/// Whether cargo has checked the crate out of a repository, to build somebody else's program.
fn is_of_git(crate_dir: &Path) -> bool {
    crate_dir.ancestors().any(|folder| folder.join(OF_CARGO).exists())
}

/// A link to nothing is no reason to take another file.
fn is_there(file: &Path) -> Result<bool, NotFound> {
    match file.is_symlink() && !file.exists() {
        true => Err(NotFound(Searched::Dangling(file.to_owned()))),
        false => Ok(file.is_file()),
    }
}

/// The folders above the crate's, up to its workspace's; only that one, if it is not above.
fn above(crate_dir: &Path, workspace: &Path) -> Vec<PathBuf> {
    if !crate_dir.starts_with(workspace) {
        return vec![workspace.to_owned()];
    }
    let above = crate_dir.ancestors().skip(1);
    let above = above.take_while(|folder| folder.starts_with(workspace));
    above.map(Path::to_owned).collect()
}

/// The folder of the workspace that the crate is a member of, if it is not the crate's own.
fn workspace(crate_dir: &Path) -> Option<PathBuf> {
    let own = manifest(crate_dir).unwrap_or_default();
    if own.contains_key("workspace") {
        return None;
    }
    let package = own.get("package").and_then(|it| it.as_table());
    if let Some(root) = package.and_then(|it| it.get("workspace")?.as_str()) {
        return Some(plain(&crate_dir.join(root)));
    }
    let mut above = crate_dir.ancestors().skip(1);
    above
        .find(|folder| {
            let manifest = manifest(folder).unwrap_or_default();
            let workspace = manifest.get("workspace").and_then(|it| it.as_table());
            workspace.is_some_and(|it| !is_excluded(it, folder, crate_dir))
        })
        .map(Path::to_owned)
}

/// Without `..`, as it is written.
fn plain(path: &Path) -> PathBuf {
    let parts = path.components();
    parts.fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
        plain
    })
}

/// As cargo decides it: a member that is named is in, whatever is excluded.
fn is_excluded(workspace: &Table, root: &Path, crate_dir: &Path) -> bool {
    let names = |key: &str| {
        let paths = workspace.get(key).and_then(|it| it.as_array());
        let mut paths = paths.into_iter().flatten().filter_map(|it| it.as_str());
        paths.any(|path| crate_dir.starts_with(root.join(path)))
    };
    names("exclude") && !names("members")
}

/// What is wrong with it is for cargo to say.
fn manifest(folder: &Path) -> Option<Table> {
    let text = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    text.parse().ok()
}

/// There is no `cache.toml` where [`locate()`] looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotFound(Searched);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Searched {
    /// By this file it is known to be one.
    Package(PathBuf),
    Dangling(PathBuf),
    Given(PathBuf),
    Folders {
        crate_dir: PathBuf,
        workspace: Option<PathBuf>,
    },
}

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Searched::Dangling(file) => {
                write!(f, "`{}` is a link to nothing\nhelp: correct or remove it", file.display())
            }
            Searched::Package(mark) => write!(
                f,
                "this package comes without a cache.toml: there is none beside `{}`, which published and vendored packages have\n\
                 help: whoever publishes it puts one beside its Cargo.toml (a symbolic link to the workspace's will do), \
                 and names it in `include`, if the manifest has that; a package does not read the file of the program that it is used in",
                mark.display()
            ),
            Searched::Given(path) => write!(
                f,
                "CACHE_TOML names `{}`, which is not a file\n\
                 help: correct the variable (a relative path starts at the crate's Cargo.toml), or \
                 unset it to use the nearest cache.toml above the crate",
                path.display()
            ),
            Searched::Folders { crate_dir, workspace: Some(workspace) } => write!(
                f,
                "no cache.toml in `{}`, nor above it up to the workspace's folder, `{}`\n\
                 help: create one beside the workspace's Cargo.toml (it may be empty to begin with), \
                 or set CACHE_TOML to its path",
                crate_dir.display(),
                workspace.display()
            ),
            Searched::Folders { crate_dir, workspace: None } => write!(
                f,
                "no cache.toml in `{}`\n\
                 help: create one beside the Cargo.toml (it may be empty to begin with), \
                 or set CACHE_TOML to its path",
                crate_dir.display()
            ),
        }
    }
}

impl Error for NotFound {}

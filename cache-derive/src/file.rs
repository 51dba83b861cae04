//! `cache.toml`, found and parsed.

use std::fs;
use std::path::{Path, PathBuf};

use cache_schema::{Diagnostics, Located, Schema};
use proc_macro2::TokenStream;
use quote::quote;

/// The file as a macro needs it.
pub(crate) struct SchemaFile {
    pub(crate) schema: Result<Schema, Diagnostics>,
    /// How messages name it.
    pub(crate) name: String,
    /// Makes cargo rebuild the crate when the file, or `CACHE_TOML`, changes.
    pub(crate) tracking: TokenStream,
    /// Where another one would be the crate's, should it appear: cargo can be told of what is
    /// there, not of what is not.
    pub(crate) nearer: Vec<TokenStream>,
}

/// Reads the file of the crate that is being compiled.
pub(crate) fn read() -> Result<SchemaFile, String> {
    let manifest_dir = PathBuf::from(
        std::env::var_os("CARGO_MANIFEST_DIR")
            .ok_or("CARGO_MANIFEST_DIR is not set: build with cargo")?,
    );
    let variable = std::env::var_os("CACHE_TOML");
    let Located { file, nearer } = cache_schema::locate(&manifest_dir, variable.as_deref())
        .map_err(|not_found| not_found.to_string())?;
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let name = name(&file);
    let bytes = path(&manifest_dir, &file);
    Ok(SchemaFile {
        schema: Schema::parse(&name, &text),
        name,
        tracking: quote! {
            const _: (&[u8], ::core::option::Option<&str>) =
                (::core::include_bytes!(#bytes), ::core::option_env!("CACHE_TOML"));
        },
        nearer: nearer.iter().map(|it| path(&manifest_dir, it)).collect(),
    })
}

/// As the compiler names files: from the folder that it runs in, which is the workspace's, if it is
/// there.
fn name(file: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let name = file.strip_prefix(here).unwrap_or(file);
    name.display().to_string()
}

/// Relative to the manifest where it is above it, so that no expansion holds an absolute path, and
/// that another checkout's is another file. (Where a link is on the way, `..` would lead
/// elsewhere.)
fn path(manifest_dir: &Path, file: &Path) -> TokenStream {
    let mut folders = manifest_dir.ancestors();
    let levels = folders.position(|above| Some(above) == file.parent());
    if let (Some(levels), Some(name)) = (levels, file.file_name()) {
        let relative = format!("/{}{}", "../".repeat(levels), name.to_string_lossy());
        let folder = |path: &Path| fs::canonicalize(path).ok();
        let up = manifest_dir.join("../".repeat(levels));
        if folder(&up) == file.parent().and_then(folder) {
            return quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #relative));
        }
    }
    let path = file.to_string_lossy();
    quote!(#path)
}

//! `cache.toml`, found and parsed.

use std::path::{Path, PathBuf};

use cache_schema::{Diagnostics, Schema};
use proc_macro2::TokenStream;
use quote::quote;

/// The file as a macro needs it.
pub(crate) struct SchemaFile {
    /// How messages name it.
    pub(crate) name: String,
    pub(crate) schema: Result<Schema, Diagnostics>,
    /// Makes cargo rebuild the crate when the file, or `CACHE_TOML`, changes.
    pub(crate) tracking: TokenStream,
}

/// Reads the file of the crate that is being compiled.
pub(crate) fn read() -> Result<SchemaFile, String> {
    let manifest_dir = PathBuf::from(
        std::env::var_os("CARGO_MANIFEST_DIR")
            .ok_or("CARGO_MANIFEST_DIR is not set: build with cargo")?,
    );
    let path = cache_schema::locate(&manifest_dir, std::env::var_os("CACHE_TOML").as_deref())
        .map_err(|not_found| not_found.to_string())?;
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let name = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    let bytes = include_path(&manifest_dir, &path);
    Ok(SchemaFile {
        schema: Schema::parse(&name, &text),
        name,
        tracking: quote! {
            const _: (&[u8], ::core::option::Option<&str>) =
                (::core::include_bytes!(#bytes), ::core::option_env!("CACHE_TOML"));
        },
    })
}

/// Relative to the manifest where it is above it, so that no expansion holds an absolute path.
fn include_path(manifest_dir: &Path, path: &Path) -> TokenStream {
    let levels = manifest_dir
        .ancestors()
        .position(|above| Some(above) == path.parent());
    match (levels, path.file_name()) {
        (Some(levels), Some(name)) => {
            let relative = format!("/{}{}", "../".repeat(levels), name.to_string_lossy());
            quote!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), #relative))
        }
        _ => {
            let path = path.to_string_lossy();
            quote!(#path)
        }
    }
}

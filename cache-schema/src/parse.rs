//! From the text to a schema, or to all that is wrong with it.

use std::sync::Arc;

use crate::diagnostic::{Diagnostics, Errors};
use crate::schema::Schema;
use crate::source::Source;
use crate::{check, read, resolve};

impl Schema {
    /// Reads, checks and resolves the file. `file` is its name in diagnostics: "cache.toml".
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file. (Where it is not even TOML, only that.)
    pub fn parse(file: &str, text: &str) -> Result<Self, Diagnostics> {
        let source = Arc::new(Source { file: file.to_owned(), text: text.to_owned() });
        let mut errors = Errors::new(Arc::clone(&source));

        let file = read::file(text, &mut errors);
        check::all(&file, &mut errors);
        let (models, lists) = resolve::all(&file, &mut errors);

        errors.finish()?;
        Ok(Self { settings: file.settings, models, lists, source })
    }
}

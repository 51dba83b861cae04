//! What is wrong with the file, in rustc's look.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::source::{Position, Source};

/// Everything that is wrong with a file, in the order of its lines.
///
/// `Display` shows all of it, as rustc would, and ends with a count.
#[derive(Debug, Clone)]
pub struct Diagnostics(Vec<Diagnostic>);

/// One mistake: what, where, why, and what to do.
///
/// `Display` shows it as rustc would, without the final newline.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// What is wrong with the marked place in particular.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Where it is.
    pub position: Position,
    /// The `[model.x]` it is in.
    pub model: Option<String>,
    span: Range<usize>,
    related: Vec<(Range<usize>, String)>,
    source: Arc<Source>,
}

impl Diagnostics {
    /// The diagnostics in the order of the file's lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in self {
            write!(f, "{diagnostic}\n\n")?;
        }
        let count = self.0.len();
        let errors = if count == 1 { "error" } else { "errors" };
        let file = self.0.first().map_or("cache.toml", |first| &first.source.file);
        write!(f, "{count} {errors} in {file}")
    }
}

impl Error for Diagnostics {}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let primary = AnnotationKind::Primary.span(self.span.clone()).label(self.label.as_deref());
        let related = self
            .related
            .iter()
            .map(|(span, label)| AnnotationKind::Context.span(span.clone()).label(label.as_str()));
        let snippet = Snippet::source(self.source.text.as_str())
            .path(self.source.file.as_str())
            .annotation(primary)
            .annotations(related);
        let help = self.help.iter().map(|help| Level::HELP.message(help.as_str()));
        let report =
            Level::ERROR.primary_title(self.message.as_str()).element(snippet).elements(help);
        f.write_str(&Renderer::plain().render(&[report]))
    }
}

/// Builders, for the code that finds the mistake.
impl Diagnostic {
    pub(crate) fn label(&mut self, label: impl Into<String>) -> &mut Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn help_if(&mut self, help: Option<String>) -> &mut Self {
        self.help = help.or(self.help.take());
        self
    }

    pub(crate) fn model(&mut self, model: &str) -> &mut Self {
        self.model = Some(model.to_owned());
        self
    }

    /// Another place that has to do with it.
    pub(crate) fn related(&mut self, span: Range<usize>, label: impl Into<String>) -> &mut Self {
        self.related.push((span, label.into()));
        self
    }
}

/// Collects what is wrong while the file is read and checked.
#[must_use = "`finish` tells whether there were errors"]
pub(crate) struct Errors {
    source: Arc<Source>,
    found: Vec<Diagnostic>,
}

impl Errors {
    pub(crate) fn new(source: Arc<Source>) -> Self {
        Self { source, found: Vec::new() }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Adds an error at `span`; the caller goes on to say more about it.
    pub(crate) fn error(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        let span = self.source.in_lines(span);
        self.found.push(Diagnostic {
            message: message.into(),
            label: None,
            help: None,
            position: self.source.position(span.start),
            model: None,
            span,
            related: Vec::new(),
            source: Arc::clone(&self.source),
        });
        let last = self.found.len() - 1;
        &mut self.found[last]
    }

    pub(crate) fn finish(mut self) -> Result<(), Diagnostics> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|diagnostic| diagnostic.position);
        Err(Diagnostics(self.found))
    }
}

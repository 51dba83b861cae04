//! The text of the file, and places in it.

use std::fmt;
use std::ops::Range;

/// A place in the file; line and column count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The file as it was given: its name for messages, and its text.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
}

impl Source {
    /// The span, but for the end of the last line: what is missing there is missing in that line,
    /// not in one after it.
    pub(crate) fn in_lines(&self, span: Range<usize>) -> Range<usize> {
        let end = self.text.strip_suffix('\n').unwrap_or(&self.text).len();
        span.start.min(end)..span.end.min(end)
    }

    pub(crate) fn position(&self, offset: usize) -> Position {
        let before = &self.text[..offset.min(self.text.len())];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// "cache.toml:12:16 | references = { vidoe_id = "video" }"
    pub(crate) fn at(&self, position: Position) -> String {
        let line = self.text.lines().nth(position.line.saturating_sub(1)).unwrap_or_default();
        format!("{}:{position} | {}", self.file, line.trim())
    }

    /// The span of a part of a string's content, where `whole` is the span of the string with its
    /// quotes. A string written with escapes is not taken apart: then it is the whole.
    pub(crate) fn inside(
        &self,
        whole: &Range<usize>,
        content: &str,
        part: Range<usize>,
    ) -> Range<usize> {
        let start = whole.start + 1;
        match self.text.get(start..whole.end.saturating_sub(1)) {
            Some(written) if written == content => start + part.start..start + part.end,
            _ => whole.clone(),
        }
    }
}

/// FNV-1a, which is the same in every build, unlike the standard library's hasher
/// (<http://www.isthe.com/chongo/tech/comp/fnv/>).
pub(crate) fn fnv<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    // The zero byte ends each text, so that moving text between neighbours changes the hash.
    let bytes = texts.into_iter().flat_map(|text| text.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

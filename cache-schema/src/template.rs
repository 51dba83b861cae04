//! Key templates: `plio_{id}`.

pub(crate) mod collision;

use std::fmt;
use std::ops::Range;

use crate::names::snake;

/// How a key is made: literals, and columns in braces.
///
/// `Display` shows it as it is written in the file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyTemplate {
    segments: Vec<Segment>,
}

/// A piece of a [`KeyTemplate`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Text that is the same in every key.
    Literal(String),
    /// The value of this column, escaped: a *part*.
    Column(String),
}

/// What can be wrong with a template by itself; `range` is where in the template.
pub(crate) struct Flaw {
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
    pub(crate) label: &'static str,
    pub(crate) help: &'static str,
}

/// Whether a part can contain this character. The runtime escapes every other one as `%XX`.
pub(crate) fn is_in_parts(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '%' | '-')
}

/// Whether a literal or the prefix may contain this character.
pub(crate) fn is_in_literals(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '{' | '}')
}

impl KeyTemplate {
    /// The pieces, in order; no literal is empty, and no two literals are neighbours.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Column(column) => Some(column.as_str()),
            Segment::Literal(_) => None,
        })
    }

    /// `plio_by_uuid_{uuid}`
    pub(crate) fn lookup(model: &str, column: &str) -> Self {
        let literal = format!("{}_by_{column}_", snake(model));
        Self { segments: vec![Segment::Literal(literal), Segment::Column(column.to_owned())] }
    }

    /// Takes the template apart, and says all that is wrong with it.
    pub(crate) fn parse(text: &str) -> (Self, Vec<Flaw>) {
        let mut segments = Vec::new();
        let mut flaws = Vec::new();
        let mut separated = true;
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let end = match rest.strip_prefix('{') {
                Some(inner) => match inner.find(['{', '}']) {
                    Some(close) if inner[close..].starts_with('}') => {
                        let end = at + close + 2;
                        if !separated {
                            flaws.push(unseparated(at..end));
                        }
                        separated = false;
                        segments.push(Segment::Column(inner[..close].to_owned()));
                        end
                    }
                    _ => {
                        flaws.push(unbalanced(at..at + 1, "this brace is never closed"));
                        at + 1
                    }
                },
                None => {
                    let end = at + rest.find('{').unwrap_or(rest.len());
                    let literal = &text[at..end];
                    flaws.extend(flaws_of_literal(literal, at));
                    separated |= literal.contains(|c| !is_in_parts(c));
                    segments.push(Segment::Literal(literal.to_owned()));
                    end
                }
            };
            at = end;
        }
        (Self { segments }, flaws)
    }
}

fn flaws_of_literal(literal: &str, start: usize) -> impl Iterator<Item = Flaw> {
    literal.char_indices().filter(|(_, c)| !is_in_literals(*c)).map(move |(offset, c)| {
        let range = start + offset..start + offset + c.len_utf8();
        if c == '}' {
            unbalanced(range, "this brace closes nothing")
        } else {
            bad_character(range, c)
        }
    })
}

fn unbalanced(range: Range<usize>, label: &'static str) -> Flaw {
    Flaw {
        range,
        message: "unbalanced braces in the key".to_owned(),
        label,
        help: "a column stands between braces, such as `{id}`; a literal cannot have any",
    }
}

fn bad_character(range: Range<usize>, c: char) -> Flaw {
    Flaw {
        range,
        message: format!("a key cannot contain {c:?}"),
        label: "not a printable ASCII character",
        help: "use letters, digits and punctuation; no spaces",
    }
}

fn unseparated(range: Range<usize>) -> Flaw {
    Flaw {
        range,
        message: "two columns in the key run into each other".to_owned(),
        label: "nothing tells where the one before ends",
        help: "put `_` or `:` between them; letters, digits, `.`, `-` and `%` can be part of a value",
    }
}

impl fmt::Display for KeyTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => f.write_str(text)?,
                Segment::Column(column) => write!(f, "{{{column}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_back() {
        let (key, flaws) = KeyTemplate::parse("app:{tenant}:video_{id}!");
        assert!(flaws.is_empty());
        assert_eq!(key.to_string(), "app:{tenant}:video_{id}!");
        assert_eq!(key.columns().collect::<Vec<_>>(), ["tenant", "id"]);
        assert_eq!(key.segments()[0], Segment::Literal("app:".into()));
        assert_eq!(KeyTemplate::lookup("plio-x", "uuid").to_string(), "plio_x_by_uuid_{uuid}");
    }

    #[test]
    fn flaws() {
        let flawed = |text: &str| -> Vec<String> {
            let flaws = KeyTemplate::parse(text).1.into_iter();
            flaws.map(|flaw| text[flaw.range].to_owned()).collect()
        };
        assert_eq!(flawed("{id"), ["{"]);
        assert_eq!(flawed("id}"), ["}"]);
        assert_eq!(flawed("{a{b}"), ["{"]);
        assert_eq!(flawed("{a}{b}"), ["{b}"]);
        assert_eq!(flawed("{a}x.%-9{b}"), ["{b}"]);
        assert!(flawed("{a}x_9{b}").is_empty());
        assert_eq!(flawed("a é"), [" ", "é"]);
    }
}

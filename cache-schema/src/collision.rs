//! Can one text be a key of two templates?
//!
//! A template is a small automaton: a literal's characters one by one, and for a column any string over
//! the characters of parts. Two templates collide when both automata accept some text.

use std::collections::HashSet;

use crate::key::{KeyTemplate, Segment, is_in_literals, is_in_parts};

/// The texts a key can have.
pub(crate) struct Pattern(Vec<Element>);

#[derive(Clone, Copy)]
enum Element {
    One(char),
    /// Any string of characters that this accepts, also the empty one.
    Any(fn(char) -> bool),
}

impl Pattern {
    /// The keys of a template behind a prefix.
    pub(crate) fn new(prefix: &str, key: &KeyTemplate) -> Self {
        let literal = |text: &str| text.chars().map(Element::One).collect::<Vec<_>>();
        let segments = key.segments().iter().flat_map(|segment| match segment {
            Segment::Literal(text) => literal(text),
            Segment::Column(_) => vec![Element::Any(is_in_parts)],
        });
        Self(literal(prefix).into_iter().chain(segments).collect())
    }

    /// Everything that starts with this text.
    pub(crate) fn starting_with(text: &str) -> Self {
        let start = text.chars().map(Element::One);
        Self(start.chain([Element::Any(is_in_literals)]).collect())
    }

    /// A text that both accept, if there is one.
    pub(crate) fn common_text(&self, other: &Self) -> Option<String> {
        let mut text = Vec::new();
        let search = Search {
            left: &self.0,
            right: &other.0,
        };
        search
            .from(0, 0, &mut HashSet::new(), &mut text)
            .then(|| text.into_iter().collect())
    }
}

struct Search<'a> {
    left: &'a [Element],
    right: &'a [Element],
}

impl Search<'_> {
    /// Whether what follows these positions has a text in common; `text` is what was read so far.
    /// Positions once tried are not tried again: they led nowhere, or are being tried.
    fn from(
        &self,
        i: usize,
        j: usize,
        tried: &mut HashSet<(usize, usize)>,
        text: &mut Vec<char>,
    ) -> bool {
        use Element::{Any, One};

        if !tried.insert((i, j)) {
            return false;
        }
        // Each move: how far both go, and the character they read. An `Any` that reads stays where it
        // is, and is left by reading nothing. Two of them leave together with a "1", for the looks.
        let moves: &[(usize, usize, Option<char>)] = match (self.left.get(i), self.right.get(j)) {
            (None, None) => return true,
            (Some(One(a)), Some(One(b))) if a == b => &[(1, 1, Some(*a))],
            (Some(Any(accepts)), Some(One(c))) if accepts(*c) => &[(0, 1, Some(*c)), (1, 0, None)],
            (Some(One(c)), Some(Any(accepts))) if accepts(*c) => &[(1, 0, Some(*c)), (0, 1, None)],
            (Some(Any(_)), Some(Any(_))) => &[(1, 1, Some('1')), (1, 0, None), (0, 1, None)],
            (Some(Any(_)), _) => &[(1, 0, None)],
            (_, Some(Any(_))) => &[(0, 1, None)],
            _ => &[],
        };
        for (left, right, read) in moves {
            let before = text.len();
            text.extend(read);
            if self.from(i + left, j + right, tried, text) {
                return true;
            }
            text.truncate(before);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collide(a: &str, b: &str) -> Option<String> {
        let [a, b] = [a, b].map(|text| Pattern::new("", &KeyTemplate::parse(text).0));
        let text = a.common_text(&b);
        assert_eq!(
            text.is_some(),
            b.common_text(&a).is_some(),
            "it is symmetrical"
        );
        text
    }

    #[test]
    fn collisions() {
        assert_eq!(collide("plio_{id}", "plio_{id}").as_deref(), Some("plio_1"));
        assert_eq!(collide("a{id}", "ab{id}").as_deref(), Some("ab1"));
        assert_eq!(collide("{id}-x", "y-{id}").as_deref(), Some("y--x"));
        assert_eq!(collide("{a}:{b}", "user:{id}").as_deref(), Some("user:1"));
        assert_eq!(collide("{a}_{b}", "{a}_b_{c}"), None);
        assert_eq!(collide("plio_{id}", "plio_by_uuid_{uuid}"), None);
        assert_eq!(collide("user_{id}", "user_{tenant}_{id}"), None);
        assert_eq!(collide("v{id}", "u{id}"), None);
    }

    #[test]
    fn the_search_stays_small() {
        let many = "{a}x".repeat(60);
        assert_eq!(collide(&many, &format!("{many}_")), None);
    }

    #[test]
    fn what_starts_with_a_text() {
        let reserved = Pattern::starting_with("cache:");
        let starts = |prefix: &str, key: &str| {
            Pattern::new(prefix, &KeyTemplate::parse(key).0)
                .common_text(&reserved)
                .is_some()
        };
        assert!(
            starts("", "cache:{id}") && starts("", "{tenant}:{id}") && starts("ca", "che:{id}")
        );
        assert!(!starts("", "cache_{id}") && !starts("app:", "{tenant}:{id}"));
    }
}

//! Can one text be a key of two templates?
//!
//! A template is a small automaton: a literal's characters one by one, and for a column any string
//! over the characters of parts. Two templates collide when both automata accept some text.

use std::collections::HashSet;

use super::{KeyTemplate, Segment, is_in_literals, is_in_parts};

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
    ///
    /// Goes through pairs of positions. One once tried is not tried again: it led nowhere, or is
    /// being tried.
    pub(crate) fn common_text(&self, other: &Self) -> Option<String> {
        use Element::{Any, One};

        let mut tried = HashSet::new();
        let mut text = Vec::new();
        // Positions to be tried, the last one first, with how much was read before, and the
        // character that was read then.
        let mut ahead = vec![(0, 0, 0, None)];
        while let Some((i, j, before, read)) = ahead.pop() {
            if !tried.insert((i, j)) {
                continue;
            }
            text.truncate(before);
            text.extend(read);
            // Each move: how far both go, and the character they read. An `Any` that reads stays
            // where it is, and is left by reading nothing. Two of them leave together with a "1",
            // for the looks.
            let moves: &[(usize, usize, Option<char>)] = match (self.0.get(i), other.0.get(j)) {
                (None, None) => return Some(text.into_iter().collect()),
                (Some(One(a)), Some(One(b))) if a == b => &[(1, 1, Some(*a))],
                (Some(Any(accepts)), Some(One(c))) if accepts(*c) => {
                    &[(0, 1, Some(*c)), (1, 0, None)]
                }
                (Some(One(c)), Some(Any(accepts))) if accepts(*c) => {
                    &[(1, 0, Some(*c)), (0, 1, None)]
                }
                (Some(Any(_)), Some(Any(_))) => &[(1, 1, Some('1')), (1, 0, None), (0, 1, None)],
                (Some(Any(_)), _) => &[(1, 0, None)],
                (_, Some(Any(_))) => &[(0, 1, None)],
                _ => &[],
            };
            for (left, right, read) in moves.iter().rev() {
                ahead.push((i + left, j + right, text.len(), *read));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collide(a: &str, b: &str) -> Option<String> {
        let [a, b] = [a, b].map(|text| Pattern::new("", &KeyTemplate::parse(text).0));
        let text = a.common_text(&b);
        assert_eq!(text.is_some(), b.common_text(&a).is_some(), "it is symmetrical");
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
    fn a_long_key_is_no_deep_search() {
        let long = "x".repeat(100_000);
        let text = collide(&format!("{long}{{id}}"), &format!("{long}y"));
        assert_eq!(text, Some(long + "y"));
    }

    #[test]
    fn what_starts_with_a_text() {
        let reserved = Pattern::starting_with("cache:");
        let starts = |prefix: &str, key: &str| {
            Pattern::new(prefix, &KeyTemplate::parse(key).0).common_text(&reserved).is_some()
        };
        assert!(
            starts("", "cache:{id}") && starts("", "{tenant}:{id}") && starts("ca", "che:{id}")
        );
        assert!(!starts("", "cache_{id}") && !starts("app:", "{tenant}:{id}"));
    }
}

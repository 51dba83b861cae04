//! Stored JSON without what is hidden in it. Nothing is decoded: what is shown is copied as it is
//! written, to the last byte.

use std::borrow::Cow;

use crate::model::hidden::{Hidden, Member};

/// How deep rows nest at most: as deep as serde_json takes them, so that foreign bytes do not take
/// all of the stack.
const DEPTH: usize = 128;

/// What is shown of rows; `None`: they are not written in JSON, or nest too deep.
pub(crate) fn shown(json: &[u8], hidden: &'static Hidden) -> Option<Vec<u8>> {
    let mut cut = Cut { rest: json, shown: Vec::with_capacity(json.len()) };
    cut.rows(hidden, DEPTH)?;
    cut.rest.trim_ascii().is_empty().then_some(cut.shown)
}

struct Cut<'a> {
    rest: &'a [u8],
    shown: Vec<u8>,
}

impl<'a> Cut<'a> {
    /// A row, several, or none.
    fn rows(&mut self, hidden: &'static Hidden, depth: usize) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.rest = self.rest.trim_ascii_start();
        match self.rest.first()? {
            b'{' => self.object(hidden, depth),
            b'[' => self.array(hidden, depth),
            _ => self.show_value(),
        }
    }

    fn array(&mut self, hidden: &'static Hidden, depth: usize) -> Option<()> {
        self.rest = self.rest.get(1..)?;
        self.shown.push(b'[');
        let mut goes_on = !self.takes(b']');
        while goes_on {
            self.rows(hidden, depth)?;
            goes_on = self.goes_on(b']')?;
            self.shown.extend(goes_on.then_some(b','));
        }
        self.shown.push(b']');
        Some(())
    }

    fn object(&mut self, hidden: &'static Hidden, depth: usize) -> Option<()> {
        self.rest = self.rest.get(1..)?;
        self.shown.push(b'{');
        let (mut goes_on, mut is_first) = (!self.takes(b'}'), true);
        while goes_on {
            let name = self.name()?;
            let member = hidden.member(&unescaped(name)?);
            if matches!(member, Member::Hidden) {
                self.value()?;
            } else {
                self.shown.extend((!is_first).then_some(b','));
                is_first = false;
                self.shown.extend_from_slice(name);
                self.shown.push(b':');
                match member {
                    Member::Rows(hidden) => self.rows(hidden, depth)?,
                    Member::Shown | Member::Hidden => self.show_value()?,
                }
            }
            goes_on = self.goes_on(b'}')?;
        }
        self.shown.push(b'}');
        Some(())
    }

    /// The name of a member, with its quotes; takes the colon as well.
    fn name(&mut self) -> Option<&'a [u8]> {
        self.rest = self.rest.trim_ascii_start();
        let name = self.take(text(self.rest)?)?;
        self.takes(b':').then_some(name)
    }

    /// A value, as it is written.
    fn value(&mut self) -> Option<&'a [u8]> {
        self.rest = self.rest.trim_ascii_start();
        self.take(value(self.rest)?)
    }

    fn show_value(&mut self) -> Option<()> {
        let value = self.value()?;
        self.shown.extend_from_slice(value);
        Some(())
    }

    /// So many bytes.
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// Whether this byte comes next; takes it.
    fn takes(&mut self, byte: u8) -> bool {
        let rest = self.rest.trim_ascii_start().strip_prefix(&[byte]);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Whether a comma comes next, and not the end.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        match self.takes(b',') {
            true => Some(true),
            false => self.takes(end).then_some(false),
        }
    }
}

/// What a name means.
fn unescaped(name: &[u8]) -> Option<Cow<'_, [u8]>> {
    match name.contains(&b'\\') {
        true => Some(serde_json::from_slice::<String>(name).ok()?.into_bytes().into()),
        false => Some(name.get(1..name.len() - 1)?.into()),
    }
}

/// How many bytes the text takes that is at the beginning.
fn text(json: &[u8]) -> Option<usize> {
    let mut length = json.starts_with(b"\"").then_some(1)?;
    loop {
        length += match json.get(length)? {
            b'"' => return Some(length + 1),
            b'\\' => 2,
            _ => 1,
        };
    }
}

/// How many bytes the value takes that is at the beginning.
fn value(json: &[u8]) -> Option<usize> {
    let (mut length, mut depth) = (0, 0_usize);
    loop {
        let rest = json.get(length..)?;
        length += match rest.first()? {
            b'"' => text(rest)?,
            b'{' | b'[' => {
                depth += 1;
                1
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                1
            }
            byte if is_scalar(*byte) => {
                rest.iter().position(|byte| !is_scalar(*byte)).unwrap_or(rest.len())
            }
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if depth > 0 => 1,
            _ => return None,
        };
        if depth == 0 {
            return Some(length);
        }
    }
}

/// Whether it may be in a number, or in `true`, `false` and `null`.
fn is_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    static LEAF: Hidden = Hidden { names: &["id", "a\"b"], ..Hidden::NOTHING };
    static FLAT: Hidden =
        Hidden { names: &["flat_id"], embedded: &[("leaf", &LEAF)], ..Hidden::NOTHING };
    static ROOT: Hidden = Hidden {
        names: &["id", "ö"],
        embedded: &[("leaf", &LEAF), ("plain", &Hidden::NOTHING), ("list", &LEAF)],
        flattened: &[&FLAT],
        itself: &["children"],
    };

    #[track_caller]
    fn is_shown(json: &str, expected: &str) {
        let shown = shown(json.as_bytes(), &ROOT).expect("it is JSON");
        assert_eq!(String::from_utf8_lossy(&shown), expected, "of {json}");
    }

    #[test]
    fn hidden_members_are_left_out_wherever_they_stand() {
        is_shown(r#"{"id":1,"a":2,"b":3}"#, r#"{"a":2,"b":3}"#);
        is_shown(r#"{"a":2,"id":1,"b":3}"#, r#"{"a":2,"b":3}"#);
        is_shown(r#"{"a":2,"b":3,"id":1}"#, r#"{"a":2,"b":3}"#);
        is_shown(r#"{"id":1,"flat_id":{"a":[{"id":1}]}}"#, "{}");
        is_shown(r#"{"id":1,"a":2,"id":[3],"id":"4"}"#, r#"{"a":2}"#);
        is_shown("{}", "{}");
        is_shown("null", "null");
        is_shown(r#"[[],{"id":1},null,[{"id":1,"a":1}]]"#, r#"[[],{},null,[{"a":1}]]"#);
    }

    #[test]
    fn what_rows_hide_is_left_out_of_these_rows_only() {
        is_shown(r#"{"leaf":{"id":1,"ö":1}}"#, r#"{"leaf":{"ö":1}}"#);
        is_shown(r#"{"list":[{"id":1},null,[{"id":2}]]}"#, r#"{"list":[{},null,[{}]]}"#);
        is_shown(r#"{"leaf":{"leaf":{"id":1}}}"#, r#"{"leaf":{"leaf":{"id":1}}}"#);
        for json in [
            r#"{"plain":{"id":1}}"#,
            r#"{"config":{"id":1,"leaf":{"id":1}}}"#,
            r#"{"list":[1,"id",{"b":{"id":1}}]}"#,
            r#"{"leaf":"{\"id\":1}"}"#,
        ] {
            is_shown(json, json);
        }
        is_shown(
            r#"{"children":[{"children":[{"id":1,"a":2}],"id":3}]}"#,
            r#"{"children":[{"children":[{"a":2}]}]}"#,
        );
    }

    #[test]
    fn names_are_what_they_mean_and_are_shown_as_they_are_written() {
        is_shown(r#"{"i\u0064":1,"\u00f6":2,"\u0061":3}"#, r#"{"\u0061":3}"#);
        is_shown(r#"{"leaf":{"a\"b":1,"a\\\"b":2}}"#, r#"{"leaf":{"a\\\"b":2}}"#);
        is_shown(r#"{"l\u0065af":{"id":1},"ID":1,"id ":2}"#, r#"{"l\u0065af":{},"ID":1,"id ":2}"#);
        is_shown(
            r#"{"a":"id","b":"\"id\":","c":"\\","id":"\\\"}"}"#,
            r#"{"a":"id","b":"\"id\":","c":"\\"}"#,
        );
    }

    #[test]
    fn values_keep_their_bytes() {
        let json = r#"{"a":1e400,"b":-0.0,"c":31.2452701914394380,"d":123456789012345678901234567890,"e":"\u00e4ä🦀\/","f":[ 1 , { } ],"g":true}"#;
        is_shown(json, json);
        is_shown(&json.replacen('{', r#" { "id" : [ 1 , 2 ] , "#, 1), json);
    }

    #[test]
    fn what_is_no_json_is_not_shown() {
        let whole = r#"{"a":[1,{"b":"c"}],"id":"x","leaf":{"id":2,"d":3}}"#;
        is_shown(whole, r#"{"a":[1,{"b":"c"}],"leaf":{"d":3}}"#);
        for end in 0..whole.len() {
            assert_eq!(shown(&whole.as_bytes()[..end], &ROOT), None, "{}", &whole[..end]);
        }
        for json in [
            r#"{"id":1}}"#,
            "{} {}",
            r#"{"a" 1}"#,
            r#"{"a":1,}"#,
            r#"{,"a":1}"#,
            r#"{"a":}"#,
            "[1,]",
            r#"{a:1}"#,
            r#"{"a":1]"#,
            r#"{"leaf":[}"#,
            r#"{"\x":1}"#,
            "{\"a\":\u{1}}",
            "[\u{1}]",
            "\"",
        ] {
            assert_eq!(shown(json.as_bytes(), &ROOT), None, "{json}");
        }
    }

    #[test]
    fn what_nests_too_deep_takes_no_stack() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        is_shown(&nested(DEPTH), &nested(DEPTH));
        assert_eq!(shown(nested(1_000_000).as_bytes(), &ROOT), None);
        let deep = format!("{{\"a\":{}}}", nested(1_000_000));
        is_shown(&deep, &deep);
    }

    /// JSON at random: all of it, and what is to be shown.
    #[derive(Default)]
    struct Random {
        all: String,
        shown: String,
    }

    impl Random {
        fn write(&mut self, text: &str, is_shown: bool) {
            self.all += text;
            self.shown += if is_shown { text } else { "" };
        }

        /// `hidden`: `None` where nothing is.
        fn value(&mut self, hidden: Option<&'static Hidden>, is_shown: bool, depth: usize) {
            let scalars = ["1e400", "-0.0", "null", "true", "\"\"", r#""\"id\":\\""#, "\"}]ö\""];
            match fastrand::usize(0..if depth == 0 { 1 } else { 3 }) {
                0 => self.write(scalars[fastrand::usize(..scalars.len())], is_shown),
                1 => {
                    self.write("[", is_shown);
                    for n in 0..fastrand::usize(0..4) {
                        self.write(if n > 0 { "," } else { "" }, is_shown);
                        self.value(hidden, is_shown, depth - 1);
                    }
                    self.write("]", is_shown);
                }
                _ => self.object(hidden, is_shown, depth - 1),
            }
        }

        fn object(&mut self, hidden: Option<&'static Hidden>, is_shown: bool, depth: usize) {
            let names = ["id", "ö", "a\"b", "leaf", "plain", "list", "children", "flat_id", "x"];
            let (mut all, mut any_shown) = (false, false);
            self.write("{", is_shown);
            for _ in 0..fastrand::usize(0..6) {
                let name = names[fastrand::usize(..names.len())];
                let member = hidden.map_or(Member::Shown, |it| it.member(name.as_bytes()));
                let shows = is_shown && !matches!(member, Member::Hidden);
                self.all += if all { "," } else { "" };
                self.shown += if shows && any_shown { "," } else { "" };
                (all, any_shown) = (true, any_shown || shows);
                let letter = |it: char| match fastrand::u8(..4) {
                    0 => format!("\\u{:04x}", u32::from(it)),
                    _ if it == '"' => "\\\"".to_owned(),
                    _ => it.to_string(),
                };
                let name: String = name.chars().map(letter).collect();
                self.write(&format!("\"{name}\":"), shows);
                let within = match member {
                    Member::Rows(hidden) => Some(hidden),
                    Member::Shown | Member::Hidden => None,
                };
                self.value(within, shows, depth);
            }
            self.write("}", is_shown);
        }
    }

    #[test]
    fn whatever_is_written_is_shown_without_what_is_hidden() {
        for _ in 0..20_000 {
            let mut random = Random::default();
            random.value(Some(&ROOT), true, 5);
            is_shown(&random.all, &random.shown);
        }
    }
}

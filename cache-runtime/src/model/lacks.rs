//! What an embedded struct leaves unsaid, and a value that embeds it wants to know.
//!
//! The derive sees one struct at a time; the compiler, which evaluates these constants, all of
//! them.

/// What a struct, and what it embeds, leaves unsaid of the paths that run over its rows.
#[derive(Debug, Clone, Copy)]
pub struct Lacks {
    /// Its own id, by which some value finds its row.
    pub id: bool,
    /// When a row comes back that its filter leaves out.
    pub filtered: bool,
    /// The steps over which it is loaded.
    pub reads: &'static [Read],
    /// Of the paths that leave its own rows.
    pub own: &'static [Lack],
    /// Of the structs in it.
    pub embedded: &'static [&'static Lacks],
}

/// A step of a path that a struct does not account for.
#[derive(Debug, Clone, Copy)]
pub struct Lack {
    /// The step: `item ← question.item_id`.
    pub hop: &'static str,
    /// Whether the struct knows the tag, and lacks only the rows at the end, by which what lies
    /// behind them is found.
    pub has_tag: bool,
}

/// A step over which a struct is loaded.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// The step.
    pub hop: &'static str,
    /// What to say where a value does not depend on it.
    pub why: &'static str,
}

/// A step of a path of a value.
#[derive(Debug, Clone, Copy)]
pub struct Want {
    /// The step.
    pub hop: &'static str,
    /// Whether the value is built from what lies behind it as well.
    pub goes_on: bool,
    /// What to say where an embedded struct leaves it unsaid.
    pub why: &'static str,
}

impl Lacks {
    /// Of a struct that says everything.
    pub const NOTHING: Lacks =
        Lacks { id: false, filtered: false, reads: &[], own: &[], embedded: &[] };

    /// What to say of the first step over which it is loaded that is not one of these.
    pub const fn reads_beyond(&self, known: &[&str]) -> Option<&'static str> {
        let mut i = 0;
        while i < self.reads.len() {
            let (mut is_known, mut j) = (false, 0);
            while j < known.len() {
                is_known = is_known || is_same(self.reads[i].hop, known[j]);
                j += 1;
            }
            if !is_known {
                return Some(self.reads[i].why);
            }
            i += 1;
        }
        let mut i = 0;
        while i < self.embedded.len() {
            if let Some(why) = self.embedded[i].reads_beyond(known) {
                return Some(why);
            }
            i += 1;
        }
        None
    }

    /// What to say of the first thing that is wanted, and left unsaid.
    pub const fn unsaid(&self, wants: &'static [Want]) -> Option<&'static str> {
        let mut i = 0;
        while i < self.own.len() {
            let mut j = 0;
            while j < wants.len() {
                let (lack, want) = (&self.own[i], &wants[j]);
                let is_missing = !lack.has_tag || want.goes_on;
                if is_missing && is_same(lack.hop, want.hop) {
                    return Some(want.why);
                }
                j += 1;
            }
            i += 1;
        }
        let mut i = 0;
        while i < self.embedded.len() {
            if let Some(why) = self.embedded[i].unsaid(wants) {
                return Some(why);
            }
            i += 1;
        }
        None
    }
}

/// Whether two names are the same; for constants.
pub const fn is_same(one: &str, other: &str) -> bool {
    let (a, b) = (one.as_bytes(), other.as_bytes());
    let mut same = a.len() == b.len();
    let mut i = 0;
    while same && i < a.len() {
        same = a[i] == b[i];
        i += 1;
    }
    same
}

//! Which members of a value's JSON are stored, and not answered.
//!
//! The derive sees one struct at a time; the compiler puts these constants together.

/// What a struct hides, and the structs in it.
#[derive(Debug, Clone, Copy)]
pub struct Hidden {
    /// The names, as they are serialized, of its own hidden fields.
    pub names: &'static [&'static str],
    /// Of the fields that hold rows of another struct: the name, and what that struct hides.
    pub embedded: &'static [(&'static str, &'static Hidden)],
    /// Of the structs whose members are among its own.
    pub flattened: &'static [&'static Hidden],
    /// The names of the fields that hold rows of its own type.
    pub itself: &'static [&'static str],
}

/// What a member of an object is.
pub(crate) enum Member {
    /// It is not answered.
    Hidden,
    /// Rows, in which these are not.
    Rows(&'static Hidden),
    /// Nothing in it is hidden.
    Shown,
}

impl Hidden {
    /// Of a struct that hides nothing.
    pub const NOTHING: Hidden = Hidden { names: &[], embedded: &[], flattened: &[], itself: &[] };

    /// Whether all of its JSON is answered.
    pub const fn is_nothing(&self) -> bool {
        let mut is_nothing = self.names.is_empty();
        let mut i = 0;
        while i < self.embedded.len() {
            is_nothing = is_nothing && self.embedded[i].1.is_nothing();
            i += 1;
        }
        let mut i = 0;
        while i < self.flattened.len() {
            is_nothing = is_nothing && self.flattened[i].is_nothing();
            i += 1;
        }
        is_nothing
    }

    /// What the member of this name is.
    pub(crate) fn member(&'static self, name: &[u8]) -> Member {
        let is_it = |it: &str| it.as_bytes() == name;
        if self.names.iter().any(|it| is_it(it)) {
            return Member::Hidden;
        }
        if self.itself.iter().any(|it| is_it(it)) {
            return Member::Rows(self);
        }
        if let Some((_, rows)) = self.embedded.iter().find(|(it, _)| is_it(it)) {
            return if rows.is_nothing() { Member::Shown } else { Member::Rows(rows) };
        }
        let mut flattened = self.flattened.iter().map(|rows| rows.member(name));
        flattened.find(|it| !matches!(it, Member::Shown)).unwrap_or(Member::Shown)
    }
}

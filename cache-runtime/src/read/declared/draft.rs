//! Rows as they are read, before the cached values in them are there; and what generated code does
//! with them.

use super::nested::{Found, Held, Wanted};

/// A row and its parts, before the cached values in it are there. Only the generated code knows the
/// types: those of a struct's fields may be private.
pub trait Draft<T, Db>: Send {
    /// Notes the cached values that it is put together from as well.
    fn wants(&self, wanted: &mut Wanted<Db>);

    /// The struct; none where a row is missing that it is not without.
    fn finish(self: Box<Self>, found: &Found) -> Option<T>;
}

/// One for each row.
pub type Drafts<T, Db> = Vec<Box<dyn Draft<T, Db>>>;

struct Made<R, P, T, Db> {
    row: R,
    parts: P,
    wants: fn(&R, &P, &mut Wanted<Db>),
    finish: fn(R, P, &Found) -> Option<T>,
}

impl<R: Send, P: Send, T, Db> Draft<T, Db> for Made<R, P, T, Db> {
    fn wants(&self, wanted: &mut Wanted<Db>) {
        (self.wants)(&self.row, &self.parts, wanted);
    }

    fn finish(self: Box<Self>, found: &Found) -> Option<T> {
        (self.finish)(self.row, self.parts, found)
    }
}

/// Drafts of these rows, each with its parts, and what is done with each.
pub fn drafts<R: Send + 'static, P: Send + 'static, T: 'static, Db: 'static>(
    rows: Vec<R>,
    parts: Vec<P>,
    wants: fn(&R, &P, &mut Wanted<Db>),
    finish: fn(R, P, &Found) -> Option<T>,
) -> Drafts<T, Db> {
    let made = |(row, parts)| Box::new(Made { row, parts, wants, finish }) as Box<dyn Draft<T, Db>>;
    rows.into_iter().zip(parts).map(made).collect()
}

/// What rows are found by that refer to these.
pub fn keys<R, K>(rows: &[R], key: fn(&R) -> K) -> Vec<K> {
    rows.iter().map(key).collect()
}

/// No parts yet of these rows.
pub fn no_parts<R>(rows: &[R]) -> Vec<()> {
    vec![(); rows.len()]
}

/// One part more of each.
pub fn and<P, A>(parts: Vec<P>, more: Vec<A>) -> Vec<(P, A)> {
    parts.into_iter().zip(more).collect()
}

/// Notes what these parts want.
pub fn want<T, Db>(parts: &Drafts<T, Db>, wanted: &mut Wanted<Db>) {
    parts.iter().for_each(|part| part.wants(wanted));
}

/// These parts, put together. None is left out in silence: nothing would tell when it can come
/// back.
pub fn finished<T, Db>(parts: Drafts<T, Db>, found: &Found) -> Held<T> {
    let finish = |part: Box<dyn Draft<T, Db>>| {
        let finished = part.finish(found);
        if finished.is_none() {
            found.lacks(std::any::type_name::<T>());
        }
        finished
    };
    Held::of(parts.into_iter().filter_map(finish))
}

/// A number of rows: none, where there are none to be counted.
pub fn number(counted: &[i64]) -> i64 {
    counted.first().copied().unwrap_or_default()
}

//! The traits that `#[derive(Cached)]` implements, and what a generated impl consists of.

pub(crate) mod column;
pub(crate) mod hidden;
pub(crate) mod key;
pub(crate) mod lacks;
pub(crate) mod list;
pub(crate) mod name;
pub(crate) mod schema;
pub(crate) mod tag;

use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::column::Id;
use crate::model::hidden::Hidden;
use crate::model::key::KeyWriter;
use crate::model::lacks::Lacks;
use crate::model::tag::Tags;

/// Rows of one model, as a struct or in an `Option`, `Vec`, `Box` or `Arc`: what a value can embed.
///
/// Implemented by `#[derive(Cached)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which rows it holds",
    label = "embedded here",
    note = "put `#[derive(Cached)]` on the embedded struct; if it has only some of the model's columns, with `#[cached(projection = \"…\")]`",
    note = "if the field is a column whose type is merely named like a model, put `#[cached(column = \"…\")]` on it"
)]
pub trait Rows {
    /// The `[model.x]` of `cache.toml`.
    const MODEL: &'static str;

    /// Changes when the struct, or one that it embeds, changes shape; see [`shape`].
    const SHAPE: u64;

    /// The `cache.toml` that it was compiled with.
    const FILE: File;

    /// What it leaves unsaid of the paths of `cache.toml` that run over its rows.
    const LACKS: Lacks = Lacks::NOTHING;

    /// What of its JSON is not answered: `#[cached(hidden)]`.
    const HIDDEN: Hidden = Hidden::NOTHING;

    /// Adds every tag that the value was built from, those of embedded rows included.
    fn tags(&self, tags: &mut Tags);

    /// Adds the names, as they are serialized, of the fields that `cache.toml` ignores, those of
    /// embedded rows included: what they hold may be older than the rest.
    fn ignored(names: &mut Vec<&'static str>) {
        let _ = names;
    }
}

macro_rules! containers {
    ($($container:ident),*) => {$(
        impl<T: Rows> Rows for $container<T> {
            const MODEL: &'static str = T::MODEL;
            const SHAPE: u64 = T::SHAPE;
            const FILE: File = T::FILE;
            const LACKS: Lacks = T::LACKS;
            const HIDDEN: Hidden = T::HIDDEN;
            fn tags(&self, tags: &mut Tags) {
                self.iter().for_each(|rows| rows.tags(tags));
            }
            fn ignored(names: &mut Vec<&'static str>) {
                T::ignored(names);
            }
        }
    )*};
}
containers!(Option, Vec);

macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        impl<T: Rows> Rows for $pointer<T> {
            const MODEL: &'static str = T::MODEL;
            const SHAPE: u64 = T::SHAPE;
            const FILE: File = T::FILE;
            const LACKS: Lacks = T::LACKS;
            const HIDDEN: Hidden = T::HIDDEN;
            fn tags(&self, tags: &mut Tags) {
                T::tags(self, tags);
            }
            fn ignored(names: &mut Vec<&'static str>) {
                T::ignored(names);
            }
        }
    )*};
}
pointers!(Box, Arc);

/// A row of a model: [`Rows`] with an id.
pub trait Model: Rows {
    /// The type of the `id` column, or a tuple for a composite id.
    type Id: Id;
}

/// A model with a `key`: its values are stored and read through the cache.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cached model",
    note = "a model is cached when its table in cache.toml has a `key`, such as `key = \"video_{{id}}\"`"
)]
pub trait Cached: Model + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The other columns it can be got by: an enum with a variant for each `lookup`.
    type Lookup: Lookup;

    /// What `cache.toml` says of its values.
    const POLICY: Policy;

    /// The tags, as `model#columns`, of all that its values are built from, however far away.
    const NEEDS: &'static [&'static str];

    /// The id of this row.
    fn id(&self) -> Self::Id;

    /// Whether it equals another, if that can be told: if the struct has `PartialEq`.
    fn is_same(&self, other: &Self) -> Option<bool> {
        let _ = other;
        None
    }

    /// Writes the key of the row with this id.
    fn write_key(id: &Self::Id, key: &mut KeyWriter);

    /// Adds the tag of the row itself.
    fn id_tag(id: &Self::Id, tags: &mut Tags);

    /// Adds what else "no such row" depends on: rows for which the loader may have left this one
    /// out.
    fn absence_tags(id: &Self::Id, tags: &mut Tags) {
        let _ = (id, tags);
    }
}

/// A column that a cached model can be got by besides its id.
pub trait Lookup: Clone + Eq + Hash + Send + Sync + 'static {
    /// Writes the key under which the id is stored.
    fn write_key(&self, key: &mut KeyWriter);

    /// Adds the tag of the column.
    fn tag(&self, tags: &mut Tags);
}

/// A model without `lookup`.
impl Lookup for Infallible {
    fn write_key(&self, _: &mut KeyWriter) {
        match *self {}
    }
    fn tag(&self, _: &mut Tags) {
        match *self {}
    }
}

/// A row whose struct has every column that a write to it reports: what
/// [`Transaction::changed`](crate::Transaction::changed) takes where a database has no triggers.
///
/// Implemented by `#[derive(Cached)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not hold every column that a change of its row reports",
    note = "its struct needs a field for the id, and for each column by which `cache.toml` gets from another model to it"
)]
pub trait Reported: Rows {
    /// Adds the tags that any change of the row reports.
    fn row_tags(&self, tags: &mut Tags);

    /// Adds the tags that are reported only when the row comes, goes or moves.
    fn link_tags(&self, tags: &mut Tags);

    /// Whether it is found in other places than this older image of it.
    fn moved(&self, old: &Self) -> bool;
}

/// What `#[cached(dependencies("…"))]` promises: the tags of rows that the value was computed from
/// but does not carry.
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares `#[cached(dependencies(…))]` but does not say what they are",
    note = "implement `cache_runtime::Dependencies` for it: `tags.add(tag!(\"organization#id\"), &id)` for each row"
)]
pub trait Dependencies {
    /// Adds the tags that the derive would have generated, such as
    /// `tags.add(tag!("organization#id"), &self.organization_id)`.
    fn dependencies(&self, tags: &mut Tags);
}

/// A `cache.toml`, as code that was compiled with it knows it.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// As the compiler names it: from the workspace's folder, if it is there.
    pub name: &'static str,
    /// The package that was compiled with it.
    pub package: &'static str,
    /// Of its text.
    pub hash: u64,
}

/// How long and in which form the values of a model are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The longest life of a value.
    pub ttl: Duration,
    /// A value's life is shortened at random by up to this many per cent, so that values stored
    /// together do not expire together.
    pub jitter: u8,
    /// The life of "no such row"; zero stores none.
    pub negative_ttl: Duration,
    /// The form.
    pub codec: Codec,
    /// How many bytes a stored value has at most.
    pub max_value: usize,
    /// How many tags a stored value has at most.
    pub max_tags: usize,
    /// Whether a read is linearizable with the writes through the cache.
    pub strict: bool,
    /// For how long after its `ttl` a value is still served, while it is loaded anew.
    pub grace: Duration,
    /// How long a load may take.
    pub load_timeout: Duration,
    /// How long a process waits for another one that loads the same value; zero: it does not.
    pub lease: Duration,
    /// How much room its decoded values have in each process; none, when it is not said.
    pub near: Option<Capacity>,
    /// Whether a value that is in use is loaded anew as soon as it is invalidated.
    pub refresh: bool,
    /// How many of the hits are verified, out of `u32::MAX`; zero: none.
    pub verify: u32,
    /// The model's number among those of `cache.toml`, from 0.
    pub number: usize,
}

/// How much a near cache holds of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capacity {
    /// So many values.
    Entries(usize),
    /// So many bytes, as they are encoded.
    Bytes(usize),
}

/// The form in which values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// `codec = "json"`: readable in `redis-cli`.
    Json,
    /// `codec = "msgpack"`: MessagePack with field names; smaller, and self-describing as JSON is.
    Msgpack,
}

/// Where the hash of [`fnv`] begins.
#[cfg(feature = "redis")]
pub(crate) const FNV: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a (<http://www.isthe.com/chongo/tech/comp/fnv/>): not for attackers, but stable between
/// compilers, as stored values outlive builds.
pub(crate) const fn fnv(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    hash
}

/// Mixes the hash of a struct's own fields with the shapes of the structs it embeds.
pub const fn shape(own: u64, embedded: &[u64]) -> u64 {
    let mut hash = own;
    let mut i = 0;
    while i < embedded.len() {
        hash = fnv(hash, &embedded[i].to_le_bytes());
        i += 1;
    }
    hash
}

/// Two values, whose type may have `PartialEq` or not: `(&Pair(a, b)).cache_runtime_is_same()`
/// takes the first of [`ByEq`] and [`Unknown`] that there is. (The trick is that of
/// <https://github.com/dtolnay/case-studies/tree/master/autoref-specialization>; it works where the
/// type is known, as it is in generated code.)
#[derive(Debug)]
pub struct Pair<'a, T>(pub &'a T, pub &'a T);

/// For those that have it.
pub trait ByEq {
    /// Whether they are equal.
    fn cache_runtime_is_same(&self) -> Option<bool>;
}

impl<T: PartialEq> ByEq for Pair<'_, T> {
    #[expect(clippy::eq_op, reason = "NaN is not equal to itself")]
    fn cache_runtime_is_same(&self) -> Option<bool> {
        let Pair(a, b) = self;
        let knows_itself = |it: &T| it == it;
        match a == b {
            true => Some(true),
            false if !knows_itself(a) && !knows_itself(b) => None,
            false => Some(false),
        }
    }
}

/// For all others.
pub trait Unknown {
    /// Nobody knows.
    fn cache_runtime_is_same(&self) -> Option<bool>;
}

impl<T> Unknown for &Pair<'_, T> {
    fn cache_runtime_is_same(&self) -> Option<bool> {
        None
    }
}

//! What can go wrong for a reader or at set-up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::boxed::BoxError;

/// Why a read, a delivery or a set-up failed. Cheap to clone: readers who waited for one load share
/// it.
///
/// A store that is away is no error: reads go to the source then, and writes wait in the outbox.
#[derive(Clone)]
pub struct Error(Arc<Kind>);

enum Kind {
    Load {
        model: &'static str,
        source: BoxError,
    },
    LoadPanicked {
        model: &'static str,
    },
    LoadTimedOut {
        model: &'static str,
        limit: Duration,
        /// Or it did not even begin.
        began: bool,
    },
    NotListed {
        list: &'static str,
    },
    Outbox(BoxError),
    Store(BoxError),
    SetUp(String),
    Misuse(String),
}

impl Error {
    pub(crate) fn load(model: &'static str, source: BoxError) -> Error {
        Error(Arc::new(Kind::Load { model, source }))
    }

    pub(crate) fn load_panicked(model: &'static str) -> Error {
        Error(Arc::new(Kind::LoadPanicked { model }))
    }

    pub(crate) fn load_timed_out(model: &'static str, limit: Duration) -> Error {
        let began = true;
        Error(Arc::new(Kind::LoadTimedOut { model, limit, began }))
    }

    pub(crate) fn load_had_no_turn(model: &'static str, limit: Duration) -> Error {
        let began = false;
        Error(Arc::new(Kind::LoadTimedOut { model, limit, began }))
    }

    pub(crate) fn not_listed(list: &'static str) -> Error {
        Error(Arc::new(Kind::NotListed { list }))
    }

    pub(crate) fn outbox(source: BoxError) -> Error {
        Error(Arc::new(Kind::Outbox(source)))
    }

    pub(crate) fn store(source: impl Into<BoxError>) -> Error {
        Error(Arc::new(Kind::Store(source.into())))
    }

    pub(crate) fn set_up(why: impl Into<String>) -> Error {
        Error(Arc::new(Kind::SetUp(why.into())))
    }

    pub(crate) fn misuse(why: impl Into<String>) -> Error {
        Error(Arc::new(Kind::Misuse(why.into())))
    }

    /// Whether the program is wrong, whatever the data: a struct of another `cache.toml` than the
    /// cache's, two structs with one key, or a call outside of a Tokio runtime.
    pub fn is_misuse(&self) -> bool {
        matches!(*self.0, Kind::Misuse(_))
    }

    /// Whether the database's triggers are not those that `cache.toml` renders: nothing may be
    /// cached.
    pub fn is_set_up(&self) -> bool {
        matches!(*self.0, Kind::SetUp(_))
    }

    /// Whether the loader failed, panicked or took too long. [`source`](std::error::Error::source)
    /// is its error.
    pub fn is_load(&self) -> bool {
        let is_load = matches!(*self.0, Kind::Load { .. } | Kind::LoadPanicked { .. });
        is_load || self.is_load_timeout()
    }

    /// Whether the loader took longer than `load-timeout`; or it waited for longer than `max-load`
    /// to begin, as `max-loads` others were running.
    pub fn is_load_timeout(&self) -> bool {
        matches!(*self.0, Kind::LoadTimedOut { .. })
    }

    /// Whether there is no such id in the list, of what was to come after it: its row was deleted,
    /// or is listed no longer.
    pub fn is_not_listed(&self) -> bool {
        matches!(*self.0, Kind::NotListed { .. })
    }

    /// Whether the outbox could not be read or marked.
    pub fn is_outbox(&self) -> bool {
        matches!(*self.0, Kind::Outbox(_))
    }

    /// Whether the store refused: a wrong address, or away when it was needed (`deliver_pending`).
    pub fn is_store(&self) -> bool {
        matches!(*self.0, Kind::Store(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Load { model, source } => write!(f, "loading `{model}` failed: {source}"),
            Kind::LoadPanicked { model } => write!(f, "the loader of `{model}` panicked"),
            Kind::LoadTimedOut { model, limit, began: true } => {
                write!(f, "loading `{model}` took longer than its `load-timeout`, {limit:?}")
            }
            Kind::LoadTimedOut { model, limit, .. } => write!(
                f,
                "loading `{model}` has not begun within `max-load`, {limit:?}, as `max-loads` others were running"
            ),
            Kind::NotListed { list } => write!(
                f,
                "there is no such id in `{list}` that something could come after: its row was deleted, or is listed no longer\n\
                 help: begin with the first page again"
            ),
            Kind::Outbox(source) => write!(
                f,
                "the outbox could not be used, has `Schema::install` run on this database? {source}"
            ),
            Kind::Store(source) => write!(f, "the store could not be used: {source}"),
            Kind::SetUp(why) | Kind::Misuse(why) => f.write_str(why),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Load { source, .. } | Kind::Outbox(source) | Kind::Store(source) => {
                Some(&**source)
            }
            Kind::LoadPanicked { .. }
            | Kind::LoadTimedOut { .. }
            | Kind::NotListed { .. }
            | Kind::SetUp(_)
            | Kind::Misuse(_) => None,
        }
    }
}

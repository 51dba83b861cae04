//! Newtypes and enums as ids, references and lookups.
#![deny(warnings)]

use std::sync::Arc;

use cache_runtime::{
    BoxError, Cache, Cached, Column, Dialect, Error, Find, Load, LoadContext, Rows, Tag, Tags,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Column)]
struct PageId(Uuid);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, Column)]
#[sqlx(type_name = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    FrontPage,
    #[sqlx(rename = "it's other", default)]
    Other,
}

#[derive(Cached, Serialize, Deserialize)]
struct Page {
    id: PageId,
    r#type: Option<Kind>,
    short_name: Arc<str>,
    page_type: Option<PageType>,
}

#[derive(Clone, Cached, Serialize, Deserialize)]
struct PageType {
    id: Kind,
}

impl Load<()> for Page {
    async fn load(_: &LoadContext<()>, ids: &[PageId]) -> Result<Vec<Page>, BoxError> {
        Ok(ids.iter().copied().map(page).collect())
    }
}

impl Find<()> for Page {
    async fn find(_: &LoadContext<()>, by: &PageLookup) -> Result<Option<PageId>, BoxError> {
        Ok(match by {
            PageLookup::Type(Kind::FrontPage) => Some(PageId(Uuid::nil())),
            PageLookup::Type(Kind::Other) => None,
            PageLookup::ShortName(name) => (**name == *"front").then_some(PageId(Uuid::max())),
        })
    }
}

/// Whatever becomes a text names one; anything else is given as it is.
#[allow(dead_code)]
async fn handler(cache: &Cache<()>, name: String) -> Result<(), Error> {
    Page::get(cache, PageId(Uuid::nil())).await?;
    Page::get_by_type(cache, Kind::FrontPage).await?;
    Page::get_by_short_name(cache, "front").await?;
    Page::get_by_short_name(cache, &*name).await?;
    Page::get_by_short_name(cache, Arc::from("front")).await?;
    Page::fetch_by_short_name(cache, name).await?;
    Ok(())
}

#[allow(dead_code)]
fn is_send(cache: &Cache<()>) -> impl Send {
    handler(cache, String::new())
}

/// Of every kind, none with anything but a text.
mod texts {
    use super::Column;

    #[derive(Column)]
    #[sqlx(transparent)]
    pub struct Named {
        pub(super) inner: i64,
    }

    #[derive(Column)]
    pub struct Nested(pub(super) Option<Named>);

    #[derive(Column)]
    #[repr(i16)]
    pub enum Level {
        Low = -3,
        Middle,
        High = 300,
    }

    #[derive(Column)]
    #[repr(u8)]
    #[allow(dead_code)]
    pub enum Small {
        Zero,
    }

    #[derive(Column)]
    #[allow(non_camel_case_types)]
    pub enum Raw {
        r#type,
    }
}

/// The runtime under another path.
mod renamed {
    pub(crate) mod my {
        pub(crate) use ::cache_runtime as cache;
    }

    #[derive(my::cache::Column)]
    #[column(crate = "crate::renamed::my::cache")]
    pub(crate) struct Number(pub(crate) i64);
}

macro_rules! of_a_macro {
    ($name:ident, $inner:ty, $($variant:ident = $text:literal),*) => {
        #[derive(Column)]
        struct $name($inner);

        #[derive(Column)]
        enum OfAMacro {
            $(#[sqlx(rename = $text)] $variant),*
        }
    };
}
of_a_macro!(Macro, Box<str>, A = "a!", B = "b!");

fn main() {
    use texts::{Level, Named, Nested, Raw, Small};
    for (column, expected) in [
        (&Nested(Some(Named { inner: 7 })) as &dyn Column, "7"),
        (&Nested(None), ""),
        (&Level::Low, "-3"),
        (&Level::Middle, "-2"),
        (&Level::High, "300"),
        (&Small::Zero, "0"),
        // As sqlx writes it.
        (&Raw::r#type, "r#type"),
        (&Kind::FrontPage, "FRONT_PAGE"),
        (&Kind::Other, "it's other"),
        (&renamed::Number(8), "8"),
        (&Macro("x".into()), "x"),
        (&OfAMacro::A, "a!"),
        (&OfAMacro::B, "b!"),
    ] {
        let mut text = String::new();
        column.write(Dialect::Sqlite, &mut text);
        assert_eq!(text, expected);
    }

    assert_eq!(
        Page::key(PageId(Uuid::nil())),
        "app:page_00000000-0000-0000-0000-000000000000"
    );
    let tags = |dialect| {
        let mut tags = Tags::of(dialect);
        page(PageId(Uuid::max())).tags(&mut tags);
        tags.finish().iter().map(Tag::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        tags(Dialect::Postgres),
        ["page#id=ffffffff-ffff-ffff-ffff-ffffffffffff", "page-type#id=FRONT_PAGE"]
    );
    assert_eq!(
        tags(Dialect::Sqlite),
        ["page#id=FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "page-type#id=FRONT_PAGE"]
    );
}

fn page(id: PageId) -> Page {
    let kind = Kind::FrontPage;
    Page { id, r#type: Some(kind), short_name: "front".into(), page_type: Some(PageType { id: kind }) }
}

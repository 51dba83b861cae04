//! A column that is a word of Rust: in the tags, as a lookup, as a reference; and a lookup that may be
//! NULL.
#![deny(warnings)]

use cache_runtime::{
    BoxError, Cache, Cached, Dialect, Error, Find, Load, LoadContext, Lookup, Rows, Tags,
};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
struct PageType {
    id: i32,
}

#[derive(Cached, Serialize, Deserialize)]
struct Page {
    id: i64,
    r#type: Option<i32>,
    short_name: Option<String>,
    kind: Option<PageType>,
}

impl Load<()> for Page {
    async fn load(_: &LoadContext<()>, _: &[i64]) -> Result<Vec<Page>, BoxError> {
        Ok(Vec::new())
    }
}

impl Find<()> for Page {
    async fn find(_: &LoadContext<()>, by: &PageLookup) -> Result<Option<i64>, BoxError> {
        match by {
            PageLookup::Type(id) => Ok(Some((*id).into())),
            PageLookup::ShortName(name) => Ok(name.parse().ok()),
        }
    }
}

#[allow(dead_code)]
async fn handler(cache: &Cache<()>) -> Result<(), Error> {
    let _ = Page::get_by_type(cache, 1_i32).await?;
    let _ = Page::get_by_short_name(cache, "a").await?;
    let _ = Page::fetch_by_short_name(cache, "a").await?;
    Ok(())
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(model = "account")]
struct r#Struct {
    id: u8,
}

fn main() {
    let page = Page { id: 1, r#type: Some(2), short_name: None, kind: Some(PageType { id: 2 }) };
    let mut tags = Tags::of(Dialect::Postgres);
    page.tags(&mut tags);
    PageLookup::Type(2).tag(&mut tags);
    let tags: Vec<String> = tags.finish().iter().map(ToString::to_string).collect();
    assert_eq!(tags, ["page#id=1", "page#type=2", "page-type#id=2"]);
    assert_eq!(r#Struct::key(1), "app:account_1");
}

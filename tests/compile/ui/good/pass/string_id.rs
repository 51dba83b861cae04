//! An id that is text, and not called `id`.
#![deny(warnings)]

use cache_runtime::{BoxError, Cache, Cached, Dialect, Error, Load, LoadContext, Rows, Tags};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
struct Country {
    code: String,
    cities: Vec<City>,
}

#[derive(Cached, Serialize, Deserialize)]
struct City {
    country_code: String,
}

impl Load<()> for Country {
    async fn load(_: &LoadContext<()>, codes: &[String]) -> Result<Vec<Country>, BoxError> {
        Ok(codes.iter().cloned().map(country).collect())
    }
}

#[allow(dead_code)]
async fn handler(cache: &Cache<()>) -> Result<(), Error> {
    let _ = Country::get(cache, "in").await?;
    let _ = Country::get_many(cache, &["in".to_owned(), "de".to_owned()]).await?;
    Ok(())
}

fn main() {
    assert_eq!(Country::key("in"), "app:country_in");
    assert_eq!(Country::key("in/mh_1"), "app:country_in%2Fmh%5F1");
    assert_eq!(country("in".to_owned()).id(), "in");

    let mut tags = Tags::of(Dialect::Postgres);
    country("in".to_owned()).tags(&mut tags);
    let tags: Vec<String> = tags.finish().iter().map(ToString::to_string).collect();
    assert_eq!(tags, ["city#country_code=in", "country#code=in"]);
}

fn country(code: String) -> Country {
    let cities = vec![City { country_code: code.clone() }];
    Country { code, cities }
}

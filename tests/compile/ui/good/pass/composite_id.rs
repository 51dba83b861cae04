//! A tenant in the id: it is in the key, in the tags, and in what a reference holds.
#![deny(warnings)]

use std::time::Duration;

use cache_runtime::__private::{self, Codec, Policy};
use cache_runtime::{
    BoxError, Cache, Cached, Dialect, Error, Load, LoadContext, Rows, Schema, Tags,
};
use serde::{Deserialize, Serialize};

static SCHEMA: Schema = cache_runtime::schema!();

#[derive(Cached, Serialize, Deserialize)]
struct Member {
    tenant: String,
    id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
struct Room {
    // In another order than in the file.
    id: i64,
    tenant: String,
    owner_id: Option<i64>,
    owner: Option<Member>,
}

impl Load<()> for Room {
    async fn load(_: &LoadContext<()>, ids: &[(String, i64)]) -> Result<Vec<Room>, BoxError> {
        let room = |(tenant, id): &(String, i64)| room(tenant, *id, None);
        Ok(ids.iter().map(room).collect())
    }
}

#[allow(dead_code)]
async fn handler(cache: &Cache<()>) -> Result<(), Error> {
    let id = ("acme".to_owned(), 1);
    Room::get(cache, id.clone()).await?;
    Room::get_many(cache, &[id]).await?;
    Ok(())
}

fn main() {
    let key = |tenant: &str, id| Room::key((tenant.to_owned(), id));
    assert_eq!(key("acme", 7), "app:room_acme_7");
    assert_eq!(key("acme_7", 7), "app:room_acme%5F7_7");
    assert_ne!(key("a_1", 1), key("a", 1));
    assert_eq!(key("", -7), "app:room__-7");

    assert_eq!(room("acme", 7, None).id(), ("acme".to_owned(), 7));
    assert_eq!(tags(&room("acme", 7, None)), ["room#tenant,id=acme,7"]);
    assert_eq!(
        tags(&room("acme", 7, Some(3))),
        ["member#tenant,id=acme,3", "room#tenant,id=acme,7"]
    );
    // The reference alone is enough, and so is the row alone.
    let row_is_gone = Room { owner: None, ..room("acme", 7, Some(3)) };
    let column_is_null = Room { owner_id: None, ..room("acme", 7, Some(3)) };
    assert_eq!(tags(&row_is_gone), tags(&column_is_null));

    let mut id_tag = Tags::of(Dialect::Postgres);
    Room::id_tag(&("acme".to_owned(), 7), &mut id_tag);
    assert_eq!(texts(id_tag), ["room#tenant,id=acme,7"]);

    assert_eq!(Room::POLICY, Policy {
        ttl: Duration::from_secs(90 * 60),
        jitter: 0,
        negative_ttl: Duration::from_secs(5),
        codec: Codec::Msgpack,
        max_value: 1_000_000,
        max_tags: 10_000,
        strict: false,
        grace: Duration::from_secs(60),
        load_timeout: Duration::from_secs(2),
        lease: Duration::from_millis(250),
        near: Some(__private::Capacity::Bytes(16 << 20)),
        refresh: true,
        verify: u32::MAX,
        number: 9,
    });
    // As a model is near; the default.
    assert_eq!(SCHEMA.max_staleness, Some(Duration::from_secs(2)));
}

fn room(tenant: &str, id: i64, owner_id: Option<i64>) -> Room {
    let tenant = tenant.to_owned();
    let owner = owner_id.map(|id| Member { tenant: tenant.clone(), id });
    Room { id, tenant, owner_id, owner }
}

fn tags(rows: &impl Rows) -> Vec<String> {
    let mut tags = Tags::of(Dialect::Postgres);
    rows.tags(&mut tags);
    texts(tags)
}

fn texts(tags: Tags) -> Vec<String> {
    tags.finish().iter().map(ToString::to_string).collect()
}

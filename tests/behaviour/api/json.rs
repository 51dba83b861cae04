//! `GET` of a cached noun: the JSON as it is stored, its `ETag`, 304 for who has it.

use cache_runtime::{Cache, RedisStore, Schema};
use example_app::{Db, Plio, SCHEMA, User};
use serde_json::json;

use crate::harness::soon::{SOON, Soon};
use crate::harness::{Answer, App, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(the_bytes_are_those_that_serde_json_makes),
        story!(an_etag_stays_until_a_dependency_is_written),
        story!(a_writer_gets_its_write_whatever_tag_it_has),
        story!(etags_are_the_same_in_all_processes),
        story!(a_plio_has_one_etag_by_id_and_by_uuid),
        story!(head_has_the_headers_alone),
        story!(cache_status_names_the_tier).with_near(),
        story!(what_is_not_there_is_a_problem_and_has_no_etag),
        story!(lists_have_no_etag_and_uncached_nouns_have_one),
        story!(what_is_not_whole_is_never_sent).on_redis(),
    ]
}

async fn the_bytes_are_those_that_serde_json_makes(world: World) {
    let plio = world.plio_with_items(3).await;
    for _ in ["loaded", "stored", "near"] {
        let plio_json = world.get(&plio.path()).await.is(200);
        let user_json = world.get(&plio.user_path()).await.is(200);
        let value = Plio::get(&world.cache, plio.id).await.expect("read");
        is_json_of(&plio_json, &serde_json::to_string(&value).expect("JSON"));
        let value = User::get(&world.cache, plio.user).await.expect("read");
        is_json_of(&user_json, &serde_json::to_string(&value).expect("JSON"));
        world.right(&plio.by_uuid()).await.is(200);
    }
}

fn is_json_of(answer: &Answer, right: &str) {
    assert!(
        answer.text == right,
        "wrong answer: {} says {}; right is {right}",
        answer.what,
        answer.text
    );
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("content-length"), right.len().to_string());
    let etag = answer.header("etag");
    let is_strong = etag.len() == 18 && etag.starts_with('"') && etag.ends_with('"');
    assert!(is_strong, "{etag:?} is no strong tag");
}

async fn an_etag_stays_until_a_dependency_is_written(world: World) {
    let plio = world.plio_with_items(1).await;
    let question = format!("/questions/{}", plio.questions[0]);
    for path in [plio.path(), plio.by_uuid()] {
        let old = etag(&world.get(&path).await.is(200));
        is_not_modified(&get_unless(&world, &path, &old).await, &old);
        world.cache.clear().await.expect("cleared");
        // The client has it, also where the cache has not.
        is_not_modified(&get_unless(&world, &path, &old).await.miss(), &old);
        let others = format!("\"a\", W/{old}, \"b\"");
        is_not_modified(&get_unless(&world, &path, &others).await, &old);
        is_not_modified(&get_unless(&world, &path, "*").await, &old);

        let text = format!("new text of {path}");
        let patched = world.patch(&question, json!({ "text": text })).await;
        patched.is(200);
        let answer = get_unless(&world, &path, &old).await.is(200);
        let new = etag(&answer.says("/items/0/details/text", text));
        assert_ne!(new, old, "wrong answer: another value has the same tag");
        is_not_modified(&get_unless(&world, &path, &new).await, &new);
        get_unless(&world, &path, "nonsense").await.is(200);
        world.right(&path).await.is(200);
    }
}

async fn a_writer_gets_its_write_whatever_tag_it_has(world: World) {
    let plio = world.plio_with_items(1).await;
    for round in 0..10 {
        let (by_id, by_uuid) = (plio.path(), plio.by_uuid());
        world.warm(&by_uuid).await;
        let old = etag(&world.warm(&by_id).await);
        let name = format!("name {round}");
        world.patch(&by_id, json!({ "name": name })).await.is(200);
        for path in [by_id, by_uuid] {
            let answer = get_unless(&world, &path, &old).await.is(200);
            answer.says("/name", name.as_str());
        }
    }
}

async fn etags_are_the_same_in_all_processes(world: World) {
    let plio = world.plio_with_items(1).await;
    let (a, b) = (world.relaying_app().await, world.relaying_app().await);
    for app in [&a, &b] {
        app.warm(&plio.path()).await;
    }
    for (round, (writer, reader)) in [(&a, &b), (&b, &a)].into_iter().enumerate() {
        let old = etag(&writer.get(&plio.path()).await.is(200));
        is_not_modified(&get_unless(reader, &plio.path(), &old).await, &old);
        let name = format!("name {round}");
        let patched = writer.patch(&plio.path(), json!({ "name": name })).await;
        patched.is(200);
        let new = etag(&get_unless(writer, &plio.path(), &old).await.is(200));

        // The reader may have it near, until it is told.
        let soon = Soon::within(SOON);
        let told = loop {
            let answer = get_unless(reader, &plio.path(), &old).await;
            if answer.status == 200 || soon.is_over() {
                break answer.is(200);
            }
            is_not_modified(&answer, &old);
        };
        assert_eq!(etag(&told), new);
        told.says("/name", name);
        is_not_modified(&get_unless(reader, &plio.path(), &new).await, &new);
    }
}

async fn a_plio_has_one_etag_by_id_and_by_uuid(world: World) {
    let plio = world.plio_with_items(1).await;
    let by_id = world.get(&plio.path()).await.is(200);
    let by_uuid = world.get(&plio.by_uuid()).await.is(200);
    assert_eq!(etag(&by_id), etag(&by_uuid));
    assert_eq!(by_id.text, by_uuid.text);
    let not_modified = get_unless(&world, &plio.by_uuid(), &etag(&by_id)).await;
    is_not_modified(&not_modified, &etag(&by_id));
}

async fn head_has_the_headers_alone(world: World) {
    let plio = world.plio_with_items(1).await;
    for path in [plio.path(), plio.by_uuid(), plio.user_path()] {
        let get = world.warm(&path).await;
        let head = world.send(world.request("HEAD", &path)).await.is(200);
        assert_eq!(head.text, "");
        for name in ["content-type", "content-length", "etag", "cache-status"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
        let unless = world.request("HEAD", &path);
        let unless = unless.header("if-none-match", etag(&get));
        is_not_modified(&world.send(unless).await, &etag(&get));
    }
    let gone = world.send(world.request("HEAD", "/plios/0")).await;
    assert_eq!((gone.is(404).text.as_str()), "");
}

async fn cache_status_names_the_tier(world: World) {
    let plio = world.plio_with_items(1).await;
    let tier = if world.has_redis() { "redis" } else { "memory" };
    for path in [plio.path(), plio.user_path()] {
        world.cache.clear().await.expect("cleared");
        let status = world.get(&path).await.is(200).cache_status;
        assert_eq!(status, Some(format!("{tier}; fwd=miss; stored")));
        is_near_soon(&world, &path, tier).await;
        if world.has_redis() {
            let another = world.another_app().await;
            let status = another.get(&path).await.is(200).cache_status;
            assert_eq!(status.as_deref(), Some("redis; hit"));
            is_near_soon(&another, &path, "redis").await;
        }
    }
}

/// Nothing is near before the store has said that it tells.
async fn is_near_soon(app: &App, path: &str, tier: &str) {
    let soon = Soon::within(SOON);
    loop {
        let status = app.get(path).await.is(200).cache_status;
        match status.as_deref() {
            Some("near; hit") => return,
            other => assert_eq!(other, Some(format!("{tier}; hit").as_str())),
        }
        soon.at_once_or(format_args!("{path} is never near"));
    }
}

async fn what_is_not_there_is_a_problem_and_has_no_etag(world: World) {
    for path in ["/plios/0", "/plios/by-uuid/nobodys", "/users/0"] {
        for _ in ["missed", "hit"] {
            let answer = get_unless(&world, path, "*").await.expect_problem(&[404]);
            assert!(answer.cache_status.is_some(), "{path} has no Cache-Status");
            assert_eq!(answer.header("etag"), "");
        }
        world.get(path).await.is(404).hit();
    }
}

async fn lists_have_no_etag_and_uncached_nouns_have_one(world: World) {
    let plio = world.plio_with_items(1).await;
    for path in ["/plios", "/users", "/videos"] {
        let answer = get_unless(&world, path, "*").await.is(200);
        assert_eq!(answer.header("etag"), "");
    }
    let video = format!("/videos/{}", plio.video);
    let old = etag(&world.get(&video).await.is(200));
    let same = get_unless(&world, &video, &old).await.is(304);
    assert_eq!((same.text.as_str(), same.header("etag")), ("", old.as_str()));
    world.patch(&video, json!({"title": "new"})).await.is(200);
    let new = etag(&get_unless(&world, &video, &old).await.is(200));
    assert_ne!(new, old, "wrong answer: another value has the same tag");
}

/// The bytes are sent unread, so the cache has to see that they are what was stored.
async fn what_is_not_whole_is_never_sent(world: World) {
    let plio = world.plio_with_items(1).await;
    let far = app_without_near(&world).await;
    let right = far.warm(&plio.path()).await;
    assert_eq!(right.tier(), "redis");
    let good = world.entry(&plio.key()).await.expect("an entry");

    let mut broken = vec![
        b"".to_vec(),
        b"nonsense".to_vec(),
        right.text.clone().into_bytes(),
        [&good[..], b" "].concat(),
    ];
    let lengths = (0..good.len()).step_by(97).chain([good.len() - 1]);
    broken.extend(lengths.map(|length| good[..length].to_vec()));
    // Of the line, the header, the JSON.
    for flipped in (0..60).step_by(3).chain([good.len() - 1]) {
        let mut bytes = good.clone();
        bytes[flipped] ^= 0x55;
        broken.push(bytes);
    }
    for bytes in broken {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        world.set_entry(&plio.key(), &bytes).await;
        for _ in ["loaded", "stored"] {
            let answer = far.get(&plio.path()).await.is(200);
            let same = answer.text == right.text && etag(&answer) == etag(&right);
            assert!(same, "wrong answer: {} after {shown:?}", answer.text);
        }
        far.get(&plio.path()).await.hit();
    }
}

/// A process that has to ask Redis every time.
async fn app_without_near(world: &World) -> App {
    let schema: &'static Schema = Box::leak(Box::new(Schema { max_staleness: None, ..SCHEMA }));
    let builder = Cache::builder(world.db().clone(), schema).relay(world.relays());
    let builder = match world.db() {
        Db::Sqlite(pool) => builder.outbox(pool),
        Db::Postgres(pool) => builder.outbox(pool),
    };
    let store = RedisStore::new(&world.redis_url(), schema).expect("an address");
    App::serve(builder.store(store)).await
}

fn etag(answer: &Answer) -> String {
    answer.header("etag").to_owned()
}

async fn get_unless(app: &App, path: &str, if_none_match: &str) -> Answer {
    let request = app.request("GET", path);
    app.send(request.header("if-none-match", if_none_match)).await
}

/// 304: the tag, and neither a body nor the length of none.
fn is_not_modified(answer: &Answer, etag: &str) {
    let answer = answer.clone().is(304);
    assert_eq!(answer.text, "");
    assert_eq!(answer.header("etag"), etag, "wrong answer: another tag");
    assert!(answer.cache_status.is_some(), "no Cache-Status");
    assert_ne!(answer.header("content-length"), "0");
}

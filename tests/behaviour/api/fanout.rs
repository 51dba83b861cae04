//! A tag that a hundred thousand values are built from: it is invalidated
//! in slices, and nobody waits for more than one.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::store::{Fill, Token};
use cache_runtime::{RedisStore, Store, Tag};
use example_app::{SCHEMA, User};
use serde_json::json;

use crate::harness::setup::{POSTGRES_IDENTITY, POSTGRES_STAMP};
use crate::harness::{App, Story, World, story};

const MEMBERS: usize = 100_000;
/// Real ones among them.
const USERS: i64 = 20;
/// How many keys a message may tell: a slice.
const SLICE: usize = 1000;
/// How long another client of Redis may wait: a slice takes a millisecond or a few. Nor is one wait
/// to be much longer, though a busy machine may let the client itself wait.
const WAIT: Duration = Duration::from_millis(50);
const WORST: Duration = Duration::from_millis(200);

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_tag_of_a_hundred_thousand_values_is_invalidated_in_slices)
            .without_relay("one that delivers the same rows has another client wait")
            .own_redis()
            .on_postgres()
            .alone(),
    ]
}

async fn a_tag_of_a_hundred_thousand_values_is_invalidated_in_slices(world: World) {
    let organization = world.organization("old organization").await;
    let mut users = Vec::new();
    for _ in 0..USERS {
        let user = world.user().await;
        world.membership(user, organization, "org-admin").await;
        users.push(user);
    }
    world.deliver_pending().await;
    let tag = Tag::from_text(format!("organization#id={organization}"));

    let store = Arc::new(RedisStore::new(&world.redis_url(), &SCHEMA).expect("a URL"));
    store.connect(&source(&world).await).await.expect("connected");
    let before = fill_members(&store, &tag).await;
    let other = world.another_app().await;
    for app in [&*world, &other] {
        for _ in 0..2 {
            say(app, &users, "old organization").await;
        }
    }

    let over = Arc::new(AtomicBool::new(false));
    let pinging = ping_until(&world, &over);
    let listening = Listener::to(&world).check_until(&store, &tag, &over);
    let path = format!("/organizations/{organization}");
    let began = Instant::now();
    let written = world.patch(&path, json!({"name": "new organization"}));
    written.await.is(200);
    // From here on nobody is to see what was.
    say(&world, &users, "new organization").await;
    let took = began.elapsed();
    for chunk in keys().chunks(SLICE) {
        let read = store.read(chunk).await.expect("read");
        let left = read.values.iter().flatten().count();
        assert_eq!(left, 0, "wrong answer: {left} values of a slice are left");
    }
    // The other process has heard of it before a read that begins now is answered.
    other.cache.refresh::<User>(users[0]).await.expect("loaded");
    say(&other, &users, "new organization").await;
    let stale = fill(0, &tag);
    let stored = store.fill(before, &[stale]).await.expect("an answer");
    assert_eq!(stored, [false], "wrong answer: a fill from before is taken");

    over.store(true, Ordering::SeqCst);
    let mut waits = pinging.join().expect("no panic");
    waits.sort_unstable_by(|a, b| b.cmp(a));
    let (pings, worst, tenth) = (waits.len(), waits[0], waits[9]);
    let (messages, told, between) = listening.await.expect("no panic");
    println!(
        "{MEMBERS} values: {took:?} in {messages} slices; {pings} pings, the worst took {worst:?}, the tenth {tenth:?}; {between} fills between slices"
    );
    assert!(told >= MEMBERS, "wrong answer: {told} keys were told");
    assert!(messages >= MEMBERS / SLICE, "{messages} slices");
    assert!(between > 0, "nothing was stored between slices");
    assert!(tenth < WAIT, "a client waited for {tenth:?} ten times");
    assert!(worst < WORST, "a client waited for {worst:?}");
}

/// Everybody's organization has this name.
async fn say(app: &App, users: &[i64], name: &str) {
    let users = User::get_many(&app.cache, users).await.expect("users");
    for user in users {
        let said = &user.as_ref().expect("a row").organizations[0].name;
        assert_eq!(said, name, "wrong answer");
    }
}

/// What the values of this database's cache begin with.
async fn source(world: &World) -> String {
    let digits = format!(
        "SELECT ('x' || substr({POSTGRES_IDENTITY}, 1, 8))::bit(32)::bigint FROM {POSTGRES_STAMP}"
    );
    format!("{:08x}", world.number(digits).await)
}

fn keys() -> Vec<String> {
    (0..MEMBERS).map(|n| format!("user_x{n}")).collect()
}

fn fill(n: usize, tag: &Tag) -> Fill {
    Fill {
        key: format!("user_x{n}"),
        tags: vec![tag.clone()],
        value: "old".into(),
        ttl: Duration::from_secs(600),
        strict: false,
    }
}

/// Fills the store; a token from before.
async fn fill_members(store: &RedisStore, tag: &Tag) -> Token {
    let token = store.read(&[]).await.expect("read").token;
    let began = Instant::now();
    let members: Vec<Fill> = (0..MEMBERS).map(|n| fill(n, tag)).collect();
    for fills in members.chunks(SLICE) {
        let stored = store.fill(token, fills).await.expect("filled");
        assert!(stored.iter().all(|stored| *stored));
    }
    println!("{MEMBERS} fills: {:?}", began.elapsed());
    token
}

/// Another client, on a thread of its own: `PING` and `GET`, again and again. How long each took.
fn ping_until(world: &World, over: &Arc<AtomicBool>) -> std::thread::JoinHandle<Vec<Duration>> {
    let (port, over) = (world.redis().port(), Arc::clone(over));
    std::thread::spawn(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("Redis runs");
        stream.set_nodelay(true).expect("set");
        let mut answers = BufReader::new(stream.try_clone().expect("cloned"));
        let (mut waits, mut answer) = (Vec::new(), String::new());
        while !over.load(Ordering::SeqCst) {
            let command: &[u8] = match waits.len() % 2 {
                0 => b"PING\r\n",
                _ => b"GET nothing\r\n",
            };
            let asked = Instant::now();
            stream.write_all(command).expect("sent");
            answers.read_line(&mut answer).expect("answered");
            waits.push(asked.elapsed());
        }
        waits
    })
}

/// Another client, who hears what near caches hear.
struct Listener(redis::Client);

impl Listener {
    fn to(world: &World) -> Self {
        Self(redis::Client::open(world.redis_url()).expect("a URL"))
    }

    /// Checks that nothing of a slice is stored any more when it is told, and stores something new
    /// between it and the next. How many slices, how many keys, and how many were stored.
    fn check_until(
        self,
        store: &Arc<RedisStore>,
        tag: &Tag,
        over: &Arc<AtomicBool>,
    ) -> tokio::task::JoinHandle<(usize, usize, usize)> {
        let (store, tag, over) = (Arc::clone(store), tag.clone(), Arc::clone(over));
        let mut connection = self.0.get_connection().expect("Redis runs");
        tokio::spawn(async move {
            let mut pubsub = connection.as_pubsub();
            pubsub.psubscribe("cache:invalidations:*").expect("subscribed");
            let wait = Some(Duration::from_millis(100));
            pubsub.set_read_timeout(wait).expect("set");
            let (mut slices, mut told, mut stored) = (0, HashSet::new(), 0);
            loop {
                let Ok(message) = tokio::task::block_in_place(|| pubsub.get_message()) else {
                    match over.load(Ordering::SeqCst) {
                        true => return (slices, told.len(), stored),
                        false => continue,
                    }
                };
                let message: String = message.get_payload().expect("a text");
                let keys = message.lines().skip(1).filter(|key| key.contains('x'));
                let keys: Vec<String> = keys.map(str::to_owned).collect();
                assert!(keys.len() <= SLICE, "a slice of {} keys", keys.len());
                if keys.is_empty() {
                    continue;
                }
                let read = store.read(&keys).await.expect("read");
                let left = read.values.iter().flatten().count();
                assert_eq!(left, 0, "wrong answer: {left} values of a slice are left");
                // It may be deleted by the slices that follow, and is of now.
                let new = Fill { key: format!("user_y{slices}"), ..fill(0, &tag) };
                let taken = store.fill(read.token, &[new]).await.expect("an answer");
                slices += 1;
                told.extend(keys);
                stored += usize::from(taken[0]);
            }
        })
    }
}

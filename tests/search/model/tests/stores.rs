//! The real stores against the model of one: the same steps, in
//! any order, must have the same answers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use ::model::store as model;
use ::model::store::{Filled, How, KEYS, Set, Slice, TAGS, members};
use bytes::Bytes;
use cache_runtime::store::{Fill, Read, Token};
use cache_runtime::{MemoryStore, RedisStore, Schema, Store, Tag};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use servers::Redis;
use tokio::runtime::Runtime;

static SCHEMA: Schema = cache_runtime::schema!();

/// In a new epoch nothing strict is stored for `max-commit`: this one is over at once.
static QUICK: Schema = Schema { max_commit: Duration::from_millis(1), ..SCHEMA };

const SOURCE: &str = "one";
const LONG: Duration = Duration::from_secs(600);

/// What somebody asks of the store. Of several processes on one store, `at` is the one that asks.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// And keeps the token.
    Read {
        at: usize,
        key: u8,
    },
    /// With a token of before: the so-and-so-manyth.
    Fill {
        at: usize,
        key: u8,
        tags: Set,
        token: usize,
        strict: bool,
    },
    Invalidate {
        at: usize,
        tags: Set,
    },
    Block {
        at: usize,
        writer: u8,
        tags: Set,
    },
    Unblock {
        at: usize,
        writer: u8,
        tags: Set,
    },
    Clear {
        at: usize,
    },
    Evict(model::Key),
}

fn steps(evicts: bool) -> impl Strategy<Value = Vec<Step>> {
    let (at, key, writer) = (0..2_usize, 0..KEYS as u8, 0..2_u8);
    let tags = 1..1_u8 << TAGS;
    let read = (at.clone(), key.clone()).prop_map(|(at, key)| Step::Read { at, key });
    let fill = (at.clone(), key.clone(), tags.clone(), 0..4_usize, any::<bool>());
    let fill =
        fill.prop_map(|(at, key, tags, token, strict)| Step::Fill { at, key, tags, token, strict });
    let invalidate = (at.clone(), tags.clone());
    let invalidate = invalidate.prop_map(|(at, tags)| Step::Invalidate { at, tags });
    let blocks = (at.clone(), writer, tags, any::<bool>());
    let blocks = blocks.prop_map(|(at, writer, tags, ends)| match ends {
        true => Step::Unblock { at, writer, tags },
        false => Step::Block { at, writer, tags },
    });
    let clear = at.prop_map(|at| Step::Clear { at });
    let evict = prop_oneof![
        key.prop_map(model::Key::Value),
        (0..TAGS as u8).prop_map(model::Key::Index),
        Just(model::Key::Clock),
        Just(model::Key::Fences),
        Just(model::Key::Tags),
        Just(model::Key::Blocks),
    ];
    let step = prop_oneof![
        12 => read,
        24 => fill,
        6 => invalidate,
        3 => blocks,
        1 => clear,
        u32::from(evicts) * 4 => evict.prop_map(Step::Evict),
    ];
    vec(step, 1..60)
}

#[test]
fn memory_answers_as_the_model_does() {
    let runtime = Runtime::new().expect("a runtime");
    let seen = Seen::default();
    run(2000, false, |steps| {
        let store = MemoryStore::new(&SCHEMA);
        runtime.block_on(compare(&[&store], None, steps, &seen))
    });
    seen.has(["hit", "miss", "Stored", "Refused"]);
}

#[test]
fn redis_answers_as_the_model_does() {
    let runtime = Runtime::new().expect("a runtime");
    let server = Redis::own();
    let seen = Seen::default();
    run(600, true, |steps| {
        runtime.block_on(async {
            server.command("FLUSHALL").await;
            let url = server.url(0);
            let quick = RedisStore::new(&url, &QUICK).expect("a URL");
            quick.connect(SOURCE).await.expect("connected");
            tokio::time::sleep(2 * QUICK.max_commit).await;
            let one = RedisStore::new(&url, &SCHEMA).expect("a URL");
            let two = RedisStore::new(&url, &SCHEMA).expect("a URL");
            compare(&[&one, &two], Some(&server), steps, &seen).await
        })
    });
    seen.has(["hit", "miss", "Stored", "Refused", "Lost", "tidied"]);
}

fn run(cases: u32, evicts: bool, test: impl Fn(&[Step]) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let ran = TestRunner::new(config).run(&steps(evicts), |steps| test(&steps));
    ran.unwrap_or_else(|error| panic!("{error}"));
}

/// What is compared, and what either side calls what it has.
struct Both<'s> {
    stores: &'s [&'s dyn Store],
    server: Option<&'s Redis>,
    model: model::Store,
    tokens: Vec<(Token, model::Token)>,
    /// Of each version, the bytes that stand for it.
    versions: u8,
    seen: &'s Seen,
}

/// How often there was which answer.
#[derive(Default)]
struct Seen(RefCell<BTreeMap<String, usize>>);

impl Seen {
    fn one(&self, answer: impl Into<String>) {
        *self.0.borrow_mut().entry(answer.into()).or_default() += 1;
    }

    /// Otherwise the steps would prove little.
    fn has<const N: usize>(&self, answers: [&str; N]) {
        let seen = self.0.borrow();
        println!("{seen:?}");
        for answer in answers {
            let times = seen.get(answer).copied().unwrap_or(0);
            assert!(times > 20, "{answer} was answered only {times} times");
        }
    }
}

async fn compare(
    stores: &[&dyn Store],
    server: Option<&Redis>,
    steps: &[Step],
    seen: &Seen,
) -> Result<(), TestCaseError> {
    for store in stores {
        store.connect(SOURCE).await.expect("connected");
    }
    let mut both = Both {
        stores,
        server,
        model: match server {
            Some(_) => model::Store::new(0),
            None => model::Store::in_memory(),
        },
        tokens: Vec::new(),
        versions: 0,
        seen,
    };
    both.read(0, 0).await?;
    for step in steps {
        match *step {
            Step::Read { at, key } => both.read(at, key).await?,
            Step::Fill { at, key, tags, token, strict } => {
                both.fill(at, key, tags, token, strict).await?
            }
            Step::Invalidate { at, tags } => both.invalidate(at, tags).await,
            Step::Block { at, writer, tags } => both.block(at, writer, tags, LONG).await,
            Step::Unblock { at, writer, tags } => {
                both.block(at, writer, tags, Duration::ZERO).await;
            }
            Step::Clear { at } => {
                both.store(at).clear().await.expect("cleared");
                both.model.connect(How::Void, None);
            }
            Step::Evict(key) => {
                if let Some(server) = server {
                    server.command(&format!("DEL {}", name(key))).await;
                    both.model.evict(key);
                }
            }
        }
    }
    for key in 0..KEYS as u8 {
        both.read(0, key).await?;
    }
    Ok(())
}

impl Both<'_> {
    fn store(&self, at: usize) -> &dyn Store {
        self.stores[at % self.stores.len()]
    }

    fn renew_epoch(&mut self) {
        self.model.connect(How::Find, None);
    }

    async fn read(&mut self, at: usize, key: u8) -> Result<(), TestCaseError> {
        let keys = [name(model::Key::Value(key))];
        let Read { values, token } = self.store(at).read(&keys).await.expect("read");
        if self.model.clock().is_none() {
            self.renew_epoch();
        }
        let (version, model_token) = self.model.read(key, None).expect("a clock");
        let expected = version.map(|version| Bytes::from(vec![version]));
        prop_assert_eq!(&values[0], &expected, "read of {}", key);
        self.tokens.push((token, model_token));
        self.seen.one(if version.is_some() { "hit" } else { "miss" });
        Ok(())
    }

    async fn fill(
        &mut self,
        at: usize,
        key: u8,
        tags: Set,
        token: usize,
        strict: bool,
    ) -> Result<(), TestCaseError> {
        // Mostly one of the last.
        let nth = self.tokens.len().saturating_sub(1 + token);
        let (token, model_token) = self.tokens[nth];
        self.versions += 1;
        let fill = Fill {
            key: name(model::Key::Value(key)),
            tags: tags_of(tags),
            value: Bytes::from(vec![self.versions]),
            ttl: LONG,
            strict,
        };
        let stored = self.store(at).fill(token, &[fill]).await.expect("fill");
        let filled = (self.model).fill(model_token, key, tags, self.versions, strict, None);
        if let Some(server) = self.server {
            self.tidy(server).await?;
        }
        if filled == Filled::Lost {
            self.renew_epoch();
        }
        self.seen.one(format!("{filled:?}"));
        prop_assert_eq!(stored, [filled == Filled::Stored], "fill of {}: {:?}", key, filled);
        Ok(())
    }

    /// Which edges a fill has tidied away is left to chance: none
    /// but dead ones, and the model is told.
    async fn tidy(&mut self, server: &Redis) -> Result<(), TestCaseError> {
        let indexes: Vec<String> =
            (0..TAGS as u8).map(|tag| name(model::Key::Index(tag))).collect();
        // One command, as each has a connection of its own; its words are parted by spaces.
        let script = EDGES.replace(' ', "\t");
        let script = format!("EVAL {script} {TAGS} {}", indexes.join(" "));
        let there = server.command(&script).await;
        for (tag, index) in indexes.iter().enumerate() {
            let edge = |key: usize| format!("({index} {})", name(model::Key::Value(key as u8)));
            let is_there = |key: &usize| there.contains(&edge(*key));
            let known = self.model.index(tag);
            let gone = members(known).filter(|key| !is_there(key));
            let gone = gone.fold(0, |set, key| set | 1 << key);
            prop_assert_eq!(gone & !self.model.dead(tag), 0, "edges of {} that live", index);
            if gone != 0 {
                self.model.tidy(tag, gone, None);
                self.seen.one("tidied");
            }
        }
        Ok(())
    }

    async fn invalidate(&mut self, at: usize, tags: Set) {
        let invalidated = self.store(at).invalidate(&tags_of(tags)).await;
        invalidated.expect("invalidated");
        if self.model.invalidate(tags, 100, true, None) == Slice::Lost {
            self.renew_epoch();
        }
    }

    async fn block(&mut self, at: usize, writer: u8, tags: Set, life: Duration) {
        let (store, by) = (self.store(at), i64::from(writer));
        let done = match life.is_zero() {
            true => store.unblock(by, &tags_of(tags)).await,
            false => store.block(by, &tags_of(tags), life).await,
        };
        done.expect("blocked, or not");
        let known = match life.is_zero() {
            true => self.model.unblock(writer, tags),
            false => self.model.block(writer, tags),
        };
        if !known {
            self.renew_epoch();
        }
    }
}

/// Every edge, as text.
const EDGES: &str = "local edges = ''
    for _, index in ipairs(KEYS) do
        for _, key in ipairs(redis.call('ZRANGE', index, 0, -1)) do
            edges = edges .. '(' .. index .. '\\32' .. key .. ')'
        end
    end
    return edges";

fn tags_of(tags: Set) -> Vec<Tag> {
    members(tags).map(|tag| Tag::from_text(format!("tag{tag}"))).collect()
}

/// What Redis calls it.
fn name(key: model::Key) -> String {
    match key {
        model::Key::Value(key) => format!("key{key}"),
        model::Key::Index(tag) => format!("cache:index:tag{tag}"),
        model::Key::Clock => "cache:clock".into(),
        model::Key::Fences => "cache:fences".into(),
        model::Key::Tags => "cache:tags".into(),
        model::Key::Blocks => "cache:blocks".into(),
    }
}

//! Batches: as few commands, loads and fills as there can be, on the wire as well.

use std::collections::HashMap;

use cache_runtime::{Answer, Fetched, Json};
use ledger::{Base, Digest, Note, Page, SCHEMA};

use super::bank::{Bank, story};
use super::desk::{Asked, Desk};
use crate::harness::{Seen, Story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_hundred_are_one_command_one_load_and_one_pipeline)
            .without_relay("commands are counted")
            .own_redis(),
        story!(a_batch_is_answered_in_its_order),
        story!(the_json_of_several_is_that_of_each),
    ]
}

async fn with_rows<DB: Base>(bank: &Bank<DB>, table: &str, column: &str, value: &str) {
    let row = |id| format!("INSERT INTO {table} (id, {column}) VALUES ({id}, {value});");
    bank.sql((1..=100).map(row).collect::<String>()).await;
    bank.deliver_pending().await;
}

/// Digests: without a lease, which is one more command.
async fn a_hundred_are_one_command_one_load_and_one_pipeline<DB: Base>(bank: Bank<DB>) {
    with_rows(&bank, "digest", "quote_id", "NULL").await;
    // Without what asks Redis for the near cache, every half second.
    let asked = Asked::default();
    let desk = bank.desk_with(bank.pool(), &asked, &SCHEMA, None, |it| it.near(false));
    let desk = desk.await;
    let ids: Vec<i64> = (1..=100).collect();
    // The server knows the scripts.
    Digest::get(&desk.cache, 404).await.expect("no such row");
    desk.events.forget();
    let mut monitor = Monitor::of(&bank).await;

    let before = Counts::of(&bank).await;
    let digests = Digest::get_many(&desk.cache, &ids).await.expect("digests");
    let misses = Counts::of(&bank).await.since(&before);
    assert_eq!(digests.iter().flatten().count(), 100, "wrong answer");
    assert_eq!(misses.calls("mget"), 1, "{misses:?}");
    assert_eq!(misses.calls("evalsha"), 100, "{misses:?}");
    println!("the server read {} times for 101 commands", misses.reads);
    assert!(misses.reads < 40, "no pipeline: {misses:?}");
    assert_eq!(desk.asked.ids("digest")[1], ids, "one load");
    let loading = desk.events.loads("digest");
    let filled = |seen: &Seen| matches!(seen, Seen::Filled(_, true));
    assert_eq!((loading, desk.events.count(filled)), (1, 100));

    let before = Counts::of(&bank).await;
    let digests = Digest::get_many(&desk.cache, &ids).await.expect("digests");
    let hits = Counts::of(&bank).await.since(&before);
    assert_eq!(digests.iter().flatten().count(), 100, "wrong answer");
    assert_eq!((hits.calls("mget"), hits.calls("evalsha")), (1, 0), "{hits:?}");
    assert_eq!(desk.asked.times("digest"), 2, "all of them hit");

    for _ in 0..2 {
        let keys = monitor.next_mget().await;
        let digests = keys.iter().filter(|key| key.starts_with("digest_")).count();
        assert_eq!(keys.len(), 101, "the clock as well: {keys:?}");
        assert_eq!((keys[0].as_str(), digests), ("cache:clock", 100));
    }

    // More than a hundred are so many more, and no load.
    let many: Vec<i64> = (0..350).map(|n| n % 100 + 1).collect();
    let before = Counts::of(&bank).await;
    let digests = Digest::get_many(&desk.cache, &many).await.expect("digests");
    let hits = Counts::of(&bank).await.since(&before);
    let got: Vec<i64> = digests.into_iter().flatten().map(|digest| digest.id).collect();
    assert_eq!(got, many, "wrong answer");
    assert_eq!((hits.calls("mget"), hits.calls("evalsha")), (4, 0), "{hits:?}");
}

async fn a_batch_is_answered_in_its_order<DB: Base>(bank: Bank<DB>) {
    with_rows(&bank, "page", "text", "'old'").await;
    let desk = bank.desk().await;
    // Stored: 1 to 9, and that there is no 401.
    let stored: Vec<i64> = (1..10).chain([401]).collect();
    Page::get_many(&desk.cache, &stored).await.expect("pages");
    let ids = [50, 3, 402, 50, 401, 1, 51, 3, 402, 9, 401];
    let pages = Page::fetch_many(&desk.cache, &ids).await.expect("pages");
    assert_eq!(pages.len(), ids.len(), "wrong answer");
    let mut collapsed: HashMap<i64, usize> = HashMap::new();
    for (id, page) in ids.into_iter().zip(&pages) {
        let said = page.value.as_ref().map(|page| page.id);
        assert_eq!(said, (id < 400).then_some(id), "wrong answer");
        match page.status.answer {
            Answer::Hit => assert!(stored.contains(&id), "{id} is not stored"),
            Answer::Miss { stored: true, collapsed: joined } => {
                assert!([50, 51, 402].contains(&id), "{id} is stored");
                *collapsed.entry(id).or_default() += usize::from(joined);
            }
            answer => panic!("{id}: {answer:?}"),
        }
    }
    assert_eq!(collapsed, HashMap::from([(50, 1), (51, 0), (402, 1)]));
    assert_eq!(desk.asked.ids("page")[1..], [[50, 402, 51]], "one load, each once");
    nothing_is_asked_for_nothing(&desk).await;
}

async fn the_json_of_several_is_that_of_each<DB: Base>(bank: Bank<DB>) {
    let ids = ["n", "nobody", "n"].map(str::to_owned);
    let text = |json: Fetched<Json>| {
        let json = json.value?;
        Some(String::from_utf8_lossy(json.bytes()).into_owned())
    };
    // Loaded, stored, near.
    for _ in 0..3 {
        let all = Note::fetch_json_many(&bank.cache, &ids).await;
        let all: Vec<Option<String>> = all.expect("read").into_iter().map(text).collect();
        let one = Note::fetch_json(&bank.cache, "n").await;
        let one = one.map(text).expect("read");
        assert!(one.is_some(), "wrong answer");
        assert_eq!(all, [one.clone(), None, one], "wrong answer");
    }
}

async fn nothing_is_asked_for_nothing<DB: Base>(desk: &Desk<DB>) {
    desk.events.forget();
    let pages = Page::get_many(&desk.cache, &[]).await.expect("no pages");
    assert!(pages.is_empty() && desk.events.told().is_empty());
}

/// What the server has counted.
#[derive(Debug)]
struct Counts {
    calls: HashMap<String, u64>,
    /// From sockets.
    reads: u64,
}

impl Counts {
    async fn of<DB: Base>(bank: &Bank<DB>) -> Self {
        let client = redis::Client::open(bank.redis().url()).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await;
        let mut info = redis::cmd("INFO");
        let info: redis::RedisResult<String> = info
            .arg(&["commandstats", "stats"])
            .query_async(&mut connection.expect("Redis runs"))
            .await;
        let info = info.expect("INFO");
        let number = |text: &str| text.split(',').next().and_then(|n| n.parse().ok());
        let call = |line: &str| {
            let (name, counts) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), number(counts)?))
        };
        let reads = |line: &str| number(line.trim().strip_prefix("total_reads_processed:")?);
        Self {
            calls: info.lines().filter_map(call).collect(),
            reads: info.lines().find_map(reads).expect("of Redis 6 and later"),
        }
    }

    fn since(self, before: &Self) -> Self {
        let since = |(name, calls)| {
            let earlier = before.calls.get(&name).copied().unwrap_or_default();
            (name, calls - earlier)
        };
        Self {
            calls: self.calls.into_iter().map(since).collect(),
            reads: self.reads - before.reads,
        }
    }

    fn calls(&self, name: &str) -> u64 {
        self.calls.get(name).copied().unwrap_or_default()
    }
}

/// `MONITOR`
struct Monitor(tokio::io::Lines<tokio::io::BufReader<tokio::net::TcpStream>>);

impl Monitor {
    async fn of<DB: Base>(bank: &Bank<DB>) -> Self {
        use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
        let port = bank.redis().server().port();
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
        let mut stream = stream.expect("Redis runs");
        stream.write_all(b"MONITOR\r\n").await.expect("sent");
        let mut lines = BufReader::new(stream).lines();
        let ok = lines.next_line().await.expect("an answer");
        assert_eq!(ok.as_deref(), Some("+OK"));
        Self(lines)
    }

    /// The keys of the next `MGET` that was not a script's.
    async fn next_mget(&mut self) -> Vec<String> {
        loop {
            let line = self.0.next_line().await.expect("a line").expect("a line");
            if let Some((from, keys)) = line.split_once("] \"MGET\" ")
                && !from.ends_with("lua")
            {
                let keys = keys.split(' ').map(|key| key.trim_matches('"').to_owned());
                return keys.collect();
            }
        }
    }
}

//! A service whose pool has one connection, and a relay beside the rest. On SQLite the two share
//! it; on PostgreSQL the relay has two of its own, one of which listens. Whatever waits for a
//! connection while it holds one, waits for itself.

use std::time::Duration;

use ledger::{Account, Base, Note, NoteLookup, SCHEMA};
use sqlx::Pool;

use super::bank::{BUSY, Bank, Branch, story};
use crate::harness::{Seen, Story};

/// A third of how long one waits for a connection (`Base::pool`; sqlx's own is
/// twice as long): who waits for himself is late.
const LIMIT: Duration = Duration::from_secs(5);
/// Times that each thing is done: the relay comes between now and then.
const ROUNDS: usize = 10;

pub fn stories() -> Vec<Story> {
    const WHY: &str = "the process with one connection relays, and nobody does it in its place";
    [
        story!(one_connection_reads),
        story!(one_connection_writes),
        story!(one_connection_reads_within_a_transaction),
        story!(one_connection_drains_and_clears),
        story!(one_connection_refreshes),
        story!(one_connection_installs),
        story!(one_connection_follows_redis).own_redis(),
    ]
    .map(|story| story.without_relay(WHY))
    .into()
}

/// A process with one connection.
struct Narrow<DB: Base> {
    bank: Bank<DB>,
    pool: Pool<DB>,
    branch: Branch<DB>,
}

impl<DB: Base> Narrow<DB> {
    async fn of(bank: Bank<DB>) -> Self {
        let pool = DB::pool(bank.url(), 1);
        let build = bank.branch_on(&pool, &BUSY, |builder| builder.relay(true));
        let branch = in_time("build", build).await;
        // The relay has its own connections, and has begun to listen.
        branch.events.idle(1).await;
        Self { bank, pool, branch }
    }

    /// Reads through the cache.
    async fn says(&self, text: &str) {
        let said = in_time("get", self.branch.text("n")).await;
        assert_eq!(said.as_deref(), Some(text), "wrong answer");
    }

    async fn write(&self, text: &str) {
        let sql = format!("UPDATE note SET text = '{text}' WHERE id = 'n'");
        let written = in_time("begin and commit", self.branch.write(&sql)).await;
        written.expect("committed");
    }

    /// Neither the store nor the outbox was ever out of reach.
    fn nothing_was_away(&self) {
        let away = self.branch.events.count(|seen| *seen == Seen::StoreAway);
        assert_eq!(away, 0, "the cache was never out of use");
    }
}

/// What this makes, long before a wait for a connection is given up.
async fn in_time<T>(what: &str, doing: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(LIMIT, doing).await;
    done.unwrap_or_else(|_| panic!("{what} is not over after {LIMIT:?}: it waits for itself"))
}

async fn one_connection_reads<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO note (id, slug, text) VALUES ('m', 'another', 'old')").await;
    let narrow = Narrow::of(bank).await;
    let cache = &narrow.branch.cache;
    let ids = ["n", "m", "nobody"].map(str::to_owned);
    for round in 0..ROUNDS {
        narrow.says("old").await;
        let notes = in_time("get_many", Note::get_many(cache, &ids)).await;
        let there: Vec<bool> = notes.expect("notes").iter().map(Option::is_some).collect();
        assert_eq!(there, [true, true, false], "wrong answer");
        let slug = "another".to_owned();
        let found = in_time("a lookup", Note::get_by_slug(cache, slug)).await;
        assert_eq!(found.expect("found").expect("there").id, "m", "wrong answer");
        let json = in_time("JSON", Note::fetch_json(cache, "n")).await;
        assert!(json.expect("JSON").value.is_some(), "wrong answer");
        // It embeds a cached value, which is loaded within its load.
        let account = in_time("a nested load", narrow.branch.account("a")).await;
        let owner = account.expect("there").owner.clone();
        assert_eq!(owner.expect("its owner").id, 1, "wrong answer");
        // Everything is loaded again, by many at once.
        narrow.bank.sql("UPDATE note SET text = 'old'; UPDATE owner SET version = version").await;
        in_time("drain", cache.deliver_pending()).await.expect("drained");
        let readers: Vec<_> = (0..20)
            .map(|reader| {
                let branch = narrow.branch.clone();
                tokio::spawn(async move {
                    match reader % 3 {
                        0 => branch.note("n").await.is_some(),
                        1 => branch.note("m").await.is_some(),
                        _ => branch.account("a").await.is_some(),
                    }
                })
            })
            .collect();
        for reader in readers {
            let found = in_time("a reader among many", reader).await;
            assert!(found.expect("no panic"), "wrong answer, in round {round}");
        }
    }
    narrow.nothing_was_away();
}

async fn one_connection_writes<DB: Base>(bank: Bank<DB>) {
    let narrow = Narrow::of(bank).await;
    narrow.says("old").await;
    for round in 0..ROUNDS {
        let text = format!("round {round}");
        narrow.write(&text).await;
        narrow.says(&text).await;

        let mut tx = in_time("begin", narrow.branch.begin()).await;
        let never = "UPDATE note SET text = 'never' WHERE id = 'n'";
        DB::run(&mut tx, never, Vec::new()).await.expect("run");
        if round % 2 == 0 {
            in_time("rollback", tx.rollback()).await.expect("undone");
        } else {
            drop(tx);
        }
        narrow.says(&text).await;

        // What is strict is blocked before the commit, and its tags are read.
        let version = "UPDATE account SET version = version + 1 WHERE id = 'a'";
        let written = in_time("a strict commit", narrow.branch.write(version)).await;
        written.expect("committed");
        let account = in_time("get", narrow.branch.account("a")).await;
        let version = account.expect("there").version;
        assert_eq!(version, round as i64 + 1, "wrong answer");
        // One that fails.
        let nobody = "UPDATE account SET owner_id = 99 WHERE id = 'a'";
        let failed = in_time("a commit that fails", narrow.branch.write(nobody)).await;
        failed.expect_err("there is no such owner");
    }
    // Many at once.
    let writers: Vec<_> = (0..10)
        .map(|_| {
            narrow.branch.write_meanwhile("UPDATE account SET version = version + 1 WHERE id = 'a'")
        })
        .collect();
    for writer in writers {
        let written = in_time("a writer among many", writer).await;
        written.expect("no panic").expect("committed");
    }
    let account = in_time("get", narrow.branch.account("a")).await;
    let version = account.expect("there").version;
    assert_eq!(version, ROUNDS as i64 + 10, "wrong answer");
    narrow.nothing_was_away();
}

async fn one_connection_reads_within_a_transaction<DB: Base>(bank: Bank<DB>) {
    let narrow = Narrow::of(bank).await;
    for round in 0..ROUNDS {
        let mut tx = in_time("begin", narrow.branch.begin()).await;
        let update = format!("UPDATE note SET text = 'round {round}' WHERE id = 'n'");
        DB::run(&mut tx, &update, Vec::new()).await.expect("run");
        let id = || "n".to_owned();
        let note = in_time("tx.get", tx.get::<Note>(id())).await;
        let text = note.expect("read").expect("there").text.clone();
        assert_eq!(text, format!("round {round}"), "wrong answer");
        let notes = in_time("tx.get_many", tx.get_many::<Note>(&[id(), id()])).await;
        assert_eq!(notes.expect("read").iter().flatten().count(), 2);
        let slug = NoteLookup::Slug("slug".to_owned());
        let found = in_time("tx.get_by", tx.get_by::<Note>(slug)).await;
        assert!(found.expect("read").is_some(), "wrong answer");
        let account = in_time("a nested tx.get", tx.get::<Account>("a".to_owned())).await;
        let owner = account.expect("read").expect("there").owner.clone();
        assert!(owner.is_some(), "wrong answer");
        // What has been read may be near or stored: a hit needs no
        // connection, which the transaction has.
        in_time("commit", tx.commit()).await.expect("committed");
        narrow.says(&format!("round {round}")).await;
    }
    narrow.nothing_was_away();
}

async fn one_connection_drains_and_clears<DB: Base>(bank: Bank<DB>) {
    let narrow = Narrow::of(bank).await;
    let cache = &narrow.branch.cache;
    for round in 0..ROUNDS {
        let plain = format!("UPDATE note SET text = 'plain {round}' WHERE id = 'n'");
        narrow.bank.sql(plain).await;
        in_time("drain", cache.deliver_pending()).await.expect("drained");
        narrow.says(&format!("plain {round}")).await;
        in_time("clear", cache.clear()).await.expect("cleared");
        narrow.says(&format!("plain {round}")).await;
    }
    // Everybody at once: the relay has to wait as well.
    let many: Vec<_> = (0..10)
        .map(|n| {
            let cache = cache.clone();
            tokio::spawn(async move {
                match n % 2 {
                    0 => cache.deliver_pending().await.map(drop),
                    _ => cache.clear().await,
                }
            })
        })
        .collect();
    for one in many {
        let done = in_time("one of many drains and clears", one).await;
        done.expect("no panic").expect("no error");
    }
    narrow.says(&format!("plain {}", ROUNDS - 1)).await;
    narrow.nothing_was_away();
}

async fn one_connection_refreshes<DB: Base>(bank: Bank<DB>) {
    let narrow = Narrow::of(bank).await;
    let cache = &narrow.branch.cache;
    for _ in 0..ROUNDS {
        narrow.says("old").await;
        let one = cache.refresh::<Note>("n".to_owned());
        in_time("refresh", one).await.expect("refreshed");
        let ids = ["n", "nobody"].map(str::to_owned);
        let many = cache.refresh_many::<Note>(&ids);
        in_time("refresh_many", many).await.expect("refreshed");
        let nested = cache.refresh::<Account>("a".to_owned());
        in_time("a nested refresh", nested).await.expect("refreshed");
    }
    narrow.nothing_was_away();
}

/// The set-up, while a cache runs on the same pool.
async fn one_connection_installs<DB: Base>(bank: Bank<DB>) {
    let narrow = Narrow::of(bank).await;
    narrow.says("old").await;
    let (pool, seen) = (&narrow.pool, &narrow.branch.events);
    in_time("install", <DB as Base>::install(pool)).await.expect("installed");
    let text = in_time("migration", SCHEMA.migration(pool)).await;
    let text = text.expect("a text");
    narrow.write("installed").await;
    narrow.says("installed").await;
    narrow.nothing_was_away();

    let older = "UPDATE cache_outbox_stamp SET stamp = 'older'".to_owned();
    let gone = "DROP TABLE cache_outbox_stamp".to_owned();
    for (round, trouble) in [older, gone].into_iter().enumerate() {
        seen.forget();
        narrow.bank.sql(trouble).await;
        in_time("it is noticed", away(&narrow.branch)).await;
        narrow.says_from_the_source().await;
        in_time("install", <DB as Base>::install(pool)).await.expect("installed");
        in_time("the return", back(&narrow.branch)).await;
        narrow.write(&format!("round {round}")).await;
        narrow.says(&format!("round {round}")).await;
    }

    // By the text, in another identity: it is as good as another database.
    seen.forget();
    narrow.bank.sql(text).await;
    in_time("it is noticed", away(&narrow.branch)).await;
    in_time("the return", back(&narrow.branch)).await;
    narrow.write("by the text").await;
    narrow.says("by the text").await;

    seen.forget();
    in_time("uninstall", <DB as Base>::uninstall(pool)).await.expect("gone");
    in_time("it is noticed", away(&narrow.branch)).await;
    narrow.bank.sql("UPDATE note SET text = 'unreported'").await;
    narrow.says("unreported").await;
    let taken = in_time("install_outbox", DB::take_triggers_away(pool)).await;
    taken.expect("there is an outbox");
    in_time("install", <DB as Base>::install(pool)).await.expect("installed");
    in_time("the return", back(&narrow.branch)).await;
    narrow.write("in the end").await;
    narrow.says("in the end").await;
}

/// The way back reads the outbox more than once.
async fn one_connection_follows_redis<DB: Base>(bank: Bank<DB>) {
    let narrow = Narrow::of(bank).await;
    narrow.says("old").await;
    for round in 0..2 {
        let redis = narrow.bank.redis().server();
        narrow.branch.events.forget();
        redis.kill();
        narrow.write(&format!("round {round}, away")).await;
        narrow.says(&format!("round {round}, away")).await;
        redis.start_again();
        in_time("the return", back(&narrow.branch)).await;
        narrow.says(&format!("round {round}, away")).await;
        narrow.write(&format!("round {round}, back")).await;
        narrow.says(&format!("round {round}, back")).await;
    }
}

impl<DB: Base> Narrow<DB> {
    /// A write that is not reported to anybody is seen.
    async fn says_from_the_source(&self) {
        let text = "from the source";
        let update = format!("UPDATE note SET text = '{text}' WHERE id = 'n'");
        self.bank.sql(update).await;
        self.says(text).await;
    }
}

async fn away<DB: Base>(branch: &Branch<DB>) {
    let away = |seen: &Seen| *seen == Seen::StoreAway;
    branch.events.wait_for("it is taken out of use", away).await;
}

async fn back<DB: Base>(branch: &Branch<DB>) {
    let back = |seen: &Seen| *seen == Seen::StoreBack;
    branch.events.wait_for("it is back", back).await;
}

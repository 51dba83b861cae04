//! Strict: reads are linearizable with the writes through the
//! cache, also while a commit is under way.

use std::time::{Duration, Instant};

use cache_runtime::{RedisStore, Store, Tag};
use ledger::{Base, SCHEMA};

use super::bank::{Bank, Branch, schema_with, story};
use crate::harness::setup::{POSTGRES_IDENTITY, POSTGRES_STAMP};
use crate::harness::{Seen, Story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_commit_is_seen_from_its_moment_on),
        story!(a_created_account_is_seen_from_its_moment_on),
        story!(an_id_that_looks_like_a_whole_model_is_strict_too),
        // SQLite knows no TRUNCATE.
        story!(an_emptied_table_is_seen_from_its_moment_on).on_postgres(),
        story!(a_fill_from_before_the_block_is_refused),
        story!(two_writers_of_one_account_each_block_it),
        story!(what_is_not_committed_leaves_no_block),
        story!(a_dead_writers_block_ends_by_itself).on_redis(),
    ]
}

/// What only the block prevents.
pub fn need_the_block() -> Vec<Story> {
    vec![
        story!(a_commit_is_seen_from_its_moment_on),
        story!(a_created_account_is_seen_from_its_moment_on),
        super::history::need_the_block(),
    ]
}

/// A number that only grows: where it is written, and what it is read from.
#[derive(Clone, Copy, Debug)]
pub enum Register {
    /// The account's own row,
    Account,
    /// a row that refers to it,
    Entry,
    /// a row that it refers to, cached as well,
    Owner,
    /// and that one by itself.
    OwnerAlone,
}

impl Register {
    pub const ALL: [Self; 4] = [Self::Account, Self::Entry, Self::Owner, Self::OwnerAlone];

    pub fn write(self) -> &'static str {
        match self {
            Self::Account => "UPDATE account SET version = version + 1 WHERE id = 'a'",
            Self::Entry => "UPDATE entry SET amount = amount + 1 WHERE account_id = 'a'",
            Self::Owner | Self::OwnerAlone => "UPDATE owner SET version = version + 1 WHERE id = 1",
        }
    }

    /// The number by plain SQL.
    pub fn source(self) -> &'static str {
        match self {
            Self::Account => "SELECT version FROM account WHERE id = 'a'",
            Self::Entry => "SELECT amount FROM entry WHERE account_id = 'a'",
            Self::Owner | Self::OwnerAlone => "SELECT version FROM owner WHERE id = 1",
        }
    }

    pub fn key(self) -> &'static str {
        match self {
            Self::OwnerAlone => "owner_1",
            _ => "account_a",
        }
    }

    pub async fn read<DB: Base>(self, branch: &Branch<DB>) -> i64 {
        if matches!(self, Self::OwnerAlone) {
            return branch.owner(1).await.expect("the owner").version;
        }
        let account = branch.account("a").await.expect("the account");
        match self {
            Self::Account => account.version,
            Self::Entry => account.entries[0].amount,
            _ => account.owner.as_ref().expect("its owner").version,
        }
    }

    /// Every one of these processes reads this.
    pub async fn says<DB: Base>(self, readers: &[Branch<DB>], when: &str, right: i64) {
        for (process, reader) in readers.iter().enumerate() {
            let said = self.read(reader).await;
            assert!(
                said == right,
                "wrong answer: {when}, process {process} reads {said} of {self:?}; right is {right}"
            );
        }
    }
}

async fn a_commit_is_seen_from_its_moment_on<DB: Base>(bank: Bank<DB>) {
    let readers = bank.readers().await;
    for register in Register::ALL {
        let old = register.read(&bank).await;
        register.says(&readers, "warm", old).await;
        forget(&readers);

        let (before, after) = (bank.events.hold_before_commit(), bank.events.hold_after_commit());
        let writer = bank.write_meanwhile(register.write());
        before.reached().await;
        register.says(&readers, "before COMMIT", old).await;
        before.release();
        after.reached().await;
        register.says(&readers, "after COMMIT", old + 1).await;
        register.says(&readers, "after COMMIT", old + 1).await;
        nothing_is_stored(&readers, register);
        after.release();
        writer.await.expect("no panic").expect("committed");

        is_stored_again(&readers, register, old + 1).await;
    }
}

async fn a_created_account_is_seen_from_its_moment_on<DB: Base>(bank: Bank<DB>) {
    let readers = bank.readers().await;
    let there = async |when: &str, right: bool| {
        for reader in &readers {
            let said = reader.account("new").await.is_some();
            assert!(said == right, "wrong answer: {when}: is it there? {said}");
        }
    };
    there("warm", false).await;
    let (before, after) = (bank.events.hold_before_commit(), bank.events.hold_after_commit());
    let writer = bank.write_meanwhile("INSERT INTO account (id, version) VALUES ('new', 0)");
    before.reached().await;
    there("before COMMIT", false).await;
    before.release();
    after.reached().await;
    there("after COMMIT", true).await;
    after.release();
    writer.await.expect("no panic").expect("committed");
    there("in the end", true).await;
}

async fn an_id_that_looks_like_a_whole_model_is_strict_too<DB: Base>(bank: Bank<DB>) {
    for id in ["#*", "x#*", "account#*"] {
        bank.sql(format!("INSERT INTO account (id, version) VALUES ('{id}', 0)")).await;
        bank.deliver_pending().await;
        let before = bank.events.hold_before_commit();
        let write = format!("UPDATE account SET version = 1 WHERE id = '{id}'");
        let writer = bank.write_meanwhile(&write);
        let blocked = tokio::time::timeout(Duration::from_secs(5), before.reached());
        assert!(
            blocked.await.is_ok(),
            "wrong answer: {id} is not blocked: {:?}",
            bank.events.seen()
        );
        before.release();
        writer.await.expect("no panic").expect("committed");
        let account = bank.account(id).await.expect("the account");
        assert_eq!(account.version, 1, "wrong answer: {id}");
    }
}

async fn an_emptied_table_is_seen_from_its_moment_on<DB: Base>(bank: Bank<DB>) {
    let readers = bank.readers().await;
    let entries = async |when: &str, right: usize| {
        for reader in &readers {
            let said = reader.account("a").await.expect("the account");
            let said = said.entries.len();
            assert!(said == right, "wrong answer: {when}: {said} entries");
        }
    };
    entries("warm", 1).await;
    forget(&readers);
    let (before, after) = (bank.events.hold_before_commit(), bank.events.hold_after_commit());
    // Nobody can read what is about to be truncated.
    let writer = bank.write_meanwhile("TRUNCATE entry");
    before.reached().await;
    before.release();
    after.reached().await;
    entries("after COMMIT", 0).await;
    nothing_is_stored(&readers, Register::Account);
    after.release();
    writer.await.expect("no panic").expect("committed");
    entries("in the end", 0).await;
}

async fn a_fill_from_before_the_block_is_refused<DB: Base>(bank: Bank<DB>) {
    let readers = [(*bank).clone()];
    for when in ["during the commit", "after it"] {
        let register = Register::Entry;
        let old = register.read(&bank).await;
        bank.sql("UPDATE account SET version = version + 1").await;
        bank.deliver_pending().await; // it is to be loaded
        forget(&readers);

        let loaded = bank.events.hold_after_load("account_a");
        let (branch, read) = ((*bank).clone(), register);
        let reader = tokio::spawn(async move { read.read(&branch).await });
        loaded.reached().await; // it has read the old value
        let after = bank.events.hold_after_commit();
        let writer = bank.write_meanwhile(register.write());
        after.reached().await;
        if when == "during the commit" {
            loaded.release();
            assert_eq!(reader.await.expect("no panic"), old, "it came before");
            register.says(&readers, when, old + 1).await;
            nothing_is_stored(&readers, register);
            after.release();
            writer.await.expect("no panic").expect("committed");
        } else {
            after.release();
            writer.await.expect("no panic").expect("committed");
            loaded.release();
            assert_eq!(reader.await.expect("no panic"), old, "it came before");
            nothing_is_stored(&readers, register);
        }
        is_stored_again(&readers, register, old + 1).await;
    }
}

async fn two_writers_of_one_account_each_block_it<DB: Base>(bank: Bank<DB>) {
    let readers = bank.readers().await;
    Register::Entry.says(&readers, "warm", 0).await;
    let insert = |id| format!("INSERT INTO entry (id, account_id, amount) VALUES ({id}, 'a', 0)");
    let count = async |reader: &Branch<DB>| {
        let account = reader.account("a").await.expect("the account");
        account.entries.len()
    };

    // Committed, not delivered: both block the same tag.
    let first = bank.events.hold_after_commit();
    let writer = bank.write_meanwhile(&insert(2));
    first.reached().await;
    bank.write(&insert(3)).await.expect("committed");
    forget(&readers);
    for reader in &readers {
        let said = count(reader).await;
        assert!(said == 3, "wrong answer: {said} entries; right are 3");
    }
    nothing_is_stored(&readers, Register::Entry);
    first.release();
    writer.await.expect("no panic").expect("committed");
    is_stored_again(&readers, Register::Entry, 0).await;
    assert_eq!(count(&bank).await, 3, "wrong answer");
}

async fn what_is_not_committed_leaves_no_block<DB: Base>(bank: Bank<DB>) {
    let readers = bank.readers().await;
    let register = Register::Account;

    register.says(&readers, "warm", 0).await;
    let mut tx = bank.begin().await;
    DB::run(&mut tx, register.write(), Vec::new()).await.expect("run");
    tx.rollback().await.expect("rolled back");
    let mut tx = bank.begin().await;
    DB::run(&mut tx, register.write(), Vec::new()).await.expect("run");
    drop(tx);
    forget(&readers);
    register.says(&readers, "rolled back", 0).await;
    assert_eq!(bank.hits("account_a"), 1, "nobody touched it");

    // The reference is checked by COMMIT, when all is blocked; on PostgreSQL
    // before, as what is put off to the commit might write.
    let failed = bank.write("UPDATE account SET owner_id = 99, version = 7");
    failed.await.expect_err("there is no such owner");
    assert!(
        bank.events.count(|seen| matches!(seen, Seen::Blocked(tags) if tags == &["account#id=a"]))
            == usize::from(!bank.is_postgres()),
        "wrongly blocked or not: {:?}",
        bank.events.seen()
    );
    match bank.is_postgres() {
        true => register.says(&readers, "undone", 0).await,
        false => is_stored_again(&readers, register, 0).await,
    }
}

async fn a_dead_writers_block_ends_by_itself<DB: Base>(bank: Bank<DB>) {
    const LIFE: Duration = Duration::from_millis(1500);
    let readers = bank.readers().await;
    Register::Account.says(&readers, "warm", 0).await;

    // All that a writer has done before COMMIT; then it is killed.
    let store = RedisStore::new(&bank.redis().url(), schema_with(LIFE)).expect("a URL");
    let installation = match bank.is_postgres() {
        true => format!("SELECT {POSTGRES_IDENTITY}, '' FROM {POSTGRES_STAMP}"),
        false => "SELECT identity, '' FROM cache_outbox_stamp".to_owned(),
    };
    let identity = bank.pairs(&installation).await.swap_remove(0).0;
    store.connect(&identity).await.expect("connected");
    let tags = [Tag::from_text("account#id=a")];
    let blocked = Instant::now();
    store.block(7, &tags, LIFE).await.expect("blocked");
    store.invalidate(&tags).await.expect("invalidated");
    forget(&readers);

    let stored = |reader: &Branch<DB>| reader.fills("account_a", true) > 0;
    while !readers.iter().any(stored) {
        Register::Account.says(&readers, "blocked", 0).await;
        assert!(blocked.elapsed() < Duration::from_secs(15), "it never ends");
    }
    let life = blocked.elapsed();
    assert!(life >= LIFE, "wrong answer: stored after {life:?}, while it was blocked");
    hits(&readers, Register::Account, 0).await;
    assert!(SCHEMA.max_commit > LIFE, "the readers' own does not matter");
}

pub fn forget<DB: Base>(readers: &[Branch<DB>]) {
    readers.iter().for_each(|reader| reader.events.forget());
}

/// Until no relay is about to remove what is stored, as it has read the
/// rows of a commit before they were marked.
async fn settled<DB: Base>(readers: &[Branch<DB>]) {
    for reader in readers {
        reader.settled().await;
    }
}

/// Since the events were forgotten, whoever loaded this was not allowed to keep it.
pub fn nothing_is_stored<DB: Base>(readers: &[Branch<DB>], register: Register) {
    for reader in readers {
        let stored = reader.fills(register.key(), true);
        assert!(stored == 0, "wrong answer: {register:?} is stored");
        assert!(reader.fills(register.key(), false) > 0, "it was tried");
    }
}

/// It is stored: every process hits.
pub async fn hits<DB: Base>(readers: &[Branch<DB>], register: Register, right: i64) {
    settled(readers).await;
    register.says(readers, "settled", right).await;
    forget(readers);
    register.says(readers, "in the end", right).await;
    for reader in readers {
        assert_eq!(reader.hits(register.key()), 1, "it is stored");
    }
}

/// The next read stores it at once, and the following hit.
pub async fn is_stored_again<DB: Base>(readers: &[Branch<DB>], register: Register, right: i64) {
    settled(readers).await;
    forget(readers);
    let key = register.key();
    for _ in 0..2 {
        register.says(readers, "in the end", right).await;
    }
    let fills: usize = readers.iter().map(|reader| reader.fills(key, true)).sum();
    let hits: usize = readers.iter().map(|reader| reader.hits(key)).sum();
    let events: Vec<Seen> = readers[0].events.seen();
    assert_eq!(fills, 1, "the first stores it: {events:?}");
    assert_eq!(hits, 2 * readers.len() - 1, "the others hit: {events:?}");
}

//! Strict: no store, no commit of what is strict; and nothing strict
//! is stored while blocks may be forgotten.

use std::time::{Duration, Instant};

use ledger::Base;

use super::bank::{Bank, Branch, schema_with, story};
use super::strict::{Register, forget, hits};
use crate::harness::Story;
use crate::harness::soon::{PATIENCE, Soon};

const MAX_COMMIT: Duration = Duration::from_millis(1500);

pub fn stories() -> Vec<Story> {
    vec![
        story!(without_redis_nothing_strict_is_committed).own_redis(),
        story!(with_a_frozen_redis_nothing_strict_is_committed).own_redis(),
        story!(an_emptied_redis_stores_nothing_strict_for_a_while).own_redis(),
        story!(a_cleared_store_stores_nothing_strict_for_a_while),
    ]
}

async fn without_redis_nothing_strict_is_committed<DB: Base>(bank: Bank<DB>) {
    warm(&bank).await;
    bank.redis().server().stop();
    nothing_strict_is_committed(&bank).await;
    bank.redis().server().start_again();
    comes_back(&bank).await;
}

async fn with_a_frozen_redis_nothing_strict_is_committed<DB: Base>(bank: Bank<DB>) {
    warm(&bank).await;
    bank.redis().server().freeze();
    nothing_strict_is_committed(&bank).await;
    bank.redis().server().thaw();
    comes_back(&bank).await;
}

async fn warm<DB: Base>(bank: &Bank<DB>) {
    for _ in 0..2 {
        Register::Account.says(&[(**bank).clone()], "warm", 0).await;
        bank.note("n").await;
    }
    assert_eq!(bank.hits("account_a"), 1);
}

async fn nothing_strict_is_committed<DB: Base>(bank: &Bank<DB>) {
    for register in Register::ALL {
        let error = bank.refused(register.write()).await;
        assert!(error.is_refused() && error.database().is_none(), "{error}");
        let error = error.to_string();
        assert!(error.contains("not committed, as others"), "{error}");
        register.says(&[(**bank).clone()], "away", 0).await;
    }
    let changed = "SELECT (SELECT sum(version) FROM account) + (SELECT sum(amount) FROM entry)
                     + (SELECT sum(version) FROM owner)";
    let sum = format!("SELECT CAST(({changed}) AS BIGINT)");
    assert_eq!(bank.number(sum).await, 0, "nothing is changed");

    bank.write("UPDATE note SET text = 'new'").await.expect("nothing strict is built from a note");
    let said = bank.text("n").await;
    assert!(said.as_deref() == Some("new"), "wrong answer: {said:?}");

    // By plain SQL one may: whoever reads is not promised more than the relay gives.
    bank.sql(Register::Account.write()).await;
    let readers = [(**bank).clone()];
    Register::Account.says(&readers, "from the source", 1).await;
}

async fn comes_back<DB: Base>(bank: &Bank<DB>) {
    let soon = Soon::within(PATIENCE);
    while bank.write(Register::Account.write()).await.is_err() {
        soon.or("the store does not come back").await;
    }
    let readers = bank.readers().await;
    Register::Account.says(&readers, "it is back", 2).await;
    let said = bank.text("n").await;
    assert!(said.as_deref() == Some("new"), "wrong answer: {said:?}");
}

async fn an_emptied_redis_stores_nothing_strict_for_a_while<DB: Base>(bank: Bank<DB>) {
    let schema = schema_with(MAX_COMMIT);
    let branch = bank.branch_with(schema, |builder| builder).await;
    Register::Account.says(std::slice::from_ref(&branch), "warm", 0).await;

    let emptied = Instant::now();
    let client = redis::Client::open(bank.redis().url()).expect("a URL");
    let mut connection = client.get_multiplexed_async_connection().await.expect("Redis");
    let _: String = redis::cmd("FLUSHALL").query_async(&mut connection).await.expect("emptied");
    stores_nothing_strict_for_a_while(&branch, emptied).await;
}

async fn a_cleared_store_stores_nothing_strict_for_a_while<DB: Base>(bank: Bank<DB>) {
    let schema = schema_with(MAX_COMMIT);
    let branch = bank.branch_with(schema, |builder| builder).await;
    Register::Account.says(std::slice::from_ref(&branch), "warm", 0).await;

    let cleared = Instant::now();
    branch.cache.clear().await.expect("cleared");
    stores_nothing_strict_for_a_while(&branch, cleared).await;
}

async fn stores_nothing_strict_for_a_while<DB: Base>(branch: &Branch<DB>, since: Instant) {
    let readers = [branch.clone()];
    forget(&readers);
    branch.note("n").await;
    branch.note("n").await;
    assert_eq!(branch.hits("note_n"), 1, "it is not strict");
    branch.write(Register::Account.write()).await.expect("writes go on");
    while branch.fills("account_a", true) == 0 {
        Register::Account.says(&readers, "meanwhile", 1).await;
        assert!(since.elapsed() < PATIENCE, "it never ends");
    }
    let life = since.elapsed();
    assert!(
        life >= MAX_COMMIT,
        "wrong answer: stored after {life:?}, when a block may have been forgotten"
    );
    hits(&readers, Register::Account, 1).await;
}

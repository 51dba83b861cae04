//! Ids of every kind: no two share an entry, and a write to each is seen.

use ledger::{Account, Base, Note, Seat, Value};

use super::bank::{Bank, story};
use crate::harness::{Seen, Story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(every_text_is_an_id),
        story!(every_text_is_a_part_of_an_id),
        story!(every_text_is_a_lookup),
        story!(an_id_that_is_too_long_for_a_tag_is_never_stored).on_sqlite(),
        story!(no_text_of_an_id_clears_the_store),
    ]
}

/// Different texts, some of which look alike to those who are careless.
fn texts<DB: Base>(bank: &Bank<DB>) -> Vec<String> {
    let mut texts: Vec<String> = [
        "",
        " ",
        "  ",
        "x",
        "X",
        "x ",
        "#",
        "#*",
        "x#*",
        "note#*",
        "=",
        "_",
        "__",
        "%",
        "%5F",
        "%25",
        ",",
        "x,1",
        ",1",
        "1",
        "01",
        "\n",
        "x\n",
        "\r\n",
        "\t",
        "'",
        "''",
        "\"",
        "\\",
        "\\n",
        "\\0",
        "é",
        "e\u{301}",
        "NULL",
        "*",
        "{id}",
        "ß",
        "\u{FEFF}",
        "\u{FFFF}",
        "\u{10FFFF}",
        "\u{1}",
    ]
    .map(str::to_owned)
    .into();
    texts.extend((0..=16).filter_map(|plane| char::from_u32(plane << 16 | 0x41).map(String::from)));
    texts.push("k".repeat(1024));
    texts.push("k".repeat(1023));
    if !bank.is_postgres() {
        // PostgreSQL has no such texts.
        texts.extend(["\0", "x\0", "x\0y", "\0x"].map(str::to_owned));
    }
    let mut once = texts.clone();
    once.sort_unstable();
    once.dedup();
    // "A" is of plane 0.
    assert!(once.len() == texts.len(), "each once");
    texts
}

/// Runs a statement on a connection that knows nothing of the cache.
async fn elsewhere<DB: Base>(bank: &Bank<DB>, sql: &str, values: Vec<Value>) {
    let mut connection = bank.pool().acquire().await.expect("a connection");
    let done = DB::run(&mut connection, sql, values.clone()).await;
    done.unwrap_or_else(|error| panic!("{sql} with {values:?}: {error}"));
}

/// Everything but this hits: it is read once, and what it says is right.
fn only_one_missed<DB: Base>(bank: &Bank<DB>, texts: usize, changed: &str) {
    let missed = bank.events.count(|seen| matches!(seen, Seen::Miss(_)));
    let hit = bank.events.count(|seen| matches!(seen, Seen::Hit(_)));
    assert_eq!(
        (missed, hit),
        (1, texts - 1),
        "wrong answer: a write to {changed:?} concerns nobody else: {:#?}",
        bank.events.seen()
    );
}

async fn every_text_is_an_id<DB: Base>(bank: Bank<DB>) {
    let ids = texts(&bank);
    for id in &ids {
        let insert = "INSERT INTO note (id, text) VALUES ($1, 'old')";
        elsewhere(&bank, insert, vec![id.into()]).await;
    }
    bank.deliver_pending().await;
    for _ in 0..2 {
        bank.events.forget();
        for note in Note::get_many(&bank.cache, &ids).await.expect("read") {
            assert_eq!(note.expect("there").text, "old", "wrong answer");
        }
    }
    let hits = bank.events.count(|seen| matches!(seen, Seen::Hit(_)));
    assert_eq!(hits, ids.len(), "all are warm");

    for (at, id) in ids.iter().enumerate() {
        let update = "UPDATE note SET text = 'new' WHERE id = $1";
        elsewhere(&bank, update, vec![id.into()]).await;
        bank.deliver_pending().await;
        bank.events.forget();
        let notes = Note::get_many(&bank.cache, &ids).await.expect("read");
        for (of, note) in notes.into_iter().enumerate() {
            let note = note.expect("there");
            let right = if of <= at { "new" } else { "old" };
            assert_eq!(note.id, ids[of], "wrong answer: another's");
            assert_eq!(note.text, right, "wrong answer: {:?}", ids[of]);
        }
        only_one_missed(&bank, ids.len(), id);
    }
}

async fn every_text_is_a_part_of_an_id<DB: Base>(bank: Bank<DB>) {
    let tenants = texts(&bank);
    let ids: Vec<(String, i64)> =
        tenants.iter().flat_map(|tenant| [(tenant.clone(), 1), (tenant.clone(), -1)]).collect();
    for (tenant, id) in &ids {
        let insert = "INSERT INTO seat (tenant, id, text) VALUES ($1, $2, 'old')";
        elsewhere(&bank, insert, vec![tenant.into(), (*id).into()]).await;
    }
    bank.deliver_pending().await;
    Seat::get_many(&bank.cache, &ids).await.expect("read");
    for (at, (tenant, id)) in ids.iter().enumerate() {
        let update = "UPDATE seat SET text = 'new' WHERE tenant = $1 AND id = $2";
        elsewhere(&bank, update, vec![tenant.into(), (*id).into()]).await;
        bank.deliver_pending().await;
        bank.events.forget();
        let seats = Seat::get_many(&bank.cache, &ids).await.expect("read");
        for (of, seat) in seats.into_iter().enumerate() {
            let seat = seat.expect("there");
            let right = if of <= at { "new" } else { "old" };
            assert_eq!((seat.tenant.clone(), seat.id), ids[of], "wrong answer");
            assert_eq!(seat.text, right, "wrong answer: {:?}", ids[of]);
        }
        // The commas of a tag are not escaped, but the number behind the last tells them apart.
        only_one_missed(&bank, ids.len(), tenant);
    }
}

async fn every_text_is_a_lookup<DB: Base>(bank: Bank<DB>) {
    let slugs = texts(&bank);
    for (id, slug) in slugs.iter().enumerate() {
        let insert = "INSERT INTO note (id, slug, text) VALUES ($1, $2, 'old')";
        elsewhere(&bank, insert, vec![(&id.to_string()).into(), slug.into()]).await;
    }
    bank.deliver_pending().await;
    let by = async |slug: &String| {
        let note = Note::get_by_slug(&bank.cache, slug.clone()).await;
        note.unwrap_or_else(|error| panic!("{slug:?}: {error}")).map(|note| note.id.clone())
    };
    for (id, slug) in slugs.iter().enumerate() {
        for _ in 0..2 {
            let said = by(slug).await;
            assert_eq!(said, Some(id.to_string()), "wrong answer: {slug:?}");
        }
        // Its slug goes to another note.
        let take = "UPDATE note SET slug = NULL WHERE slug = $1";
        elsewhere(&bank, take, vec![slug.into()]).await;
        bank.deliver_pending().await;
        assert_eq!(by(slug).await, None, "wrong answer: {slug:?}");
        let give = "UPDATE note SET slug = $1 WHERE id = 'n'";
        elsewhere(&bank, give, vec![slug.into()]).await;
        bank.deliver_pending().await;
        let said = by(slug).await;
        assert_eq!(said.as_deref(), Some("n"), "wrong answer: {slug:?}");
    }
}

async fn an_id_that_is_too_long_for_a_tag_is_never_stored<DB: Base>(bank: Bank<DB>) {
    let id = "k".repeat(9 << 10);
    let insert = "INSERT INTO note (id, slug, text) VALUES ($1, $1, '0')";
    elsewhere(&bank, insert, vec![(&id).into()]).await;
    let insert = "INSERT INTO account (id, version, owner_id) VALUES ($1, 0, 1)";
    elsewhere(&bank, insert, vec![(&id).into()]).await;
    bank.deliver_pending().await;
    for version in 1..4 {
        for write in [
            format!("UPDATE note SET text = '{version}' WHERE id = $1"),
            format!("UPDATE account SET version = {version} WHERE id = $1"),
        ] {
            if version == 2 {
                elsewhere(&bank, &write, vec![(&id).into()]).await;
            } else {
                let mut tx = bank.begin().await;
                let done = DB::run(&mut tx, &write, vec![(&id).into()]).await;
                done.expect("run");
                tx.commit().await.expect("committed");
            }
        }
        for _ in 0..2 {
            let note = Note::get(&bank.cache, id.clone()).await.expect("read");
            let account = Account::get(&bank.cache, id.clone()).await.expect("read");
            let by_slug = Note::get_by_slug(&bank.cache, id.clone()).await;
            let said = (
                note.expect("there").text.clone(),
                account.expect("there").version,
                by_slug.expect("read").expect("there").text.clone(),
            );
            let text = version.to_string();
            assert_eq!(said, (text.clone(), version, text), "wrong answer");
        }
    }
    let stored = bank.events.count(|seen| {
        matches!(seen, Seen::Filled(key, true) if key.len() > 9 << 10)
            || matches!(seen, Seen::Hit(key) if key.len() > 9 << 10)
    });
    assert_eq!(stored, 0, "nothing of it is ever stored");
    bank.deliver_pending().await;
    let aside = bank.events.count(|seen| matches!(seen, Seen::DeadLettered(_)));
    assert!(aside > 0, "its reports are dead-lettered");
}

async fn no_text_of_an_id_clears_the_store<DB: Base>(bank: Bank<DB>) {
    bank.account("a").await;
    for id in ["#*", "x#*", "account#*"] {
        for write in [
            format!("INSERT INTO note (id, text) VALUES ('{id}', 'old')"),
            format!("UPDATE note SET text = 'new', slug = '{id}' WHERE id = '{id}'"),
            format!("DELETE FROM note WHERE id = '{id}'"),
        ] {
            bank.sql(&write).await;
            bank.deliver_pending().await;
            bank.events.forget();
            bank.account("a").await;
            assert_eq!(bank.hits("account_a"), 1, "{write} concerns no account");
        }
    }
}

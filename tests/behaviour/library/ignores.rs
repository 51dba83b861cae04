//! `ignores`: a change of these columns alone is nobody's business.

use ledger::Base;

use super::bank::{Bank, story};
use crate::harness::Story;

pub fn stories() -> Vec<Story> {
    vec![story!(an_ignored_column_reports_nothing), story!(an_ignored_column_with_another_reports)]
}

async fn an_ignored_column_reports_nothing<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO note (id, text) VALUES ('o', 'old'), ('p', 'old')").await;
    bank.deliver_pending().await;
    let (rows, notes) = (bank.outbox_rows().await, ["n", "o", "p"]);
    for note in notes {
        bank.note(note).await;
    }
    for write in [
        "UPDATE note SET views = views + 1 WHERE id = 'n'",
        "UPDATE note SET views = views + 1",
        "UPDATE note SET views = 7 WHERE id = 'nobody'",
    ] {
        bank.sql(write).await;
        bank.write(write).await.expect("committed");
    }
    assert_eq!(bank.outbox_rows().await, rows, "nothing is reported");
    bank.events.forget();
    for note in notes {
        bank.note(note).await;
        assert_eq!(bank.hits(&format!("note_{note}")), 1, "{note} is kept");
    }
}

async fn an_ignored_column_with_another_reports<DB: Base>(bank: Bank<DB>) {
    bank.sql("INSERT INTO note (id, text) VALUES ('o', 'old'), ('p', 'old')").await;
    bank.deliver_pending().await;
    for (write, text, reported) in [
        (
            "UPDATE note SET views = views + 1, text = 'one' WHERE id = 'n'",
            "one",
            &["note#id=n", "note#slug=slug"][..],
        ),
        (
            "UPDATE note SET text = 'all', views = views + 1",
            "all",
            &["note#id=n", "note#id=o", "note#id=p", "note#slug=slug"],
        ),
    ] {
        assert_ne!(bank.text("n").await.as_deref(), Some(text));
        let last = bank.last_outbox_row().await;
        bank.sql(write).await;
        assert_eq!(bank.tags_after(last).await, reported, "{write}");
        bank.deliver_pending().await;
        let said = bank.text("n").await;
        assert!(said.as_deref() == Some(text), "wrong answer: {said:?} after {write}");
    }
}

//! Without triggers: writes that report themselves.

use ledger::{Account, Base, Entry, Note, Owner, Seat};

use super::bank::{Bank, Branch, story};
use super::rows::Random;
use crate::harness::{Seen, Story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(accounts_report_what_their_triggers_report),
        story!(owners_report_what_their_triggers_report),
        story!(entries_report_what_their_triggers_report),
        story!(notes_report_what_their_triggers_report),
        story!(seats_report_what_their_triggers_report),
        story!(a_reported_write_is_seen_when_its_commit_returns),
        story!(what_a_dead_writer_reported_is_relayed),
    ]
}

/// Transactions for each model.
const ROUNDS: usize = 40;

/// What happens to one row.
#[derive(Clone, Debug)]
enum Change<T> {
    Created(T),
    Changed(T, T),
    Deleted(T),
}

/// The same changes twice: as statements, which the triggers
/// report, and as reports of the writer's own.
async fn report_what_the_triggers_report<DB: Base, T: Random>(bank: Bank<DB>) {
    let (mut rows, mut compared): (Vec<T>, usize) = (Vec::new(), 0);
    for _ in 0..ROUNDS {
        let (mut after, mut changes) = (rows.clone(), Vec::new());
        for _ in 0..fastrand::usize(1..=3) {
            changes.push(change(&mut after));
        }
        let last = bank.last_outbox_row().await;
        if !by_statements(&bank, &changes).await {
            continue; // two rows would have the same id or slug
        }
        let by_triggers = bank.tags_after(last).await;

        let last = bank.last_outbox_row().await;
        let mut tx = bank.begin().await;
        for change in &changes {
            match change {
                Change::Created(row) => tx.created(row),
                Change::Changed(old, new) => tx.changed(old, new),
                Change::Deleted(row) => tx.deleted(row),
            }
        }
        tx.commit().await.expect("committed");
        let by_writer = bank.tags_after(last).await;
        assert_eq!(
            by_writer, by_triggers,
            "wrong answer: the writer's own reports (left) of {changes:#?}"
        );
        (rows, compared) = (after, compared + 1);
    }
    assert!(compared > ROUNDS / 4, "{compared} transactions compared");
}

fn change<T: Random>(rows: &mut Vec<T>) -> Change<T> {
    if rows.is_empty() || fastrand::u8(..4) == 0 {
        let row = T::random();
        rows.push(row.clone());
        return Change::Created(row);
    }
    let at = fastrand::usize(..rows.len());
    if fastrand::u8(..4) == 0 {
        return Change::Deleted(rows.swap_remove(at));
    }
    let new = rows[at].changed();
    let old = std::mem::replace(&mut rows[at], new.clone());
    Change::Changed(old, new)
}

async fn by_statements<DB: Base, T: Random>(bank: &Bank<DB>, changes: &[Change<T>]) -> bool {
    let mut tx = bank.begin().await;
    for change in changes {
        let sql = match change {
            Change::Created(row) => row.insert(),
            Change::Changed(old, new) => old.update(new),
            Change::Deleted(row) => row.delete(),
        };
        if DB::run(&mut tx, &sql, Vec::new()).await.is_err() {
            return false;
        }
    }
    tx.commit().await.is_ok()
}

async fn accounts_report_what_their_triggers_report<DB: Base>(bank: Bank<DB>) {
    report_what_the_triggers_report::<DB, Account>(bank).await;
}

async fn owners_report_what_their_triggers_report<DB: Base>(bank: Bank<DB>) {
    report_what_the_triggers_report::<DB, Owner>(bank).await;
}

async fn entries_report_what_their_triggers_report<DB: Base>(bank: Bank<DB>) {
    report_what_the_triggers_report::<DB, Entry>(bank).await;
}

async fn notes_report_what_their_triggers_report<DB: Base>(bank: Bank<DB>) {
    report_what_the_triggers_report::<DB, Note>(bank).await;
}

async fn seats_report_what_their_triggers_report<DB: Base>(bank: Bank<DB>) {
    report_what_the_triggers_report::<DB, Seat>(bank).await;
}

/// A process of a service whose database has an outbox, and no triggers.
async fn without_triggers<DB: Base>(bank: &Bank<DB>, relay: bool) -> Branch<DB> {
    let how = |builder: cache_runtime::Builder<_>| {
        builder.outbox_without_triggers(bank.pool()).relay(relay)
    };
    bank.branch_with(&ledger::SCHEMA, how).await
}

/// Changes the text of the note, and reports it.
async fn write<DB: Base>(branch: &Branch<DB>, text: &str) -> cache_runtime::Transaction<DB> {
    let mut tx = branch.begin().await;
    let old = tx.get::<Note>("n".to_owned()).await.expect("read");
    let old = old.expect("the note");
    let sql = format!("UPDATE note SET text = '{text}' WHERE id = 'n'");
    DB::run(&mut tx, &sql, Vec::new()).await.expect("run");
    let new = Note { text: text.to_owned(), ..Note::clone(&old) };
    tx.changed(&*old, &new);
    tx
}

async fn a_reported_write_is_seen_when_its_commit_returns<DB: Base>(bank: Bank<DB>) {
    DB::take_triggers_away(bank.pool()).await.expect("taken");
    let branch = without_triggers(&bank, true).await;
    for _ in 0..2 {
        assert_eq!(branch.text("n").await.as_deref(), Some("old"));
    }
    assert_eq!(branch.hits("note_n"), 1);
    bank.sql("UPDATE note SET text = 'unreported'").await;
    assert_eq!(bank.outbox_rows().await, 0, "there are no triggers");

    write(&branch, "new").await.commit().await.expect("committed");
    let said = branch.text("n").await;
    assert!(said.as_deref() == Some("new"), "wrong answer: {said:?}");

    let rows = bank.outbox_rows().await;
    branch.events.forget();
    let tx = write(&branch, "never").await;
    tx.rollback().await.expect("rolled back");
    drop(write(&branch, "never").await);
    assert_eq!(bank.outbox_rows().await, rows, "nothing is reported");
    let said = branch.text("n").await;
    assert!(said.as_deref() == Some("new"), "wrong answer: {said:?}");
    assert_eq!(branch.hits("note_n"), 1, "it is kept");
}

async fn what_a_dead_writer_reported_is_relayed<DB: Base>(bank: Bank<DB>) {
    DB::take_triggers_away(bank.pool()).await.expect("taken");
    // One that relays would make up for its own death.
    let writer = without_triggers(&bank, false).await;
    let reader = without_triggers(&bank, true).await;
    for _ in 0..2 {
        assert_eq!(reader.text("n").await.as_deref(), Some("old"));
    }
    reader.events.forget();

    // Committed, and not delivered: as good as dead.
    let dead = writer.events.hold_after_commit();
    let tx = write(&writer, "new").await;
    let commit = tokio::spawn(tx.commit());
    dead.reached().await;
    reader
        .events
        .wait_for("the relay delivers it", |seen| {
            matches!(seen, Seen::Invalidated(tags) if tags.contains(&"note#id=n".to_owned()))
        })
        .await;
    let said = reader.text("n").await;
    assert!(said.as_deref() == Some("new"), "wrong answer: {said:?}");
    dead.release();
    commit.await.expect("no panic").expect("committed");
}

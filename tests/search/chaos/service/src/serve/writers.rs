//! Who writes: through the cache, and by plain SQL.

use std::time::Duration;

use cache_runtime::Cache;
use sqlx::{AssertSqlSafe, PgConnection};

use super::watch::Watch;
use super::{Service, patiently};
use crate::models::{
    AUTHORS, BOOKS, Db, HOT_PAGES, NEXT, PAGES, REVIEWS_OF_A_BOOK, one_of, review,
};
use crate::record::{Line, Model, Outcome, Record, Register, Way};
use crate::tickets::{DESKS, QUEUES, fill_queue, serve_desk};

const THROUGH_THE_CACHE: u32 = 2;
const PLAIN: u32 = 1;
/// Between two writes of one writer, at most, in ms.
const PAUSE: u64 = 150;
/// The share of transactions that end in a rollback.
const ROLLED_BACK: f64 = 0.05;

pub(super) fn start(service: &Service) {
    for _ in 0..THROUGH_THE_CACHE {
        tokio::spawn(write(service.clone(), Way::Cache));
    }
    for _ in 0..PLAIN {
        tokio::spawn(write(service.clone(), Way::Plain));
    }
}

async fn write(service: Service, way: Way) {
    loop {
        if way == Way::Plain || !service.points.is_for_the_relay() {
            let written = match way {
                Way::Cache => patiently(service.write_through_the_cache()).await,
                Way::Plain => patiently(service.write_plainly()).await,
            };
            if let Err(error) = written {
                service.log.note(|_| Record::WriteFailed(error));
            }
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..PAUSE))).await;
    }
}

impl Service {
    async fn write_through_the_cache(&self) -> Result<(), sqlx::Error> {
        let what = What::any(Some(self.line));
        let (cache, watch): (&Cache<Db>, &Watch) = match what {
            What::Account(_) => (&self.strict, &self.strict_watch),
            _ => (&self.cache, &self.watch),
        };
        let mut tx = cache.begin_on(&self.db.pool).await?;
        let written = what.write(&mut tx).await?;
        if written.is_empty() || fastrand::f64() < ROLLED_BACK {
            return tx.rollback().await;
        }
        let _committing = watch.commit_begins();
        let before = watch.store();
        let start = self.committing(Way::Cache, &written);
        let committed = tx.commit().await;
        let outcome = match committed {
            Ok(_) if before.is_some() && before == watch.store() => Outcome::Applied,
            Ok(_) => Outcome::Committed,
            Err(_) => Outcome::Unknown,
        };
        self.committed(start, Way::Cache, outcome, written.clone());
        let token = committed?;
        if !matches!(what, What::Account(_)) {
            self.show(token, &written).await;
        }
        Ok(())
    }

    async fn write_plainly(&self) -> Result<(), sqlx::Error> {
        let what = What::any(None);
        let mut tx = self.db.pool.begin().await?;
        let written = what.write(&mut tx).await?;
        if written.is_empty() || fastrand::f64() < ROLLED_BACK {
            return tx.rollback().await;
        }
        let start = self.committing(Way::Plain, &written);
        let committed = tx.commit().await;
        let outcome = match committed {
            Ok(()) => Outcome::Committed,
            Err(_) => Outcome::Unknown,
        };
        self.committed(start, Way::Plain, outcome, written);
        committed
    }

    /// Told at once: what is read must not seem to come from
    /// nowhere, should this process be killed.
    fn committing(&self, way: Way, written: &[(Register, i64)]) -> u64 {
        self.log.tell(|start| Record::Committing { start, way, written: written.to_vec() })
    }

    fn committed(&self, start: u64, way: Way, outcome: Outcome, written: Vec<(Register, i64)>) {
        self.log.note(|end| Record::Committed { start, end, way, outcome, written });
    }
}

/// What is written to.
#[derive(Debug, Clone, Copy)]
enum What {
    Author(i64),
    Book(i64),
    /// One, in place,
    Review(i64, i64),
    /// or deleted and created anew,
    NewReview(i64, i64),
    /// or all of a book.
    Reviews(i64),
    Page(i64),
    Queue(i64),
    Desk(i64),
    Account(i64),
}

impl What {
    /// For a strict line, what is strict in it as well.
    fn any(strict: Option<Line>) -> What {
        let book = one_of(BOOKS);
        let slot = fastrand::i64(0..REVIEWS_OF_A_BOOK);
        match fastrand::u32(..if strict.is_some() { 17 } else { 14 }) {
            0..3 => What::Author(one_of(AUTHORS)),
            3..5 => What::Book(book),
            5..6 => What::Review(book, slot),
            6..7 => What::NewReview(book, slot),
            7..8 => What::Reviews(book),
            8..10 => What::Page(fastrand::i64(0..HOT_PAGES)),
            10 => What::Page(fastrand::i64(0..PAGES)),
            11..13 => What::Queue(fastrand::i64(0..QUEUES)),
            13 => What::Desk(fastrand::i64(0..DESKS)),
            _ => What::Account(strict.map_or(0, Line::account)),
        }
    }

    /// Raises the version of every row; says which rows, and what they have now.
    async fn write(self, db: &mut PgConnection) -> Result<Vec<(Register, i64)>, sqlx::Error> {
        let raise = |table, rows| format!("UPDATE {table} SET version = {NEXT} WHERE {rows}");
        let row =
            |table, id| format!("{} RETURNING id, version", raise(table, format!("id = {id}")));
        let review = format!("{}, version", review());
        let (model, sql) = match self {
            What::Author(id) => (Model::Author, row("author", id)),
            What::Book(id) => (Model::Book, row("book", id)),
            What::Page(id) => (Model::Page, row("page", id)),
            What::Account(id) => (Model::Account, row("account", id)),
            What::Queue(id) => (Model::Queue, row("queue", id)),
            What::Desk(id) => (Model::Desk, row("desk", id)),
            What::Reviews(book) => {
                let raise = raise("review", format!("book_id = {book}"));
                (Model::Review, format!("{raise} RETURNING {review}"))
            }
            What::Review(book, slot) => {
                let raise = raise("review", format!("book_id = {book} AND slot = {slot}"));
                (Model::Review, format!("{raise} RETURNING {review}"))
            }
            What::NewReview(book, slot) => {
                let gone = format!(
                    "DELETE FROM review WHERE book_id = {book} AND slot = {slot} RETURNING *"
                );
                let new = format!(
                    "INSERT INTO review (book_id, slot, version) SELECT book_id, slot, {NEXT} FROM gone"
                );
                let sql = format!("WITH gone AS ({gone}) {new} RETURNING {review}");
                (Model::Review, sql)
            }
        };
        let rows: Vec<(i64, i64)> = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *db).await?;
        for (id, version) in &rows {
            match model {
                Model::Queue => fill_queue(db, *id, *version).await?,
                Model::Desk => serve_desk(db, *id, *version).await?,
                _ => {}
            }
        }
        let rows = rows.into_iter();
        Ok(rows.map(|(id, version)| (model.register(id), version)).collect())
    }
}

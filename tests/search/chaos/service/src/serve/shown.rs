//! Tokens of commits: what every process was given last, shown to another one.

use std::time::Duration;

use cache_runtime::ConsistencyToken;

use super::readers::{author, book, page, tier};
use super::{Service, patiently};
use crate::clock::now;
use crate::models::{AUTHORS, Author, BOOKS, Book, Page, REVIEWS_OF_A_BOOK};
use crate::record::{Model, Record, Register, Sight, Tier};
use crate::tickets::{self, Ticket};

const PAUSE: Duration = Duration::from_millis(10);

impl Service {
    /// After a commit. Where that cannot be noted, nobody is shown it.
    pub(super) async fn show(&self, token: ConsistencyToken, written: &[(Register, i64)]) {
        let sql = "INSERT INTO shown VALUES ($1, $2, $3)
                   ON CONFLICT (process) DO UPDATE SET token = $2, written = $3";
        let written = serde_json::to_string(written).unwrap_or_default();
        let noted = sqlx::query(sql).bind(i64::from(self.process)).bind(token.to_string());
        let _ = noted.bind(written).execute(&self.db.pool).await;
    }

    /// Of whichever process.
    async fn shown(&self) -> Option<(ConsistencyToken, Vec<(Register, i64)>)> {
        let sql = "SELECT token, written FROM shown ORDER BY random() LIMIT 1";
        let shown: (String, String) =
            sqlx::query_as(sql).fetch_optional(&self.db.pool).await.ok()??;
        Some((shown.0.parse().ok()?, serde_json::from_str(&shown.1).ok()?))
    }

    async fn read_what_was_shown(&self) -> Result<(), cache_runtime::Error> {
        let Some((token, written)) = self.shown().await else {
            return Ok(());
        };
        let (cache, start) = (self.cache.at_least(token), now());
        let Some(&(Register { model, id }, _)) = written.first() else {
            return Ok(());
        };
        let (tier, mut seen) = match model {
            Model::Author if fastrand::bool() => {
                let read = Author::fetch(&cache, id).await?;
                (tier(read.status), vec![author(id, read.value.as_deref(), true)])
            }
            Model::Author | Model::Book | Model::Review => {
                let id = match model {
                    // The second one that embeds it, if there is one.
                    Model::Author if id + AUTHORS < BOOKS => id + AUTHORS,
                    Model::Review => id / REVIEWS_OF_A_BOOK,
                    _ => id,
                };
                let read = Book::fetch(&cache, id).await?;
                (tier(read.status), book(id, read.value.as_deref()))
            }
            Model::Page => {
                let read = Page::fetch(&cache, id).await?;
                (tier(read.status), vec![page(id, read.value.as_deref())])
            }
            Model::Queue => {
                let ids = Ticket::tickets_of_queue(&cache, id).ids().await?;
                (Tier::NearList, vec![tickets::queue(id, &ids)])
            }
            Model::Desk => {
                let ids = Ticket::tickets_at_desk(&cache, id).ids().await?;
                (Tier::List, tickets::desk(id, &ids))
            }
            Model::Account => return Ok(()),
        };
        for sight in &mut seen {
            sight.promised = promised(&written, sight);
        }
        self.log.note(|end| Record::Read { start, end, tier, seen });
        Ok(())
    }
}

fn promised(written: &[(Register, i64)], sight: &Sight) -> Option<i64> {
    let written = written.iter().filter(|(register, _)| *register == sight.register);
    written.map(|(_, version)| *version).max()
}

pub(super) async fn read(service: Service) {
    loop {
        if let Err(error) = patiently(service.read_what_was_shown()).await {
            service.log.note(|_| Record::ReadFailed(error));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

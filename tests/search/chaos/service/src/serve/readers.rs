//! Who reads.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cache_runtime::{Answer, CacheStatus, Error, Fetched};
use chaos_strict::Account;

use super::{Service, patiently, shown};
use crate::clock::now;
use crate::models::{ACCOUNTS, AUTHORS, Author, BOOKS, Book, HOT_PAGES, PAGES, Page};
use crate::models::{REVIEWS_OF_A_BOOK, Review, one_of};
use crate::record::{Model, Orders, Record, Sight, Tier};
use crate::tickets::{self, DESKS, QUEUES, Ticket};

/// How many read at once.
const READERS: u32 = 12;
/// How many pages are read at once when reads go over all of them.
const BATCH: usize = 20;
/// How long somebody waits who reads past the cache.
const PAST_THE_CACHE: Duration = Duration::from_millis(25);

pub(super) fn start(service: &Service, orders: &Orders) {
    let pace = Duration::from_secs(1) * READERS / orders.reads_per_second.max(1);
    for _ in 0..READERS {
        tokio::spawn(read(service.clone(), pace));
    }
    tokio::spawn(read_past_the_cache(service.clone()));
    tokio::spawn(shown::read(service.clone()));
}

async fn read(service: Service, pace: Duration) {
    loop {
        let read = patiently(read_one(&service)).await;
        if let Err(error) = read {
            service.log.note(|_| Record::ReadFailed(error));
        }
        // Twice at random is once on average.
        tokio::time::sleep((2 * pace).mul_f64(fastrand::f64())).await;
    }
}

async fn read_one(service: &Service) -> Result<(), Error> {
    if service.widely.load(Ordering::Relaxed) && fastrand::bool() {
        return read_pages(service).await;
    }
    if fastrand::u32(..5) == 0 {
        return read_tickets(service).await;
    }
    let cache = &service.cache;
    let start = now();
    let (status, seen) = match fastrand::u32(..10) {
        0..2 => {
            let id = one_of(AUTHORS);
            let Fetched { value, status } = Author::fetch(cache, id).await?;
            (status, vec![author(id, value.as_deref(), true)])
        }
        2 => {
            let id = one_of(AUTHORS);
            let Fetched { value, status } = Author::fetch_json(cache, id).await?;
            let value = value.and_then(|json| serde_json::from_slice(json.bytes()).ok());
            (status, vec![author(id, value.as_ref(), true)])
        }
        3..6 => {
            let id = one_of(BOOKS);
            let Fetched { value, status } = Book::fetch(cache, id).await?;
            (status, book(id, value.as_deref()))
        }
        6..8 => {
            let id = fastrand::i64(0..HOT_PAGES);
            let Fetched { value, status } = Page::fetch(cache, id).await?;
            (status, vec![page(id, value.as_deref())])
        }
        _ => {
            let id = match fastrand::u32(..4) {
                // Of another line, most likely.
                0 => fastrand::i64(0..ACCOUNTS),
                _ => service.line.account(),
            };
            let Fetched { value, status } = Account::fetch(&service.strict, id).await?;
            let version = value.map_or(-1, |account| account.version);
            let register = Model::Account.register(id);
            let direct = true;
            (status, vec![Sight { register, version, direct, promised: None }])
        }
    };
    service.log.note(|end| Record::Read { start, end, tier: tier(status), seen });
    Ok(())
}

/// The lists of a queue or of a desk.
async fn read_tickets(service: &Service) -> Result<(), Error> {
    let cache = &service.cache;
    let start = now();
    let (tier, seen) = match fastrand::bool() {
        true => {
            let id = fastrand::i64(0..QUEUES);
            let ids = Ticket::tickets_of_queue(cache, id).ids().await?;
            (Tier::NearList, vec![tickets::queue(id, &ids)])
        }
        false => {
            let id = fastrand::i64(0..DESKS);
            let ids = Ticket::tickets_at_desk(cache, id).ids().await?;
            (Tier::List, tickets::desk(id, &ids))
        }
    };
    service.log.note(|end| Record::Read { start, end, tier, seen });
    Ok(())
}

/// Pages that nobody else asks for.
async fn read_pages(service: &Service) -> Result<(), Error> {
    let ids: Vec<i64> = (0..BATCH).map(|_| fastrand::i64(0..PAGES)).collect();
    let start = now();
    let pages = Page::fetch_many(&service.cache, &ids).await?;
    for (id, Fetched { value, status }) in ids.into_iter().zip(pages) {
        service.log.note(|end| Record::Read {
            start,
            end,
            tier: tier(status),
            seen: vec![page(id, value.as_deref())],
        });
    }
    Ok(())
}

pub(super) fn author(id: i64, author: Option<&Author>, direct: bool) -> Sight {
    Sight {
        register: Model::Author.register(id),
        version: author.map_or(-1, |author| author.version),
        direct,
        promised: None,
    }
}

pub(super) fn page(id: i64, page: Option<&Page>) -> Sight {
    Sight {
        register: Model::Page.register(id),
        version: page.map_or(-1, |page| page.version),
        direct: true,
        promised: None,
    }
}

/// The book, and what is in it: its author came through the cache, its reviews from its own load.
pub(super) fn book(id: i64, book: Option<&Book>) -> Vec<Sight> {
    let reviews: &[Review] = book.map_or(&[], |book| &book.reviews);
    let in_slot = |slot| reviews.iter().find(|review| review.slot == slot);
    let mut seen = vec![
        Sight {
            register: Model::Book.register(id),
            version: book.map_or(-1, |book| book.version),
            direct: true,
            promised: None,
        },
        author(id % AUTHORS, book.and_then(|book| book.author.as_deref()), false),
    ];
    seen.extend((0..REVIEWS_OF_A_BOOK).map(|slot| Sight {
        register: Model::Review.register(id * REVIEWS_OF_A_BOOK + slot),
        version: in_slot(slot).map_or(-1, |review| review.version),
        direct: true,
        promised: None,
    }));
    seen
}

pub(super) fn tier(status: CacheStatus) -> Tier {
    match status.answer {
        Answer::Hit if status.tier == "near" => Tier::Near,
        Answer::Hit => Tier::Far,
        Answer::Stale { .. } => Tier::Stale,
        Answer::Miss { collapsed: true, .. } => Tier::Collapsed,
        Answer::Miss { .. } => Tier::Miss,
        Answer::Bypass => Tier::Bypass,
        other => panic!("a new answer: {other:?}"),
    }
}

async fn read_past_the_cache(service: Service) {
    loop {
        if let Err(error) = patiently(read_an_account(&service)).await {
            service.log.note(|_| Record::ReadFailed(error));
        }
        tokio::time::sleep(PAST_THE_CACHE).await;
    }
}

/// As it is in the database, which no read through the cache may be behind.
async fn read_an_account(service: &Service) -> Result<(), sqlx::Error> {
    let id = fastrand::i64(0..ACCOUNTS);
    let start = now();
    let version = sqlx::query_scalar("SELECT version FROM account WHERE id = $1")
        .bind(id)
        .fetch_one(&service.db.pool)
        .await?;
    service.log.note(|end| Record::Read {
        start,
        end,
        tier: Tier::Database,
        seen: vec![Sight {
            register: Model::Account.register(id),
            version,
            direct: true,
            promised: None,
        }],
    });
    Ok(())
}

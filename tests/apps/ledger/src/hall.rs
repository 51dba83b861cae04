//! Columns of many types: ids by UUID, by newtype, by enum and by a UUID and a date; lookups by a
//! date and a flag.

use cache_runtime::{BoxError, Cached, Column, Dialect, Find, Load, LoadContext};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Pool, Type};
use uuid::Uuid;

use crate::{Base, Value, rows};

/// Its tables on PostgreSQL.
pub const ON_POSTGRES: &str = "
CREATE TYPE kind AS ENUM ('concert-hall', 'small');
CREATE TABLE genre (kind kind PRIMARY KEY, title TEXT NOT NULL);
CREATE TABLE hall (id UUID PRIMARY KEY, opened DATE NOT NULL UNIQUE, is_main BOOLEAN NOT NULL UNIQUE, kind kind);
CREATE TABLE booking (hall_id UUID NOT NULL, day DATE NOT NULL, guest_id BIGINT, seats BIGINT NOT NULL, PRIMARY KEY (hall_id, day));
CREATE TABLE guest (id BIGINT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE diary (day DATE PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE remark (id BIGINT PRIMARY KEY, day DATE NOT NULL, text TEXT NOT NULL);
CREATE TABLE signal (at TIMESTAMPTZ PRIMARY KEY, text TEXT NOT NULL);
";

/// On SQLite.
pub const ON_SQLITE: &str = "
CREATE TABLE genre (kind TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL);
CREATE TABLE hall (id BLOB PRIMARY KEY NOT NULL, opened DATE NOT NULL UNIQUE, is_main BOOLEAN NOT NULL UNIQUE, kind TEXT);
CREATE TABLE booking (hall_id BLOB NOT NULL, day DATE NOT NULL, guest_id BIGINT, seats BIGINT NOT NULL, PRIMARY KEY (hall_id, day));
CREATE TABLE guest (id BIGINT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE diary (day DATE PRIMARY KEY NOT NULL, text TEXT NOT NULL);
CREATE TABLE remark (id BIGINT PRIMARY KEY, day DATE NOT NULL, text TEXT NOT NULL);
CREATE TABLE signal (at DATETIME PRIMARY KEY NOT NULL, text TEXT NOT NULL);
";

/// An enum of PostgreSQL; on SQLite a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Column, Serialize, Deserialize, Type)]
#[sqlx(type_name = "kind", rename_all = "kebab-case")]
pub enum Kind {
    /// `concert-hall`
    ConcertHall,
    /// `small`
    #[sqlx(rename = "small")]
    Chamber,
}

/// The id of a guest, and of nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Column, Serialize, Deserialize, Type)]
#[sqlx(transparent)]
pub struct GuestId(pub i64);

/// By UUID, and by the day of its opening, and by whether it is the main one.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Hall {
    pub id: Uuid,
    pub opened: NaiveDate,
    pub is_main: bool,
    pub kind: Option<Kind>,
    #[sqlx(skip)]
    pub genre: Option<Genre>,
    #[sqlx(skip)]
    pub bookings: Vec<Booking>,
}

/// By its kind. Not cached by itself.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Genre {
    pub kind: Kind,
    pub title: String,
}

/// By hall and day.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Booking {
    pub hall_id: Uuid,
    pub day: NaiveDate,
    pub guest_id: Option<GuestId>,
    pub seats: i64,
    #[sqlx(skip)]
    pub guest: Option<Guest>,
}

/// By a newtype.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Guest {
    pub id: GuestId,
    pub name: String,
}

/// Strict, by day.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Diary {
    pub day: NaiveDate,
    pub text: String,
    #[sqlx(skip)]
    pub remarks: Vec<Remark>,
}

/// Of a day.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Remark {
    pub day: NaiveDate,
    pub text: String,
}

/// By a moment.
#[derive(Clone, Debug, PartialEq, Cached, Serialize, Deserialize, FromRow)]
#[allow(missing_docs, reason = "the fields are the columns")]
pub struct Signal {
    pub at: DateTime<Utc>,
    pub text: String,
}

impl<DB: Base> Load<Pool<DB>> for Hall {
    async fn load(cx: &LoadContext<Pool<DB>>, ids: &[Uuid]) -> Result<Vec<Hall>, BoxError> {
        let sql = "SELECT id, opened, is_main, kind FROM hall WHERE id = $1";
        let mut halls: Vec<Hall> = rows(cx, sql, ids.iter().map(|id| vec![(*id).into()])).await?;
        for hall in &mut halls {
            if let Some(kind) = hall.kind {
                let sql = "SELECT kind, title FROM genre WHERE kind = $1";
                hall.genre = rows(cx, sql, [vec![kind.into()]]).await?.pop();
            }
            let sql =
                "SELECT hall_id, day, guest_id, seats FROM booking WHERE hall_id = $1 ORDER BY day";
            hall.bookings = rows(cx, sql, [vec![hall.id.into()]]).await?;
            with_guests(cx, &mut hall.bookings).await?;
        }
        Ok(halls)
    }
}

impl<DB: Base> Find<Pool<DB>> for Hall {
    async fn find(cx: &LoadContext<Pool<DB>>, by: &HallLookup) -> Result<Option<Uuid>, BoxError> {
        let found: Vec<(Uuid,)> = match by {
            HallLookup::Opened(day) => {
                let sql = "SELECT id FROM hall WHERE opened = $1";
                rows(cx, sql, [vec![(*day).into()]]).await?
            }
            HallLookup::IsMain(is_main) => {
                let sql = "SELECT id FROM hall WHERE is_main = $1";
                rows(cx, sql, [vec![(*is_main).into()]]).await?
            }
        };
        Ok(found.into_iter().next().map(|(id,)| id))
    }
}

impl<DB: Base> Load<Pool<DB>> for Booking {
    async fn load(
        cx: &LoadContext<Pool<DB>>,
        ids: &[(Uuid, NaiveDate)],
    ) -> Result<Vec<Booking>, BoxError> {
        let sql =
            "SELECT hall_id, day, guest_id, seats FROM booking WHERE hall_id = $1 AND day = $2";
        let ids = ids.iter().map(|(hall, day)| vec![(*hall).into(), (*day).into()]);
        let mut bookings = rows(cx, sql, ids).await?;
        with_guests(cx, &mut bookings).await?;
        Ok(bookings)
    }
}

async fn with_guests<DB: Base>(
    cx: &LoadContext<Pool<DB>>,
    bookings: &mut [Booking],
) -> Result<(), BoxError> {
    for booking in bookings {
        if let Some(guest) = booking.guest_id {
            let guests = <Guest as Load<Pool<DB>>>::load(cx, &[guest]).await?;
            booking.guest = guests.into_iter().next();
        }
    }
    Ok(())
}

impl<DB: Base> Load<Pool<DB>> for Guest {
    async fn load(cx: &LoadContext<Pool<DB>>, ids: &[GuestId]) -> Result<Vec<Guest>, BoxError> {
        let sql = "SELECT id, name FROM guest WHERE id = $1";
        rows(cx, sql, ids.iter().map(|id| vec![Value::from(id.0)])).await
    }
}

impl<DB: Base> Load<Pool<DB>> for Diary {
    async fn load(cx: &LoadContext<Pool<DB>>, days: &[NaiveDate]) -> Result<Vec<Diary>, BoxError> {
        let sql = "SELECT day, text FROM diary WHERE day = $1";
        let days = days.iter().map(|day| vec![Value::from(*day)]);
        let mut diaries: Vec<Diary> = rows(cx, sql, days).await?;
        for diary in &mut diaries {
            let sql = "SELECT day, text FROM remark WHERE day = $1 ORDER BY id";
            diary.remarks = rows(cx, sql, [vec![diary.day.into()]]).await?;
        }
        Ok(diaries)
    }
}

impl<DB: Base> Load<Pool<DB>> for Signal {
    async fn load(
        cx: &LoadContext<Pool<DB>>,
        moments: &[DateTime<Utc>],
    ) -> Result<Vec<Signal>, BoxError> {
        let sql = match DB::DIALECT {
            Dialect::Postgres => "SELECT at, text FROM signal WHERE at = $1",
            Dialect::Sqlite => "SELECT at, text FROM signal WHERE datetime(at) = datetime($1)",
        };
        rows(cx, sql, moments.iter().map(|at| vec![(*at).into()])).await
    }
}

//! Tickets, whose lists say by their order of which versions they are.
//!
//! A queue has the tickets that its version says. From an even version to the next one they only
//! change places; from an odd one to the next, one comes and one goes. A desk is served one queue
//! after the other, as its version says, and a ticket that is there for each version alone.

use cache_runtime::Cached;
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};

use crate::record::{Model, Sight, TORN};

/// So few that there is always somebody who writes to what another reads.
pub const QUEUES: i64 = 3;
pub const DESKS: i64 = 2;

/// How many tickets a queue has.
const TICKETS: i64 = 4;

/// More than there are versions.
const MANY: i64 = 1_000_000_000;

/// Where tickets go that leave a queue and are not deleted.
const GONE: i64 = 1000;

#[derive(Clone, Debug, Cached, Serialize, Deserialize)]
#[cached(by("served.desk_id": i64))]
pub struct Ticket {
    pub id: i64,
    pub queue_id: i64,
    pub place: i64,
}

/// The tables, with what the first versions say.
pub(crate) async fn create(pool: &PgPool) -> Result<(), sqlx::Error> {
    let sql = format!(
        "CREATE TABLE queue (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
         CREATE TABLE desk (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
         CREATE TABLE ticket (id BIGINT PRIMARY KEY, queue_id BIGINT NOT NULL, place BIGINT NOT NULL);
         CREATE TABLE served (desk_id BIGINT, queue_id BIGINT, PRIMARY KEY (desk_id, queue_id));
         CREATE INDEX ON ticket (queue_id);
         INSERT INTO queue SELECT id, 0 FROM generate_series(0, {QUEUES} - 1) id;
         INSERT INTO desk SELECT id, 0 FROM generate_series(0, {DESKS} - 1) id;"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(pool).await?;
    let mut db = pool.acquire().await?;
    for queue in 0..QUEUES {
        fill_queue(&mut db, queue, 0).await?;
    }
    for desk in 0..DESKS {
        serve_desk(&mut db, desk, 0).await?;
    }
    Ok(())
}

/// The tickets of a queue, each with its place. Those of an odd version are those of the one before
/// it, of which the second is now the first.
fn in_queue(queue: i64, version: i64) -> Vec<(i64, i64)> {
    let newest = version / 2 + TICKETS;
    let ticket = |number: i64| {
        let is_moved = version % 2 == 1 && number == newest - 1;
        let place = if is_moved { 2 * newest + 1 } else { 2 * number };
        (queue * MANY + number, place)
    };
    let mut tickets: Vec<(i64, i64)> = (0..TICKETS).map(|n| ticket(newest - n)).collect();
    tickets.sort_by_key(|(_, place)| -place);
    tickets
}

/// Which queue a desk is served.
fn queue_of_desk(desk: i64, version: i64) -> i64 {
    (desk + version) % QUEUES
}

/// Brings in what the version of a queue says, moves what is in another place, and takes out what
/// is not in it any more.
pub(crate) async fn fill_queue(
    db: &mut PgConnection,
    queue: i64,
    version: i64,
) -> Result<(), sqlx::Error> {
    let tickets = in_queue(queue, version);
    let ids: Vec<String> = tickets.iter().map(|(id, _)| id.to_string()).collect();
    let rows: Vec<String> =
        tickets.iter().map(|(id, place)| format!("({id}, {queue}, {place})")).collect();
    let leave = match fastrand::bool() {
        true => "DELETE FROM ticket".to_owned(),
        false => format!("UPDATE ticket SET queue_id = queue_id + {GONE}"),
    };
    let sql = format!(
        "{leave} WHERE queue_id = {queue} AND id NOT IN ({});
         INSERT INTO ticket (id, queue_id, place) VALUES {}
           ON CONFLICT (id) DO UPDATE SET place = excluded.place WHERE ticket.place <> excluded.place",
        ids.join(", "),
        rows.join(", ")
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await.map(drop)
}

/// Leads a desk to the queue that its version says, and to the ticket of that version.
pub(crate) async fn serve_desk(
    db: &mut PgConnection,
    desk: i64,
    version: i64,
) -> Result<(), sqlx::Error> {
    let (queue, own) = (queue_of_desk(desk, version), of_desk(desk, version));
    let is_there = version > 0 && fastrand::bool();
    let serve = match is_there {
        true => format!(
            "UPDATE served SET queue_id = CASE WHEN queue_id < 0 THEN {own} ELSE {queue} END
               WHERE desk_id = {desk}"
        ),
        false => format!(
            "DELETE FROM served WHERE desk_id = {desk};
             INSERT INTO served VALUES ({desk}, {queue}), ({desk}, {own})"
        ),
    };
    let sql = format!(
        "DELETE FROM ticket USING served
           WHERE desk_id = {desk} AND served.queue_id = ticket.queue_id AND ticket.id < 0;
         INSERT INTO ticket (id, queue_id, place) VALUES ({own}, {own}, 0);
         {serve}"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(db).await.map(drop)
}

/// The ticket of this version of a desk, and the queue that it is alone in.
fn of_desk(desk: i64, version: i64) -> i64 {
    -(desk * MANY + version + 1)
}

/// What these tickets of a queue say of it.
pub(crate) fn queue(queue: i64, ids: &[i64]) -> Sight {
    let version = match ids {
        [first, second, ..] => {
            let newest = first.max(second) - queue * MANY;
            2 * (newest - TICKETS) + i64::from(first < second)
        }
        _ => TORN,
    };
    let are_all = |there: Vec<(i64, i64)>| there.iter().map(|(id, _)| id).eq(ids);
    let is_whole = version >= 0 && are_all(in_queue(queue, version));
    sight(Model::Queue, queue, if is_whole { version } else { TORN })
}

/// What those at a desk say of it, and of the queue that it is served.
pub(crate) fn desk(desk: i64, ids: &[i64]) -> Vec<Sight> {
    let (own, others): (Vec<i64>, Vec<i64>) = ids.iter().partition(|id| **id < 0);
    let version = match own[..] {
        [own] => -own - desk * MANY - 1,
        _ => TORN,
    };
    match version {
        TORN => vec![sight(Model::Desk, desk, TORN)],
        _ => {
            let queue_id = queue_of_desk(desk, version);
            vec![sight(Model::Desk, desk, version), queue(queue_id, &others)]
        }
    }
}

fn sight(model: Model, id: i64, version: i64) -> Sight {
    Sight { register: model.register(id), version, direct: true, promised: None }
}

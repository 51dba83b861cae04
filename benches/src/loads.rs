//! What a load costs by a loader that writes itself, beside the same load by hand: the statements
//! that one would write, with `= ANY($1)`, and what they answer put together by maps.
//!
//! In one transaction of each, so that nothing is cached; in turns, so that what the machine does
//! meanwhile hits both alike.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_runtime::BoxError;
use example_app::{Db, Plio, cache_builder};
use sqlx::types::Json;
use sqlx::types::chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, query_as};

use crate::variable;

pub(crate) const ROUNDS: usize = 41;
pub(crate) const LOADS: usize = 50;

type Value = Option<Json<sqlx::types::JsonValue>>;
type Time = DateTime<Utc>;

pub(crate) async fn measure() -> Result<(), BoxError> {
    let pool = PgPool::connect(&variable("DATABASE_URL")?).await?;
    let db = Db::Postgres(pool.clone());
    db.migrate().await?;
    sqlx::raw_sql(ROWS).execute(&pool).await?;
    let cache = cache_builder(db).relay(false).build().await?;
    let mut tx = cache.begin_on(&pool).await?;
    let mut connection = pool.acquire().await?;

    println!("medians of {ROUNDS} rounds of {LOADS} loads; PostgreSQL on this machine\n");
    println!("| plios | by hand | by itself | ratio |");
    println!("| --- | --- | --- | --- |");
    for count in [1, 10, 100] {
        let ids: Vec<i64> = (1..=count).collect();
        let (mut by_hand, mut by_itself) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..LOADS {
                let found = load(&mut connection, &ids).await?;
                assert_eq!((found.len(), found[0].items.len()), (ids.len(), 5));
            }
            by_hand.push(start.elapsed());
            let start = Instant::now();
            for _ in 0..LOADS {
                let found = Plio::get_many(&mut tx, &ids).await?;
                assert!(found.iter().flatten().all(|plio| plio.items.len() == 5));
            }
            by_itself.push(start.elapsed());
        }
        let [by_hand, by_itself] = [by_hand, by_itself].map(median);
        let ratio = by_itself.as_secs_f64() / by_hand.as_secs_f64();
        println!("| {count} | {by_hand:.1?} | {by_itself:.1?} | {ratio:.2} |");
    }
    Ok(())
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2] / LOADS as u32
}

/// A hundred plios of ten users, each with a video and five items, each with a question, every
/// other one with an image.
pub(crate) const ROWS: &str = "
INSERT INTO organization (name, shortcode) SELECT 'organization ' || n, 'o' || n FROM generate_series(1, 3) n;
INSERT INTO \"user\" (email) SELECT n || '@example.org' FROM generate_series(1, 10) n;
INSERT INTO organization_user (user_id, organization_id) SELECT u, o FROM generate_series(1, 10) u, generate_series(1, 2) o;
INSERT INTO video (url, title) SELECT 'https://example.org/' || n, 'video ' || n FROM generate_series(1, 100) n;
INSERT INTO image (url) SELECT 'https://example.org/' || n FROM generate_series(1, 50) n;
INSERT INTO plio (name, video_id, created_by_id, config) SELECT 'plio ' || n, n, n % 10 + 1, '{\"a\": [1, 2, 3]}' FROM generate_series(1, 100) n;
INSERT INTO item (plio_id, time) SELECT n % 100 + 1, n FROM generate_series(1, 500) n;
INSERT INTO question (item_id, text, image_id) SELECT n, 'question ' || n, CASE WHEN n % 2 = 0 THEN n % 50 + 1 END FROM generate_series(1, 500) n;
ANALYZE";

type PlioRow = (i64, String, String, Option<i64>, i64, String, bool, String, Value, Time, Time);
type VideoRow = (i64, String, String, Option<f64>, Time, Time);
type ItemRow = (i64, i64, String, f64, Value, Time, Time);
type QuestionRow =
    (i64, i64, String, String, Value, Value, bool, Option<i64>, bool, Option<i64>, Time, Time);
type ImageRow = (i64, String, String, Time, Time);
type UserRow = (i64, String, String, String, Option<String>, Value, String, Time, Time);
type MemberRow = (i64, i64, String, String, String);

type Question = (QuestionRow, Option<ImageRow>);

/// A plio, by hand.
#[expect(dead_code, reason = "it is only put together")]
pub(crate) struct Loaded {
    row: PlioRow,
    video: Option<VideoRow>,
    created_by: Arc<(UserRow, Vec<MemberRow>)>,
    items: Vec<(ItemRow, Option<Question>)>,
}

/// Seven statements, and maps.
pub(crate) async fn load(db: &mut PgConnection, ids: &[i64]) -> Result<Vec<Loaded>, sqlx::Error> {
    let plios: Vec<PlioRow> = query_as(
        "SELECT id, uuid, name, video_id, created_by_id, status, is_public, failsafe_url, config, created_at, updated_at
         FROM plio WHERE id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(&mut *db)
    .await?;
    let of: Vec<i64> = plios.iter().filter_map(|plio| plio.3).collect();
    let sql =
        "SELECT id, url, title, duration, created_at, updated_at FROM video WHERE id = ANY($1)";
    let videos: Vec<VideoRow> = query_as(sql).bind(of).fetch_all(&mut *db).await?;
    let mut videos = by(videos, |video| video.0);
    let sql = "SELECT id, plio_id, type, time, meta, created_at, updated_at FROM item WHERE plio_id = ANY($1) ORDER BY time, id";
    let items: Vec<ItemRow> = query_as(sql).bind(ids).fetch_all(&mut *db).await?;
    let of: Vec<i64> = items.iter().map(|item| item.0).collect();
    let questions: Vec<QuestionRow> = query_as(
        "SELECT id, item_id, type, text, options, correct_answer, survey, image_id, has_char_limit, max_char_limit,
           created_at, updated_at
         FROM question WHERE item_id = ANY($1) ORDER BY id",
    )
    .bind(of)
    .fetch_all(&mut *db)
    .await?;
    let of: Vec<i64> = questions.iter().filter_map(|question| question.7).collect();
    let sql = "SELECT id, url, alt_text, created_at, updated_at FROM image WHERE id = ANY($1)";
    let images: Vec<ImageRow> = query_as(sql).bind(of).fetch_all(&mut *db).await?;
    let images = by(images, |image| image.0);
    let mut questions = by(questions, |question| question.1);
    let users = users(db, plios.iter().map(|plio| plio.4).collect()).await?;

    let mut all_items: HashMap<i64, Vec<_>> = HashMap::new();
    for item in items {
        let question = questions.remove(&item.0).map(|question| {
            let image = question.7.and_then(|id| images.get(&id).cloned());
            (question, image)
        });
        all_items.entry(item.1).or_default().push((item, question));
    }
    let put = |row: PlioRow| {
        Some(Loaded {
            video: row.3.and_then(|id| videos.remove(&id)),
            created_by: users.get(&row.4)?.clone(),
            items: all_items.remove(&row.0).unwrap_or_default(),
            row,
        })
    };
    Ok(plios.into_iter().filter_map(put).collect())
}

async fn users(
    db: &mut PgConnection,
    mut ids: Vec<i64>,
) -> Result<HashMap<i64, Arc<(UserRow, Vec<MemberRow>)>>, sqlx::Error> {
    ids.sort_unstable();
    ids.dedup();
    let users: Vec<UserRow> = query_as(
        "SELECT id, email, first_name, last_name, mobile, config, status, created_at, updated_at FROM \"user\" WHERE id = ANY($1)",
    )
    .bind(&ids)
    .fetch_all(&mut *db)
    .await?;
    let members: Vec<MemberRow> = query_as(
        "SELECT m.user_id, o.id, o.name, o.shortcode, m.role FROM organization_user m JOIN organization o ON o.id = m.organization_id
         WHERE m.user_id = ANY($1) ORDER BY m.id",
    )
    .bind(&ids)
    .fetch_all(&mut *db)
    .await?;
    let mut of: HashMap<i64, Vec<MemberRow>> = HashMap::new();
    members.into_iter().for_each(|member| of.entry(member.0).or_default().push(member));
    let put =
        |user: UserRow| (user.0, Arc::new((user.clone(), of.remove(&user.0).unwrap_or_default())));
    Ok(users.into_iter().map(put).collect())
}

fn by<T>(rows: Vec<T>, key: impl Fn(&T) -> i64) -> HashMap<i64, T> {
    rows.into_iter().map(|row| (key(&row), row)).collect()
}

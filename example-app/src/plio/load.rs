//! How plios are loaded on a miss: five statements and the users, however many plios and items
//! there are.

use std::collections::HashMap;
use std::hash::Hash;

use cache_runtime::{BoxError, Find, Load, LoadContext};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Plio, PlioLookup};
use crate::db::{load, load_ids};
use crate::{Db, Image, Item, Question, User, Video};

impl Load<Db> for Plio {
    async fn load(cx: &LoadContext<Db>, ids: &[i64]) -> Result<Vec<Plio>, BoxError> {
        let rows: Vec<Row> = load(cx, "SELECT * FROM plio WHERE id IN ({ids})", ids).await?;
        let mut videos = videos(cx, ids).await?;
        let mut items = items(cx, ids).await?;
        let creators: Vec<i64> = rows.iter().map(|row| row.created_by_id).collect();
        let creators = cx.get_many::<User>(&creators).await?;

        let plios = rows.into_iter().zip(creators).filter_map(|(row, creator)| {
            Some(Plio {
                video: videos.remove(&row.id),
                items: items.remove(&row.id).unwrap_or_default(),
                // Gone only if it was, together with the plio or its part in it, deleted a moment
                // ago.
                created_by: creator?,
                id: row.id,
                uuid: row.uuid,
                name: row.name,
                status: row.status,
                is_public: row.is_public,
                failsafe_url: row.failsafe_url,
                config: row.config,
                created_at: row.created_at,
                updated_at: row.updated_at,
            })
        });
        Ok(plios.collect())
    }
}

impl Find<Db> for Plio {
    async fn find(cx: &LoadContext<Db>, by: &PlioLookup) -> Result<Option<i64>, BoxError> {
        let PlioLookup::Uuid(uuid) = by;
        let sql = "SELECT id FROM plio WHERE uuid = $1";
        let ids = load_ids(cx, sql, [uuid.clone().into()]).await?;
        Ok(ids.into_iter().next())
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    uuid: String,
    name: String,
    created_by_id: i64,
    status: String,
    is_public: bool,
    failsafe_url: String,
    #[sqlx(json(nullable))]
    config: Option<Value>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// The video of each plio.
async fn videos(cx: &LoadContext<Db>, plios: &[i64]) -> Result<HashMap<i64, Video>, sqlx::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        plio_id: i64,
        #[sqlx(flatten)]
        video: Video,
    }

    let rows: Vec<Row> = load(
        cx,
        "SELECT plio.id AS plio_id, video.*
             FROM plio JOIN video ON video.id = plio.video_id
             WHERE plio.id IN ({ids})",
        plios,
    )
    .await?;
    Ok(rows.into_iter().map(|row| (row.plio_id, row.video)).collect())
}

/// The items of each plio in the order of their time, with their questions.
async fn items(
    cx: &LoadContext<Db>,
    plios: &[i64],
) -> Result<HashMap<i64, Vec<Item>>, sqlx::Error> {
    let mut items: Vec<Item> =
        load(cx, "SELECT * FROM item WHERE plio_id IN ({ids}) ORDER BY time, id", plios).await?;
    let mut questions = questions(cx, plios).await?;
    for item in &mut items {
        item.details = questions.remove(&item.id);
    }
    Ok(group(items, |item| item.plio_id))
}

/// The question of each item, with its image. If there are several it is the first: the last to be
/// put into the map.
async fn questions(
    cx: &LoadContext<Db>,
    plios: &[i64],
) -> Result<HashMap<i64, Question>, sqlx::Error> {
    let questions: Vec<Question> = load(
        cx,
        "SELECT question.*
             FROM question JOIN item ON item.id = question.item_id
             WHERE item.plio_id IN ({ids})
             ORDER BY question.id DESC",
        plios,
    )
    .await?;
    let mut images = images(cx, plios).await?;
    let with_image =
        |question: Question| Question { image: images.remove(&question.id), ..question };
    Ok(questions.into_iter().map(with_image).map(|question| (question.item_id, question)).collect())
}

/// The image of each question.
async fn images(cx: &LoadContext<Db>, plios: &[i64]) -> Result<HashMap<i64, Image>, sqlx::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        question_id: i64,
        #[sqlx(flatten)]
        image: Image,
    }

    let rows: Vec<Row> = load(
        cx,
        "SELECT question.id AS question_id, image.*
             FROM image
             JOIN question ON question.image_id = image.id
             JOIN item ON item.id = question.item_id
             WHERE item.plio_id IN ({ids})",
        plios,
    )
    .await?;
    Ok(rows.into_iter().map(|row| (row.question_id, row.image)).collect())
}

fn group<K: Eq + Hash, T>(rows: Vec<T>, key: impl Fn(&T) -> K) -> HashMap<K, Vec<T>> {
    let mut groups = HashMap::<K, Vec<T>>::new();
    for row in rows {
        groups.entry(key(&row)).or_default().push(row);
    }
    groups
}

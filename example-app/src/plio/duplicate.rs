//! A copy of a plio with all that is its own: video, items, questions, images.

use cache_runtime::ConsistencyToken;

use super::Plio;
use crate::Cache;
use crate::db::{Tx, Value};
use crate::problem::Problem;
use crate::resource::Resource;

/// Copies a plio and answers with the copy's id and the moment of the commit. Five statements in
/// one transaction, however many items there are.
///
/// Rows are copied in the order of their ids, so the n-th copy is the copy of the n-th original:
/// that is how a question finds its new item and its new image. The transaction sees one moment of
/// the database, or an item that arrives between two statements would shift the count.
pub(super) async fn duplicate(
    cache: &Cache,
    original: i64,
) -> Result<(i64, ConsistencyToken), Problem> {
    let mut tx = Tx::begin_snapshot(cache).await?;

    let video = tx.ids(COPY_VIDEO, [original.into()]).await?.first().copied();
    let plio = tx.ids(COPY_PLIO, [original.into(), Value::Integer(video)]).await?;
    let Some(&copy) = plio.first() else {
        return Err(Problem::no_such_row(Plio::TABLE.name));
    };
    tx.ids(COPY_ITEMS, [original.into(), copy.into()]).await?;
    let images = tx.ids(COPY_IMAGES, [original.into()]).await?;
    let images = Value::ids(&images).into();
    tx.ids(COPY_QUESTIONS, [images, original.into(), copy.into()]).await?;

    Ok((copy, tx.commit().await?))
}

const COPY_VIDEO: &str = "
    INSERT INTO video (url, title, duration)
    SELECT url, title, duration FROM video
    WHERE id = (SELECT video_id FROM plio WHERE id = $1)
    RETURNING id";

const COPY_PLIO: &str = "
    INSERT INTO plio (name, video_id, created_by_id, status, is_public, failsafe_url, config)
    SELECT name, $2, created_by_id, status, is_public, failsafe_url, config FROM plio
    WHERE id = $1
    RETURNING id";

const COPY_ITEMS: &str = "
    INSERT INTO item (plio_id, type, time, meta)
    SELECT $2, type, time, meta FROM item
    WHERE plio_id = $1
    ORDER BY id
    RETURNING id";

const COPY_IMAGES: &str = "
    INSERT INTO image (url, alt_text)
    SELECT url, alt_text FROM image
    WHERE id IN (
        SELECT question.image_id FROM question JOIN item ON item.id = question.item_id
        WHERE item.plio_id = $1
    )
    ORDER BY id
    RETURNING id";

const COPY_QUESTIONS: &str = "
    WITH
    old_item AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM item WHERE plio_id = $2),
    new_item AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM item WHERE plio_id = $3),
    original AS (SELECT question.* FROM question WHERE item_id IN (SELECT id FROM old_item)),
    old_image AS (
        SELECT id, row_number() OVER (ORDER BY id) AS n FROM image
        WHERE id IN (SELECT image_id FROM original)
    ),
    new_image AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM ({ids}) AS image)
    INSERT INTO question (item_id, type, text, options, correct_answer, survey, image_id,
                          has_char_limit, max_char_limit)
    SELECT new_item.id, type, text, options, correct_answer, survey, new_image.id,
           has_char_limit, max_char_limit
    FROM original
    JOIN old_item ON old_item.id = original.item_id
    JOIN new_item ON new_item.n = old_item.n
    LEFT JOIN old_image ON old_image.id = original.image_id
    LEFT JOIN new_image ON new_image.n = old_image.n
    ORDER BY original.id
    RETURNING id";

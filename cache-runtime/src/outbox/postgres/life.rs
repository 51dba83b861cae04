//! The life of a database: ended by a crash, a promotion or a restored backup that may have lost
//! commits.

use sqlx::{AssertSqlSafe, PgConnection};

use crate::model::schema::Schema;
use crate::outbox::database::quoted;

/// The table that the database empties when it may have lost commits.
pub(super) fn lives(schema: &Schema) -> String {
    format!("{}_life", schema.outbox)
}

/// From here on it is another database than it was, unless somebody else has just said so.
pub(super) async fn begin_life(
    connection: &mut PgConnection,
    schema: &'static Schema,
) -> Result<(), sqlx::Error> {
    let lives = quoted(&lives(schema));
    let sql = format!("INSERT INTO {lives} (id) VALUES (1) ON CONFLICT DO NOTHING");
    let query = sqlx::raw_sql(AssertSqlSafe(sql));
    query.execute(connection).await.map(drop)
}

/// What the role of a service needs.
pub(super) fn grants(outbox: &str) -> String {
    format!(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON {outbox}, SELECT ON {outbox}_stamp and SELECT, INSERT ON {outbox}_life to the role of the service"
    )
}

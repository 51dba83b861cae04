use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

type MyError = cache_runtime::Error;

#[derive(Serialize, Deserialize, Cached)]
struct Post {
    id: i64,
}

impl Load<SqlitePool> for Post {
    async fn load(_: &LoadContext<SqlitePool>, _: &[i64]) -> Result<Vec<Post>, BoxError> {
        Ok(Vec::new())
    }
}

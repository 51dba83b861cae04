async fn query_posts(_: &mut sqlx::SqliteConnection, _: &[i64]) -> Result<Vec<Post>, BoxError> {
    Ok(Vec::new())
}

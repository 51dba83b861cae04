impl Load<SqlitePool> for Post {
    async fn load(_: &LoadContext<SqlitePool>, _: &[i64]) -> Result<Vec<Post>, BoxError> {
        Ok(Vec::new())
    }
}

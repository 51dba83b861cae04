impl Load<SqlitePool> for User {
    async fn load(_: &LoadContext<SqlitePool>, _: &[i64]) -> Result<Vec<User>, BoxError> {
        Ok(Vec::new())
    }
}

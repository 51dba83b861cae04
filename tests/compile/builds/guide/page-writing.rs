#[derive(Serialize, Deserialize, Cached)]
struct Author {
    id: i64,
    name: String,
}

#[derive(Serialize, Deserialize, Cached)]
struct Post {
    id: i64,
    author: Author,
}

impl Load<SqlitePool> for Post {
    async fn load(_: &LoadContext<SqlitePool>, _: &[i64]) -> Result<Vec<Post>, BoxError> {
        Ok(Vec::new())
    }
}

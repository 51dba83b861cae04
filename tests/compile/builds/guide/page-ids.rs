use uuid::Uuid;

#[derive(Serialize, Deserialize, Cached)]
struct Invoice {
    tenant: String,
    id: i64,
}

impl Load<SqlitePool> for Invoice {
    async fn load(
        _: &LoadContext<SqlitePool>,
        _: &[(String, i64)],
    ) -> Result<Vec<Invoice>, BoxError> {
        Ok(Vec::new())
    }
}

#[derive(Serialize, Deserialize, Cached)]
struct Post {
    id: i64,
    uuid: Uuid,
}

impl Load<SqlitePool> for Post {
    async fn load(_: &LoadContext<SqlitePool>, _: &[i64]) -> Result<Vec<Post>, BoxError> {
        Ok(Vec::new())
    }
}

#[derive(Serialize, Deserialize, Cached)]
struct Page {
    id: String,
    slug: String,
}

impl Load<SqlitePool> for Page {
    async fn load(_: &LoadContext<SqlitePool>, _: &[String]) -> Result<Vec<Page>, BoxError> {
        Ok(Vec::new())
    }
}

impl Find<SqlitePool> for Page {
    async fn find(_: &LoadContext<SqlitePool>, _: &PageLookup) -> Result<Option<String>, BoxError> {
        Ok(None)
    }
}

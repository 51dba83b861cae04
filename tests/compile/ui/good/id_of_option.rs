#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Account {
    id: Option<i64>,
}

impl Load<Db> for Account {
    async fn load(_: &LoadContext<Db>, _: &[Option<i64>]) -> Result<Vec<Self>, BoxError> {
        Ok(Vec::new())
    }
}

async fn handler(cache: &Cache<Db>) -> Result<(), Error> {
    Account::get(cache, Some(1)).await?;
    Ok(())
}

fn main() {}

#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Account {
    id: i64,
}

async fn handler(cache: &Cache<Db>) -> Result<(), Error> {
    Account::get(cache, 1).await?;
    Ok(())
}

fn main() {}

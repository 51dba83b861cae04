#[path = "rest/mod.rs"]
mod rest;
use rest::*;

async fn handler(cache: &Cache<Db>, cx: &LoadContext<Db>) -> Result<(), Error> {
    Video::get(cache, 1).await?;
    cx.get::<Video>(1).await?;
    Ok(())
}

impl Load<Db> for Image {
    async fn load(_: &LoadContext<Db>, _: &[i64]) -> Result<Vec<Image>, BoxError> {
        Ok(Vec::new())
    }
}

fn main() {}

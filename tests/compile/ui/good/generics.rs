#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Account<T> {
    id: i64,
    settings: T,
}

#[derive(Cached, Serialize, Deserialize)]
struct Video<'a> {
    id: i64,
    title: &'a str,
}

#[derive(Cached)]
struct Image<const N: usize>
where
    [u8; N]: Sized,
{
    id: i64,
    pixels: [u8; N],
}

async fn handler(cache: &Cache<Db>) -> Result<(), Error> {
    let account = Account::<String>::get(cache, 1).await?;
    drop(account);
    Ok(())
}

impl Load<Db> for Account<String> {
    async fn load(_: &LoadContext<Db>, _: &[i64]) -> Result<Vec<Self>, BoxError> {
        Ok(Vec::new())
    }
}

fn main() {}

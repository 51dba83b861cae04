#[path = "rest/mod.rs"]
mod rest;
use rest::*;

use cache_runtime::Column;

#[derive(Clone, Debug, PartialEq, Eq, Column, Serialize, Deserialize)]
struct AccountId(i64);

#[derive(Cached, Serialize, Deserialize)]
struct Account {
    id: AccountId,
}

fn main() {}

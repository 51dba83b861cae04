#[derive(Serialize, Deserialize, Cached)]
#[cached(load)]
struct Post {
    id: i64,
    title: String,
}

#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[cached(model = "user")]
struct Author {
    #[cached(hidden)]
    id: i64,
    name: String,
    #[cached(embeds = "organization-user")]
    organizations: Vec<Membership>,
}

mod names {
    use super::*;

    pub fn serialize<S: serde::Serializer>(author: &Author, to: S) -> Result<S::Ok, S::Error> {
        (author.id, &author.name).serialize(to)
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Author, D::Error> {
        let (id, name) = Deserialize::deserialize(from)?;
        Ok(Author { id, name, organizations: Vec::new() })
    }
}

#[derive(Cached, Serialize, Deserialize)]
struct Article {
    id: i64,
    slug: String,
    #[cached(embeds = "user")]
    #[serde(with = "names")]
    author: Author,
}

// What serde does with what hides nothing, or is hidden itself, is its own affair.
#[derive(Cached, Serialize, Deserialize)]
struct Review {
    id: i64,
    #[cached(embeds = "user", hidden)]
    #[serde(with = "names")]
    written_by: Author,
    #[cached(embeds = "user")]
    checked_by: User,
}

serve!(Review);

fn main() {}

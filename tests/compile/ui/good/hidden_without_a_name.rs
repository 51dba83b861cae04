#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
struct Plio {
    id: i64,
    uuid: String,
    #[cached(hidden = "video")]
    video: Option<Video>,
    created_by: User,
    items: Vec<Item>,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(hidden)]
struct Image {
    id: i64,
}

// Both columns and rows.
#[derive(Cached, Serialize, Deserialize)]
struct Item {
    id: i64,
    #[cached(hidden)]
    #[serde(flatten)]
    details: Option<Question>,
    #[serde(flatten)]
    #[cached(column = "config", hidden)]
    config: std::collections::BTreeMap<String, String>,
    #[serde(skip)]
    #[cached(hidden)]
    secret: String,
}

#[derive(Cached, Serialize, Deserialize)]
#[serde(transparent)]
struct Video {
    #[cached(hidden)]
    id: i64,
}

#[derive(Cached, Serialize, Deserialize, Clone)]
#[serde(into = "i64", from = "i64")]
struct Organization {
    #[cached(hidden)]
    id: i64,
}

impl From<i64> for Organization {
    fn from(id: i64) -> Organization {
        Organization { id }
    }
}

impl From<Organization> for i64 {
    fn from(organization: Organization) -> i64 {
        organization.id
    }
}

serve!(Plio);
serve_by_uuid!(Plio, PlioLookup);

fn main() {}

//! The fingerprint of a struct changes when bytes stored before the change must not be read after it.
#![deny(warnings)]

use cache_runtime::{Cached, Rows};
use serde::{Deserialize, Serialize};

macro_rules! row {
    ($(#[$attribute:meta])* $name:ident { $($fields:tt)* }) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            #[allow(dead_code)]
            #[derive(Cached, Serialize, Deserialize)]
            $(#[$attribute])*
            pub struct Row { $($fields)* }
        }
    };
}

#[derive(Cached, Serialize, Deserialize)]
struct Video {
    id: i64,
}

mod longer {
    #[derive(super::Cached, super::Serialize, super::Deserialize)]
    pub struct Video {
        id: i64,
        title: String,
    }
}

row!(#[cached(model = "account")] plain { id: i64, name: String });
row!(#[cached(model = "account")] same { #[doc = "x"] pub id: i64, name: String });
row!(#[cached(model = "account")] renamed { id: i64, title: String });
row!(#[cached(model = "account")] retyped { id: i64, name: Option<String> });
row!(#[cached(model = "account")] longer_by_one { id: i64, name: String, more: i64 });
row!(#[cached(model = "account")] #[serde(rename_all = "camelCase")] cased { id: i64, name: String });
row!(#[cached(model = "account")] sent_otherwise { id: i64, #[serde(rename = "title")] name: String });
row!(#[cached(model = "playlist")] with_an_edge { id: i64, intro_id: i64, outro_id: i64 });
row!(#[cached(model = "account")] without_it { id: i64, intro_id: i64, outro_id: i64 });
row!(#[cached(model = "playlist-by-outro")] with_another_edge { id: i64, intro_id: i64, outro_id: i64 });
row!(#[cached(model = "account")] embeds { id: i64, video: Option<Video> });
row!(#[cached(model = "account")] embeds_another { id: i64, video: Option<longer::Video> });
row!(#[cached(model = "playlist")] intro { id: i64, #[cached(column = "intro_id")] a: i64, b: i64 });
row!(#[cached(model = "playlist")] outro { id: i64, a: i64, #[cached(column = "intro_id")] b: i64 });
row!(#[cached(model = "account", dependencies("video"))] hooked { id: i64, name: String });

impl cache_runtime::Dependencies for hooked::Row {
    fn dependencies(&self, _: &mut cache_runtime::Tags) {}
}

fn main() {
    assert_eq!(plain::Row::SHAPE, same::Row::SHAPE);
    for (other, why) in [
        (renamed::Row::SHAPE, "a field's name"),
        (retyped::Row::SHAPE, "a field's type"),
        (longer_by_one::Row::SHAPE, "one more field"),
        (cased::Row::SHAPE, "serde on the struct"),
        (sent_otherwise::Row::SHAPE, "serde on a field"),
    ] {
        assert_ne!(plain::Row::SHAPE, other, "{why}");
    }
    assert_ne!(with_an_edge::Row::SHAPE, without_it::Row::SHAPE, "an edge");
    assert_ne!(with_an_edge::Row::SHAPE, with_another_edge::Row::SHAPE, "the column of an edge");
    assert_ne!(intro::Row::SHAPE, outro::Row::SHAPE, "the field of a column");
    assert_ne!(plain::Row::SHAPE, hooked::Row::SHAPE, "a hook");
    assert_ne!(embeds::Row::SHAPE, embeds_another::Row::SHAPE, "an embedded struct");
}

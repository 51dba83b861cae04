use cache_runtime::{Cached, Dependencies, Tags, tag};
use serde::{Deserialize, Serialize};

#[derive(Cached, Serialize, Deserialize)]
#[cached(dependencies("organization"))]
struct Invoice {
    id: i64,
    addressee: i64,
}

impl Dependencies for Invoice {
    fn dependencies(&self, tags: &mut Tags) {
        tags.add(tag!("organisation#id"), &self.addressee);
        tags.add(tag!("organization#ids"), &self.addressee);
        tags.add(tag!("organization#name"), &self.addressee);
        tags.add(tag!("thread#id"), &self.addressee);
        tags.add(tag!("nothing"), &self.addressee);
        tags.add(tag!(organization), &self.addressee);
    }
}

fn main() {}

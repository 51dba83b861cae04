#[path = "rest/mod.rs"]
mod rest;
use rest::*;

#[derive(Cached, Serialize, Deserialize)]
#[cached(dependencies("organisation"))]
struct Invoice {
    id: i64,
    organization_id: i64,
}

impl cache_runtime::Dependencies for Invoice {
    fn dependencies(&self, _: &mut cache_runtime::Tags) {}
}

serve!(Invoice);

fn main() {}

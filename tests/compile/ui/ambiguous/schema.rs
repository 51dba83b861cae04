static SCHEMA: cache_runtime::Schema = cache_runtime::schema!();

fn main() {
    let _ = SCHEMA.prefix;
}

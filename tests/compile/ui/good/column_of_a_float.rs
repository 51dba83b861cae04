use cache_runtime::Column;

#[derive(Column)]
struct Weight(f64);

fn main() {}

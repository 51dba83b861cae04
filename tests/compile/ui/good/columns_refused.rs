use cache_runtime::Column;

#[derive(Column)]
struct TwoFields(i64, String);

#[derive(Column)]
struct NoField;

#[derive(Column)]
struct NamedField {
    id: i64,
}

#[derive(Column)]
struct Generic<T>(T);

#[derive(Column)]
enum WithData {
    Plain,
    Other(String),
}

#[derive(Column)]
enum NoVariant {}

#[derive(Column)]
union Either {
    a: i64,
    b: u64,
}

#[derive(Column)]
#[sqlx(rename_all = "Title Case")]
enum UnknownCase {
    A,
}

#[derive(Column)]
#[column(create = "cache_runtime")]
struct UnknownAttribute(i64);

#[derive(Column)]
#[column(crate = "no path")]
struct NoPath(i64);

fn main() {}

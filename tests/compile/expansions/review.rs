// What `#[derive(Cached)]` makes of this struct and `cache.toml` beside this file.
//
// #[derive(Cached)]
// #[cached(load, filter(is_hidden = false), by("remark.author":String))]
// pub struct Review {
//     pub id: i64,
//     pub video_id: Option<i64>,
//     #[sqlx(json(nullable))]
//     pub config: Option<Value>,
//     #[cached(from = "video.title")]
//     pub title: Option<String>,
//     pub written_by: Arc<User>,
//     #[cached(order_by = "-time", filter(kind = "text", deleted_at = None))]
//     pub remarks: Vec<Remark>,
//     pub first: Option<Box<Remark>>,
//     #[cached(count = "remark")]
//     pub count: i64,
//     #[cached(from = "remark.kind", order_by = "kind")]
//     pub kinds: Vec<String>,
// }

#[automatically_derived]
impl<__DB, __Db> ::cache_runtime::__private::Part<__DB, __Db> for Review
where
    __DB: ::cache_runtime::LoadDatabase,
    __Db: ::core::marker::Send + ::core::marker::Sync + 'static,
    i64: ::cache_runtime::__private::Value<__DB>,
    i64: ::cache_runtime::__private::Value<__DB>,
    Option<i64>: ::cache_runtime::__private::Value<__DB>,
    ::core::option::Option<
        ::cache_runtime::__private::sqlx::types::Json<Value>,
    >: ::cache_runtime::__private::Value<__DB>,
    Option<String>: ::cache_runtime::__private::Value<__DB>,
    User: ::cache_runtime::Load<__Db>,
    <User as ::cache_runtime::Model>::Id: ::cache_runtime::__private::Key<__DB>,
    Remark: ::cache_runtime::__private::Part<__DB, __Db>,
    Remark: ::cache_runtime::__private::Part<__DB, __Db>,
    String: ::cache_runtime::__private::Value<__DB>,
    i64: ::cache_runtime::__private::Key<__DB>,
{
    const COLUMNS: &'static str = "t.\"id\", t.\"video_id\", t.\"config\", f1.\"title\", t.\"written_by_id\"";
    const JOINS: &'static str = " AND t.\"is_hidden\" = FALSE LEFT JOIN \"video\" AS f1 ON f1.\"id\" = t.\"video_id\"";
    fn expects() -> ::std::vec::Vec<::cache_runtime::__private::Expected<__DB>> {
        let mut columns = ::std::vec::Vec::new();
        ::cache_runtime::__private::expect::<__DB, i64>("review.id", &mut columns);
        ::cache_runtime::__private::expect::<
            __DB,
            Option<i64>,
        >("review.video_id", &mut columns);
        ::cache_runtime::__private::expect::<
            __DB,
            ::core::option::Option<::cache_runtime::__private::sqlx::types::Json<Value>>,
        >("review.config", &mut columns);
        ::cache_runtime::__private::expect::<
            __DB,
            Option<String>,
        >("video.title", &mut columns);
        ::cache_runtime::__private::expect_key::<
            __DB,
            <User as ::cache_runtime::Model>::Id,
        >("id of user", &mut columns);
        columns
    }
    async fn drafts(
        reading: &mut ::cache_runtime::__private::Reading<'_, __DB>,
        rows: &[__DB::Row],
    ) -> ::core::result::Result<
        ::cache_runtime::__private::Drafts<Self, __Db>,
        ::cache_runtime::__private::sqlx::Error,
    > {
        let mut columns = ::std::vec::Vec::with_capacity(rows.len());
        for row in rows {
            columns
                .push((
                    <i64 as ::cache_runtime::__private::Value<
                        __DB,
                    >>::required(row, 1usize, "review.id")?,
                    <Option<
                        i64,
                    > as ::cache_runtime::__private::Value<
                        __DB,
                    >>::get(row, 2usize, "review.video_id")?,
                    <::core::option::Option<
                        ::cache_runtime::__private::sqlx::types::Json<Value>,
                    > as ::cache_runtime::__private::Value<
                        __DB,
                    >>::get(row, 3usize, "review.config")?
                        .map(|json| json.0),
                    <Option<
                        String,
                    > as ::cache_runtime::__private::Value<
                        __DB,
                    >>::get(row, 4usize, "video.title")?,
                    <<User as ::cache_runtime::Model>::Id as ::cache_runtime::__private::Key<
                        __DB,
                    >>::get(row, 5usize, "id of user")?,
                ));
        }
        let keys = || -> ::std::vec::Vec<i64> {
            ::cache_runtime::__private::keys(
                &columns,
                |row| ::core::clone::Clone::clone(&row.0),
            )
        };
        let parts = ::cache_runtime::__private::no_parts(&columns);
        let parts = ::cache_runtime::__private::and(
            parts,
            reading
                .rows::<
                    Remark,
                    __Db,
                    _,
                >(
                    "SELECT k.n, {columns} FROM {keys} JOIN \"remark\" AS t ON t.\"review_id\" = k.k1{joins} WHERE t.\"kind\" = 'text' AND t.\"deleted_at\" IS NULL ORDER BY t.\"time\" DESC NULLS FIRST, t.\"id\" ASC NULLS LAST",
                    keys(),
                )
                .await?,
        );
        let parts = ::cache_runtime::__private::and(
            parts,
            reading
                .rows::<
                    Remark,
                    __Db,
                    _,
                >(
                    "SELECT * FROM (SELECT k.n, {columns}, row_number() OVER (PARTITION BY k.n ORDER BY t.\"id\" ASC NULLS LAST) AS \"of k\" FROM {keys} JOIN \"remark\" AS t ON t.\"review_id\" = k.k1{joins}) AS of_keys WHERE of_keys.\"of k\" = 1",
                    keys(),
                )
                .await?,
        );
        let parts = ::cache_runtime::__private::and(
            parts,
            reading
                .values::<
                    i64,
                    _,
                >(
                    "SELECT k.n, count(*) FROM {keys} JOIN \"remark\" AS t ON t.\"review_id\" = k.k1 GROUP BY k.n",
                    "count of remark",
                    <i64 as ::cache_runtime::__private::Value<__DB>>::get,
                    keys(),
                )
                .await?,
        );
        let parts = ::cache_runtime::__private::and(
            parts,
            reading
                .values::<
                    String,
                    _,
                >(
                    "SELECT k.n, t.\"kind\" FROM {keys} JOIN \"remark\" AS t ON t.\"review_id\" = k.k1 ORDER BY t.\"kind\" ASC NULLS LAST, t.\"id\" ASC NULLS LAST",
                    "remark.kind",
                    <String as ::cache_runtime::__private::Value<__DB>>::required,
                    keys(),
                )
                .await?,
        );
        ::core::result::Result::Ok(
            ::cache_runtime::__private::drafts(
                columns,
                parts,
                |row, (((((), part_0), part_1), _part_2), _part_3), wanted| {
                    wanted.add::<User>(&row.4);
                    ::cache_runtime::__private::want(part_0, wanted);
                    ::cache_runtime::__private::want(part_1, wanted);
                },
                |row, (((((), part_0), part_1), part_2), part_3), found| ::core::option::Option::Some(Self {
                    id: row.0,
                    video_id: row.1,
                    config: row.2,
                    title: row.3,
                    written_by: {
                        let mut rows = found.held::<User, __Db>(row.4);
                        rows.next()?
                    },
                    remarks: {
                        let mut rows = ::cache_runtime::__private::finished(
                            part_0,
                            found,
                        );
                        {
                            let mut all = ::std::vec::Vec::new();
                            while let ::core::option::Option::Some(row) = rows.next() {
                                all.push(row);
                            }
                            ::core::option::Option::Some(all)
                        }?
                    },
                    first: {
                        let mut rows = ::cache_runtime::__private::finished(
                            part_1,
                            found,
                        );
                        ::core::option::Option::Some(
                            rows.next().map(::std::boxed::Box::new),
                        )?
                    },
                    count: ::cache_runtime::__private::number(&part_2) as i64,
                    kinds: {
                        let mut rows = ::cache_runtime::__private::Held::of(part_3);
                        {
                            let mut all = ::std::vec::Vec::new();
                            while let ::core::option::Option::Some(row) = rows.next() {
                                all.push(row);
                            }
                            ::core::option::Option::Some(all)
                        }?
                    },
                }),
            ),
        )
    }
}
#[automatically_derived]
impl ::cache_runtime::__private::Whole for Review {
    const BY_ID: &'static str = "SELECT k.n, {columns} FROM {keys} JOIN \"review\" AS t ON t.\"id\" = k.k1{joins}";
    const SNAPSHOT: bool = false;
    type Lists = (ReviewReviewsRemarkedBy, (ReviewReviewsOfVideo, ()));
}
#[automatically_derived]
impl<__Db> ::cache_runtime::Load<__Db> for Review
where
    __Db: ::cache_runtime::Source,
    Review: ::cache_runtime::__private::Declared<__Db, __Db::Databases>,
{
    async fn load(
        cx: &::cache_runtime::LoadContext<__Db>,
        ids: &[<Self as ::cache_runtime::Model>::Id],
    ) -> ::core::result::Result<::std::vec::Vec<Self>, ::cache_runtime::BoxError> {
        <Self as ::cache_runtime::__private::Declared<
            __Db,
            __Db::Databases,
        >>::load_declared(cx, ids)
            .await
    }
}

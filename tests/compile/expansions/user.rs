// What `#[derive(Cached)]` makes of this struct and `cache.toml` beside this file.
//
// #[derive(Cached)]
// pub struct User {
//     pub id: i64,
//     pub email: String,
//     #[cached(embeds = "organization-user")]
//     pub organizations: Vec<Membership>,
// }

#[automatically_derived]
impl ::cache_runtime::Rows for User {
    const MODEL: &'static str = "user";
    const SHAPE: u64 = ::cache_runtime::__private::shape(
        10644380412055806837u64,
        &[<Vec<Membership> as ::cache_runtime::Rows>::SHAPE],
    );
    const FILE: ::cache_runtime::__private::File = ::cache_runtime::__private::File {
        name: "cache.toml",
        package: ::core::env!("CARGO_PKG_NAME"),
        hash: 208398383380177034u64,
    };
    const LACKS: ::cache_runtime::__private::Lacks = ::cache_runtime::__private::Lacks {
        id: false,
        filtered: false,
        reads: &[
            ::cache_runtime::__private::Read {
                hop: "user ← organization-user.user_id",
                why: "`User` in this reads `organization-user` rows (user ← organization-user.user_id), which the value does not depend on: a change would not be reported\nhelp: put `organization-user` into the `depends-on` of the value in cache.toml",
            },
        ],
        own: &[],
        embedded: &[&<Vec<Membership> as ::cache_runtime::Rows>::LACKS],
    };
    const HIDDEN: ::cache_runtime::__private::Hidden = ::cache_runtime::__private::Hidden {
        names: &[],
        embedded: &[
            ("organizations", &<Vec<Membership> as ::cache_runtime::Rows>::HIDDEN),
        ],
        flattened: &[],
        itself: &[],
    };
    fn tags(&self, tags: &mut ::cache_runtime::Tags) {
        ::cache_runtime::__private::tag(tags, "user#id", &self.id);
        ::cache_runtime::__private::tag(tags, "organization-user#user_id", &self.id);
        <Vec<Membership> as ::cache_runtime::Rows>::tags(&self.organizations, tags);
    }
}
const _: () = {
    if <Vec<Membership> as ::cache_runtime::Rows>::FILE.hash != 208398383380177034u64 {
        ::core::panic!(
            "`organizations` is to hold rows of `organization-user` as cache.toml has it, but its type is of another cache.toml: a value and what it embeds are of one file"
        );
    }
    if !::cache_runtime::__private::is_same(
        <Vec<Membership> as ::cache_runtime::Rows>::MODEL,
        "organization-user",
    ) {
        ::core::panic!(
            "`organizations` is to hold rows of `organization-user`, but its type holds another model's: name that one in #[cached(embeds = \"…\")]"
        );
    }
    const WANTS: &[::cache_runtime::__private::Want] = &[
        ::cache_runtime::__private::Want {
            hop: "organization-user.organization_id → organization",
            goes_on: false,
            why: "`User` cannot account for its dependency on `organization` (user ← organization-user.user_id, .organization_id → organization): a struct in it that holds `organization-user` rows has neither `organization_id` nor `organization` rows\ncache.toml:16:15 | depends-on = [\"organization\", \"organization-user\"]\ncache.toml:11:34 | references = { user_id = \"user\", organization_id = \"organization\" }\nhelp: add `organization_id` or `organization: Option<Organization>` to that struct;\n      or, if the value does not carry them, write #[cached(dependencies(\"organization\"))] on the struct, and implement `Dependencies` for it:\n          tags.add(tag!(\"organization#id\"), &id);",
        },
    ];
    if let ::core::option::Option::Some(why) = <Vec<
        Membership,
    > as ::cache_runtime::Rows>::LACKS
        .unsaid(WANTS)
    {
        ::core::panic!("{}", why);
    }
};
#[automatically_derived]
impl ::cache_runtime::Model for User {
    type Id = i64;
}
#[automatically_derived]
impl ::cache_runtime::Reported for User {
    fn row_tags(&self, tags: &mut ::cache_runtime::Tags) {
        ::cache_runtime::__private::tag(tags, "user#id", &self.id);
    }
    fn link_tags(&self, _tags: &mut ::cache_runtime::Tags) {}
    fn moved(&self, _old: &Self) -> bool {
        false
    }
}
#[automatically_derived]
impl ::cache_runtime::Cached for User {
    type Lookup = ::core::convert::Infallible;
    const POLICY: ::cache_runtime::__private::Policy = ::cache_runtime::__private::Policy {
        ttl: ::core::time::Duration::from_millis(600000u64),
        jitter: 10u8,
        negative_ttl: ::core::time::Duration::from_millis(30000u64),
        codec: ::cache_runtime::__private::Codec::Json,
        max_value: 1000000usize,
        max_tags: 10000usize,
        strict: false,
        grace: ::core::time::Duration::from_millis(0u64),
        load_timeout: ::core::time::Duration::from_millis(30000u64),
        lease: ::core::time::Duration::from_millis(0u64),
        near: ::core::option::Option::None,
        refresh: false,
        verify: 0u32,
        number: 3usize,
    };
    const NEEDS: &'static [&'static str] = &[
        "organization#id",
        "organization-user#user_id",
    ];
    fn id(&self) -> Self::Id {
        ::core::clone::Clone::clone(&self.id)
    }
    fn is_same(&self, other: &Self) -> ::core::option::Option<bool> {
        use ::cache_runtime::__private::{ByEq as _, Unknown as _};
        (&::cache_runtime::__private::Pair(self, other)).cache_runtime_is_same()
    }
    fn write_key(id: &Self::Id, key: &mut ::cache_runtime::__private::KeyWriter) {
        ::cache_runtime::__private::KeyWriter::literal(key, "app:");
        ::cache_runtime::__private::KeyWriter::literal(key, "user_");
        ::cache_runtime::__private::KeyWriter::part(key, id);
    }
    fn id_tag(id: &Self::Id, tags: &mut ::cache_runtime::Tags) {
        ::cache_runtime::__private::tag(tags, "user#id", id);
    }
    fn absence_tags(id: &Self::Id, tags: &mut ::cache_runtime::Tags) {
        ::cache_runtime::__private::tag(tags, "organization-user#user_id", id);
        ::cache_runtime::Tags::add_some_row(tags, "organization");
    }
}
#[allow(dead_code)]
impl User {
    ///The key under which the row with this id is stored: `app:user_{id}`.
    #[must_use]
    pub fn key(id: i64) -> ::std::string::String {
        ::cache_runtime::__private::key::<Self>(&id)
    }
    /**The row with this id, from the cache or a transaction; `None` when there is none.

# Errors
When it had to be loaded and could not be.*/
    pub async fn get<R: ::cache_runtime::Reader>(
        from: R,
        id: i64,
    ) -> ::core::result::Result<
        ::core::option::Option<::std::sync::Arc<Self>>,
        ::cache_runtime::Error,
    >
    where
        Self: ::cache_runtime::Load<R::Source>,
    {
        ::cache_runtime::Reader::get::<Self>(from, id).await
    }
    /**The rows with these ids, at their positions, from the cache or a transaction.

# Errors
When it had to be loaded and could not be.*/
    pub async fn get_many<R: ::cache_runtime::Reader>(
        from: R,
        ids: &[i64],
    ) -> ::core::result::Result<
        ::std::vec::Vec<::core::option::Option<::std::sync::Arc<Self>>>,
        ::cache_runtime::Error,
    >
    where
        Self: ::cache_runtime::Load<R::Source>,
    {
        ::cache_runtime::Reader::get_many::<Self>(from, ids).await
    }
    /**The row with this id, and how it was come by.

# Errors
When it had to be loaded and could not be.*/
    pub async fn fetch<Db>(
        cache: &::cache_runtime::Cache<Db>,
        id: i64,
    ) -> ::core::result::Result<
        ::cache_runtime::Fetched<::std::sync::Arc<Self>>,
        ::cache_runtime::Error,
    >
    where
        Self: ::cache_runtime::Load<Db>,
        Db: ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        cache.fetch::<Self>(id).await
    }
    /**The rows with these ids, at their positions, and how each was come by.

# Errors
When it had to be loaded and could not be.*/
    pub async fn fetch_many<Db>(
        cache: &::cache_runtime::Cache<Db>,
        ids: &[i64],
    ) -> ::core::result::Result<
        ::std::vec::Vec<::cache_runtime::Fetched<::std::sync::Arc<Self>>>,
        ::cache_runtime::Error,
    >
    where
        Self: ::cache_runtime::Load<Db>,
        Db: ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        cache.fetch_many::<Self>(ids).await
    }
    /**The JSON of the row with this id, as it is stored.

# Errors
When it had to be loaded and could not be.*/
    pub async fn fetch_json<Db>(
        cache: &::cache_runtime::Cache<Db>,
        id: i64,
    ) -> ::core::result::Result<
        ::cache_runtime::Fetched<::cache_runtime::Json>,
        ::cache_runtime::Error,
    >
    where
        Self: ::cache_runtime::Load<Db>,
        Db: ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        cache.fetch_json::<Self>(id).await
    }
    /**The JSON of the rows with these ids, at their positions, as it is stored.

# Errors
When it had to be loaded and could not be.*/
    pub async fn fetch_json_many<Db>(
        cache: &::cache_runtime::Cache<Db>,
        ids: &[i64],
    ) -> ::core::result::Result<
        ::std::vec::Vec<::cache_runtime::Fetched<::cache_runtime::Json>>,
        ::cache_runtime::Error,
    >
    where
        Self: ::cache_runtime::Load<Db>,
        Db: ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        cache.fetch_json_many::<Self>(ids).await
    }
    /**Invalidates what is built from the row with this id, after a write that nobody reported.

# Errors
When the outbox cannot be written, or, without one, the store be reached.*/
    pub async fn invalidate<Db>(
        cache: &::cache_runtime::Cache<Db>,
        id: i64,
    ) -> ::core::result::Result<(), ::cache_runtime::Error>
    where
        Self: ::cache_runtime::Load<Db>,
        Db: ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        cache.invalidate::<Self>(id).await
    }
    /**Does the same, then loads the row for readers to come.

# Errors
When the outbox cannot be written, or, without one, the store be reached; or when it could not be loaded.*/
    pub async fn refresh<Db>(
        cache: &::cache_runtime::Cache<Db>,
        id: i64,
    ) -> ::core::result::Result<(), ::cache_runtime::Error>
    where
        Self: ::cache_runtime::Load<Db>,
        Db: ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        cache.refresh::<Self>(id).await
    }
}

// What `#[derive(Cached)]` makes of this struct and `cache.toml` beside this file.
//
// #[derive(Cached)]
// pub struct Plio {
//     pub id: i64,
//     pub uuid: String,
//     pub name: String,
//     pub video_id: Option<i64>,
//     pub video: Option<Video>,
//     pub created_by: Arc<User>,
//     pub items: Vec<Item>,
// }

#[automatically_derived]
impl ::cache_runtime::Rows for Plio {
    const MODEL: &'static str = "plio";
    const SHAPE: u64 = ::cache_runtime::__private::shape(
        549947793849777050u64,
        &[
            <Option<Video> as ::cache_runtime::Rows>::SHAPE,
            <Arc<User> as ::cache_runtime::Rows>::SHAPE,
            <Vec<Item> as ::cache_runtime::Rows>::SHAPE,
        ],
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
                hop: "plio.video_id → video",
                why: "`Plio` in this reads `video` rows (plio.video_id → video), which the value does not depend on: a change would not be reported\nhelp: put `video` into the `depends-on` of the value in cache.toml",
            },
            ::cache_runtime::__private::Read {
                hop: "plio.created_by_id → user",
                why: "`Plio` in this reads `user` rows (plio.created_by_id → user), which the value does not depend on: a change would not be reported\nhelp: put `user` into the `depends-on` of the value in cache.toml",
            },
            ::cache_runtime::__private::Read {
                hop: "plio ← item.plio_id",
                why: "`Plio` in this reads `item` rows (plio ← item.plio_id), which the value does not depend on: a change would not be reported\nhelp: put `item` into the `depends-on` of the value in cache.toml",
            },
        ],
        own: &[],
        embedded: &[
            &<Option<Video> as ::cache_runtime::Rows>::LACKS,
            &<Arc<User> as ::cache_runtime::Rows>::LACKS,
            &<Vec<Item> as ::cache_runtime::Rows>::LACKS,
        ],
    };
    const HIDDEN: ::cache_runtime::__private::Hidden = ::cache_runtime::__private::Hidden {
        names: &[],
        embedded: &[
            ("video", &<Option<Video> as ::cache_runtime::Rows>::HIDDEN),
            ("created_by", &<Arc<User> as ::cache_runtime::Rows>::HIDDEN),
            ("items", &<Vec<Item> as ::cache_runtime::Rows>::HIDDEN),
        ],
        flattened: &[],
        itself: &[],
    };
    fn tags(&self, tags: &mut ::cache_runtime::Tags) {
        ::cache_runtime::__private::tag(tags, "plio#id", &self.id);
        ::cache_runtime::__private::tag(tags, "video#id", &self.video_id);
        ::cache_runtime::__private::tag(tags, "item#plio_id", &self.id);
        <Option<Video> as ::cache_runtime::Rows>::tags(&self.video, tags);
        <Arc<User> as ::cache_runtime::Rows>::tags(&self.created_by, tags);
        <Vec<Item> as ::cache_runtime::Rows>::tags(&self.items, tags);
    }
}
const _: () = {
    if <Option<Video> as ::cache_runtime::Rows>::FILE.hash != 208398383380177034u64 {
        ::core::panic!(
            "`video` is to hold rows of `video` as cache.toml has it, but its type is of another cache.toml: a value and what it embeds are of one file"
        );
    }
    if !::cache_runtime::__private::is_same(
        <Option<Video> as ::cache_runtime::Rows>::MODEL,
        "video",
    ) {
        ::core::panic!(
            "`video` is to hold rows of `video`, but its type holds another model's: name that one in #[cached(embeds = \"…\")]"
        );
    }
    if <Arc<User> as ::cache_runtime::Rows>::FILE.hash != 208398383380177034u64 {
        ::core::panic!(
            "`created_by` is to hold rows of `user` as cache.toml has it, but its type is of another cache.toml: a value and what it embeds are of one file"
        );
    }
    if !::cache_runtime::__private::is_same(
        <Arc<User> as ::cache_runtime::Rows>::MODEL,
        "user",
    ) {
        ::core::panic!(
            "`created_by` is to hold rows of `user`, but its type holds another model's: name that one in #[cached(embeds = \"…\")]"
        );
    }
    if <Vec<Item> as ::cache_runtime::Rows>::FILE.hash != 208398383380177034u64 {
        ::core::panic!(
            "`items` is to hold rows of `item` as cache.toml has it, but its type is of another cache.toml: a value and what it embeds are of one file"
        );
    }
    if !::cache_runtime::__private::is_same(
        <Vec<Item> as ::cache_runtime::Rows>::MODEL,
        "item",
    ) {
        ::core::panic!(
            "`items` is to hold rows of `item`, but its type holds another model's: name that one in #[cached(embeds = \"…\")]"
        );
    }
    ::cache_runtime::__private::assert_references::<
        Option<i64>,
        <Video as ::cache_runtime::Model>::Id,
    >();
    if <Arc<User> as ::cache_runtime::Rows>::LACKS.id {
        ::core::panic!(
            "`Plio` has no `created_by_id`, and the `user` row in `created_by` has no id: a change of it would not reach the value\nhelp: add one of the two"
        );
    }
    if <Arc<User> as ::cache_runtime::Rows>::LACKS.filtered {
        ::core::panic!(
            "while the `user` row of `created_by` is left out by a filter, nothing in `Plio` tells when it comes back\nhelp: hold `created_by_id` in the struct, or do not filter"
        );
    }
    if <Arc<User> as ::cache_runtime::Rows>::LACKS.id {
        ::core::panic!(
            "the `user` rows in `created_by` have no id: a change of one would not reach the value\nhelp: add the id to that struct"
        );
    }
    const WANTS: &[::cache_runtime::__private::Want] = &[
        ::cache_runtime::__private::Want {
            hop: "item ← question.item_id",
            goes_on: false,
            why: "`Plio` cannot account for its dependency on `question` (plio ← item.plio_id ← question.item_id): a struct in it that holds `item` rows has no id\ncache.toml:24:32 | depends-on = [\"video\", \"item\", \"question\", \"user\"]\ncache.toml:30:16 | references = { item_id = \"item\" }\nhelp: add its id to that struct;\n      or, if the value does not carry them, write #[cached(dependencies(\"question\"))] on the struct, and implement `Dependencies` for it:\n          tags.add(tag!(\"question#item_id\"), &item_id);",
        },
        ::cache_runtime::__private::Want {
            hop: "user ← organization-user.user_id",
            goes_on: true,
            why: "`Plio` cannot account for the `organization` that its `user` is built from (user ← organization-user.user_id, .organization_id → organization): a struct in it that holds `user` rows has no `organization-user` rows, by which the rest is found\ncache.toml:16:15 | depends-on = [\"organization\", \"organization-user\"]\ncache.toml:11:16 | references = { user_id = \"user\", organization_id = \"organization\" }\nhelp: add `organization_users: Vec<OrganizationUser>` to that struct;\n      or, if the value does not carry them, write #[cached(dependencies(\"organization-user\", \"organization\"))] on the struct, and implement `Dependencies` for it:\n          tags.add(tag!(\"organization-user#user_id\"), &user_id);\n          tags.add(tag!(\"organization#id\"), &id);",
        },
        ::cache_runtime::__private::Want {
            hop: "organization-user.organization_id → organization",
            goes_on: false,
            why: "`Plio` cannot account for the `organization` that its `user` is built from (user ← organization-user.user_id, .organization_id → organization): a struct in it that holds `organization-user` rows has neither `organization_id` nor `organization` rows\ncache.toml:16:15 | depends-on = [\"organization\", \"organization-user\"]\ncache.toml:11:34 | references = { user_id = \"user\", organization_id = \"organization\" }\nhelp: add `organization_id` or `organization: Option<Organization>` to that struct;\n      or, if the value does not carry them, write #[cached(dependencies(\"organization\"))] on the struct, and implement `Dependencies` for it:\n          tags.add(tag!(\"organization#id\"), &id);",
        },
    ];
    if let ::core::option::Option::Some(why) = <Option<
        Video,
    > as ::cache_runtime::Rows>::LACKS
        .unsaid(WANTS)
    {
        ::core::panic!("{}", why);
    }
    if let ::core::option::Option::Some(why) = <Arc<
        User,
    > as ::cache_runtime::Rows>::LACKS
        .unsaid(WANTS)
    {
        ::core::panic!("{}", why);
    }
    if let ::core::option::Option::Some(why) = <Vec<
        Item,
    > as ::cache_runtime::Rows>::LACKS
        .unsaid(WANTS)
    {
        ::core::panic!("{}", why);
    }
};
#[automatically_derived]
impl ::cache_runtime::Model for Plio {
    type Id = i64;
}
#[automatically_derived]
impl ::cache_runtime::Reported for Plio {
    fn row_tags(&self, tags: &mut ::cache_runtime::Tags) {
        ::cache_runtime::__private::tag(tags, "plio#id", &self.id);
        ::cache_runtime::__private::tag(tags, "plio#uuid", &self.uuid);
    }
    fn link_tags(&self, _tags: &mut ::cache_runtime::Tags) {}
    fn moved(&self, _old: &Self) -> bool {
        false
    }
}
#[automatically_derived]
impl ::cache_runtime::Cached for Plio {
    type Lookup = PlioLookup;
    const POLICY: ::cache_runtime::__private::Policy = ::cache_runtime::__private::Policy {
        ttl: ::core::time::Duration::from_millis(3600000u64),
        jitter: 10u8,
        negative_ttl: ::core::time::Duration::from_millis(30000u64),
        codec: ::cache_runtime::__private::Codec::Msgpack,
        max_value: 1000000usize,
        max_tags: 10000usize,
        strict: false,
        grace: ::core::time::Duration::from_millis(0u64),
        load_timeout: ::core::time::Duration::from_millis(30000u64),
        lease: ::core::time::Duration::from_millis(0u64),
        near: ::core::option::Option::None,
        refresh: false,
        verify: 0u32,
        number: 4usize,
    };
    const NEEDS: &'static [&'static str] = &[
        "item#plio_id",
        "organization#id",
        "organization-user#user_id",
        "question#item_id",
        "user#id",
        "video#id",
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
        ::cache_runtime::__private::KeyWriter::literal(key, "plio_");
        ::cache_runtime::__private::KeyWriter::part(key, id);
    }
    fn id_tag(id: &Self::Id, tags: &mut ::cache_runtime::Tags) {
        ::cache_runtime::__private::tag(tags, "plio#id", id);
    }
    fn absence_tags(id: &Self::Id, tags: &mut ::cache_runtime::Tags) {
        ::cache_runtime::__private::tag(tags, "item#plio_id", id);
        ::cache_runtime::Tags::add_some_row(tags, "organization");
        ::cache_runtime::Tags::add_some_row(tags, "organization-user");
        ::cache_runtime::Tags::add_some_row(tags, "question");
        ::cache_runtime::Tags::add_some_row(tags, "user");
        ::cache_runtime::Tags::add_some_row(tags, "video");
    }
}
///A column, besides the id, that a [`Plio`] can be got by.
#[derive(
    ::core::fmt::Debug,
    ::core::clone::Clone,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
    ::core::hash::Hash
)]
pub enum PlioLookup {
    ///By `uuid`.
    Uuid(String),
}
#[automatically_derived]
impl ::cache_runtime::Lookup for PlioLookup {
    fn write_key(&self, key: &mut ::cache_runtime::__private::KeyWriter) {
        match self {
            Self::Uuid(value) => {
                ::cache_runtime::__private::KeyWriter::literal(key, "app:");
                ::cache_runtime::__private::KeyWriter::literal(key, "plio_by_uuid_");
                ::cache_runtime::__private::KeyWriter::part(key, value);
            }
        }
    }
    fn tag(&self, tags: &mut ::cache_runtime::Tags) {
        match self {
            Self::Uuid(value) => {
                ::cache_runtime::__private::tag(tags, "plio#uuid", value);
            }
        }
    }
}
#[allow(dead_code)]
impl Plio {
    ///The key under which the row with this id is stored: `app:plio_{id}`.
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
    /**The row with this `uuid`, from the cache or a transaction.

# Errors
When it had to be loaded and could not be.*/
    pub async fn get_by_uuid<R: ::cache_runtime::Reader>(
        from: R,
        value: impl ::core::convert::Into<String>,
    ) -> ::core::result::Result<
        ::core::option::Option<::std::sync::Arc<Self>>,
        ::cache_runtime::Error,
    >
    where
        Self: ::cache_runtime::Find<R::Source>,
    {
        ::cache_runtime::Reader::get_by::<
            Self,
        >(from, PlioLookup::Uuid(::core::convert::Into::<String>::into(value)))
            .await
    }
    /**The row with this `uuid`, and how it was come by.

# Errors
When it had to be loaded and could not be.*/
    pub async fn fetch_by_uuid<Db>(
        cache: &::cache_runtime::Cache<Db>,
        value: impl ::core::convert::Into<String>,
    ) -> ::core::result::Result<
        ::cache_runtime::Fetched<::std::sync::Arc<Self>>,
        ::cache_runtime::Error,
    >
    where
        Self: ::cache_runtime::Find<Db>,
        Db: ::core::marker::Send + ::core::marker::Sync + 'static,
    {
        cache
            .fetch_by::<
                Self,
            >(PlioLookup::Uuid(::core::convert::Into::<String>::into(value)))
            .await
    }
}

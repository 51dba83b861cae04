// What `#[derive(Cached)]` makes of this struct and `cache.toml` beside this file.
//
// #[derive(Cached)]
// #[cached(by("remark.author":String))]
// pub struct Review {
//     pub id: i64,
//     pub video: Option<Video>,
//     pub written_by: Arc<User>,
//     pub remarks: Vec<Remark>,
// }

///The list `reviews-of-video`, with its key.
#[derive(
    ::core::fmt::Debug,
    ::core::clone::Clone,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
    ::core::hash::Hash
)]
pub struct ReviewReviewsOfVideo {
    video_id: <Video as ::cache_runtime::Model>::Id,
}
#[automatically_derived]
impl ::cache_runtime::List for ReviewReviewsOfVideo {
    type Of = Review;
    type Key = <Video as ::cache_runtime::Model>::Id;
    const NAME: &'static str = "reviews-of-video";
    const POLICY: ::cache_runtime::__private::Policy = ::cache_runtime::__private::Policy {
        ttl: ::core::time::Duration::from_millis(300000u64),
        jitter: 10u8,
        negative_ttl: ::core::time::Duration::from_millis(0u64),
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
        number: 9usize,
    };
    const SHAPE: u64 = 8437260467312067261u64;
    const LIMIT: usize = 1000usize;
    const SQL: ::cache_runtime::__private::ListSql = ::cache_runtime::__private::ListSql {
        id: &["t.\"id\""],
        from: "FROM {keys} CROSS JOIN \"review\" AS t WHERE t.\"video_id\" = k.k1 AND t.\"is_hidden\" = FALSE",
        order: "ORDER BY t.\"stars\" DESC NULLS FIRST, t.\"id\" DESC NULLS FIRST",
        steps: &[],
    };
    fn key(&self) -> Self::Key {
        ::core::clone::Clone::clone(&self.video_id)
    }
    fn write_key(&self, key: &mut ::cache_runtime::__private::KeyWriter) {
        ::cache_runtime::__private::KeyWriter::literal(key, "app:");
        ::cache_runtime::__private::KeyWriter::literal(key, "reviews_of_video_");
        ::cache_runtime::__private::KeyWriter::part(key, &self.video_id);
    }
    fn tag(&self, tags: &mut ::cache_runtime::Tags) {
        ::cache_runtime::__private::tag(
            tags,
            "reviews-of-video:review#video_id",
            &self.video_id,
        );
    }
}
#[allow(dead_code)]
impl Review {
    ///`reviews-of-video`: the rows with this `video_id`, ordered by `-stars`, `-id`.
    pub fn reviews_of_video<R: ::cache_runtime::Reader>(
        from: R,
        video_id: <Video as ::cache_runtime::Model>::Id,
    ) -> ::cache_runtime::Listing<R, ReviewReviewsOfVideo> {
        ::cache_runtime::__private::listing(
            from,
            ReviewReviewsOfVideo {
                video_id: video_id,
            },
        )
    }
}
///The list `reviews-remarked-by`, with its key.
#[derive(
    ::core::fmt::Debug,
    ::core::clone::Clone,
    ::core::cmp::PartialEq,
    ::core::cmp::Eq,
    ::core::hash::Hash
)]
pub struct ReviewReviewsRemarkedBy {
    author: String,
}
#[automatically_derived]
impl ::cache_runtime::List for ReviewReviewsRemarkedBy {
    type Of = Review;
    type Key = String;
    const NAME: &'static str = "reviews-remarked-by";
    const POLICY: ::cache_runtime::__private::Policy = ::cache_runtime::__private::Policy {
        ttl: ::core::time::Duration::from_millis(300000u64),
        jitter: 10u8,
        negative_ttl: ::core::time::Duration::from_millis(0u64),
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
        number: 10usize,
    };
    const SHAPE: u64 = 8133053682186001025u64;
    const LIMIT: usize = 100usize;
    const SQL: ::cache_runtime::__private::ListSql = ::cache_runtime::__private::ListSql {
        id: &["t.\"id\""],
        from: "FROM \"review\" AS t WHERE t.\"id\" IN (SELECT j.\"review_id\" FROM {keys} CROSS JOIN \"remark\" AS j WHERE j.\"author\" = k.k1) AND t.\"is_hidden\" = FALSE",
        order: "ORDER BY t.\"id\" ASC NULLS LAST",
        steps: &[
            ::cache_runtime::__private::ListStep {
                tag: "reviews-remarked-by:review#id",
                columns: &["j.\"review_id\""],
                from: "FROM {keys} CROSS JOIN \"remark\" AS j WHERE j.\"author\" = k.k1 AND j.\"review_id\" IS NOT NULL",
            },
        ],
    };
    fn key(&self) -> Self::Key {
        ::core::clone::Clone::clone(&self.author)
    }
    fn write_key(&self, key: &mut ::cache_runtime::__private::KeyWriter) {
        ::cache_runtime::__private::KeyWriter::literal(key, "app:");
        ::cache_runtime::__private::KeyWriter::literal(key, "reviews_remarked_by_");
        ::cache_runtime::__private::KeyWriter::part(key, &self.author);
    }
    fn tag(&self, tags: &mut ::cache_runtime::Tags) {
        ::cache_runtime::__private::tag(
            tags,
            "reviews-remarked-by:remark#author",
            &self.author,
        );
    }
}
#[allow(dead_code)]
impl Review {
    ///`reviews-remarked-by`: the rows with this `remark.author`, ordered by `id`.
    pub fn reviews_remarked_by<R: ::cache_runtime::Reader>(
        from: R,
        author: impl ::core::convert::Into<String>,
    ) -> ::cache_runtime::Listing<R, ReviewReviewsRemarkedBy> {
        ::cache_runtime::__private::listing(
            from,
            ReviewReviewsRemarkedBy {
                author: ::core::convert::Into::<String>::into(author),
            },
        )
    }
}

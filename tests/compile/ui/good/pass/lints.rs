//! What the derive generates survives the strictest crate: no prelude, and every lint denied that a
//! service may deny; clippy's as well, where it is clippy that compiles this.
#![no_implicit_prelude]
#![deny(warnings, unused, future_incompatible, let_underscore, nonstandard_style)]
#![deny(missing_docs, missing_debug_implementations, unsafe_code, rust_2018_idioms)]
#![deny(unreachable_pub, unused_qualifications, unused_results, single_use_lifetimes)]
#![deny(trivial_casts, trivial_numeric_casts, variant_size_differences)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![deny(clippy::missing_docs_in_private_items, clippy::panic, clippy::unwrap_used)]
// It contradicts `unreachable_pub`.
#![allow(clippy::redundant_pub_crate)]

/// The models, one of them private.
mod models {
    /// A model that is only depended on.
    #[derive(
        ::std::fmt::Debug, ::cache_runtime::Cached, ::serde::Serialize, ::serde::Deserialize,
    )]
    pub(crate) struct Video {
        /// The id.
        pub(crate) id: ::std::primitive::i64,
    }

    /// A cached model, with lookups, that nobody gets.
    #[derive(
        ::std::fmt::Debug, ::cache_runtime::Cached, ::serde::Serialize, ::serde::Deserialize,
    )]
    struct Page {
        /// The id.
        id: ::std::primitive::i64,
        /// A reference.
        r#type: ::std::option::Option<::std::primitive::i64>,
        /// A lookup.
        short_name: ::std::string::String,
    }

    /// A cached model with a hook.
    #[derive(
        ::std::fmt::Debug, ::cache_runtime::Cached, ::serde::Serialize, ::serde::Deserialize,
    )]
    #[cached(dependencies("organization"))]
    pub(crate) struct Invoice {
        /// The id.
        pub(crate) id: ::std::primitive::i64,
    }

    impl ::cache_runtime::Dependencies for Invoice {
        fn dependencies(&self, _: &mut ::cache_runtime::Tags) {}
    }

    /// Some of a model's columns.
    #[derive(
        ::std::fmt::Debug, ::cache_runtime::Cached, ::serde::Serialize, ::serde::Deserialize,
    )]
    #[cached(projection = "video")]
    pub(crate) struct Clip {
        /// The id.
        #[cached(column = "id")]
        pub(crate) number: ::std::primitive::i64,
    }

    /// A cached model that embeds rows, and a projection.
    #[derive(
        ::std::fmt::Debug, ::cache_runtime::Cached, ::serde::Serialize, ::serde::Deserialize,
    )]
    pub(crate) struct Playlist {
        /// The id.
        pub(crate) id: ::std::primitive::i64,
        /// A reference.
        pub(crate) intro_id: ::std::option::Option<::std::primitive::i64>,
        /// The row behind it.
        #[cached(embeds = "video")]
        pub(crate) intro: ::std::option::Option<::std::boxed::Box<Clip>>,
        /// More rows.
        pub(crate) outro: ::std::vec::Vec<Video>,
    }

    /// A composite id.
    #[derive(
        ::std::fmt::Debug, ::cache_runtime::Cached, ::serde::Serialize, ::serde::Deserialize,
    )]
    pub(crate) struct Room {
        /// Half of the id.
        pub(crate) tenant: ::std::string::String,
        /// The other half.
        pub(crate) id: ::std::primitive::i64,
        /// A reference.
        pub(crate) owner_id: ::std::primitive::i64,
    }
}

/// What else the file says.
static SCHEMA: ::cache_runtime::Schema = ::cache_runtime::schema!();

fn main() {
    ::std::assert_eq!(models::Playlist::key(1), "app:playlist_1");
    ::std::assert_eq!(models::Invoice::key(1), "app:invoice_1");
    ::std::assert_eq!(SCHEMA.prefix, "app:");
}

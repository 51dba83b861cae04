//! Everything around the mistake: the structs in which nothing is wrong, and what a service does
//! with the one in which something is.
#![allow(dead_code, unused_imports, unused_macros)]

use std::sync::Arc;

pub use cache_runtime::{BoxError, Cache, Cached, Error, Fetched, Find, Load, LoadContext};
pub use serde::{Deserialize, Serialize};

pub struct Db;

#[derive(Cached, Serialize, Deserialize)]
pub struct Image {
    pub id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
pub struct Video {
    pub id: i64,
}

#[derive(Cached, Serialize, Deserialize)]
pub struct Organization {
    pub id: i64,
    pub name: String,
}

#[derive(Cached, Serialize, Deserialize)]
#[cached(projection = "organization-user")]
pub struct Membership {
    pub organization_id: i64,
    pub name: String,
}

#[derive(Cached, Serialize, Deserialize)]
pub struct User {
    pub id: i64,
    #[cached(embeds = "organization-user")]
    pub organizations: Vec<Membership>,
}

#[derive(Cached, Serialize, Deserialize)]
pub struct Item {
    pub id: i64,
    pub details: Option<Question>,
}

#[derive(Cached, Serialize, Deserialize)]
pub struct Question {
    pub id: i64,
    pub image: Option<Image>,
}

/// A loader and a caller of every getter by id.
macro_rules! serve {
    ($model:ident) => {
        impl crate::rest::Load<crate::rest::Db> for $model {
            async fn load(
                _: &crate::rest::LoadContext<crate::rest::Db>,
                ids: &[i64],
            ) -> Result<Vec<$model>, crate::rest::BoxError> {
                let _: Option<&i64> = ids.first();
                Ok(Vec::new())
            }
        }

        #[allow(dead_code)]
        mod served {
            use super::$model;
            use crate::rest::{Cache, Db, Error, Fetched};

            async fn by_id(cache: &Cache<Db>) -> Result<(), Error> {
                let _: Option<std::sync::Arc<$model>> = $model::get(cache, 1).await?;
                let _: Vec<Option<std::sync::Arc<$model>>> =
                    $model::get_many(cache, &[1, "2".parse().unwrap_or(0)]).await?;
                let fetched: Fetched<std::sync::Arc<$model>> = $model::fetch(cache, 1).await?;
                let _: (Option<std::sync::Arc<$model>>, String) =
                    (fetched.value, fetched.status.to_string());
                let _: String = $model::key(1);
                Ok(())
            }

            fn is_send(cache: &Cache<Db>) -> impl Send {
                by_id(cache)
            }
        }
    };
}

/// A finder and a caller of every getter by uuid.
macro_rules! serve_by_uuid {
    ($model:ident, $lookup:ident) => {
        impl crate::rest::Find<crate::rest::Db> for $model {
            async fn find(
                _: &crate::rest::LoadContext<crate::rest::Db>,
                by: &$lookup,
            ) -> Result<Option<i64>, crate::rest::BoxError> {
                match by {
                    $lookup::Uuid(uuid) => Ok(uuid.parse().ok()),
                }
            }
        }

        #[allow(dead_code)]
        async fn by_uuid(
            cache: &crate::rest::Cache<crate::rest::Db>,
        ) -> Result<(), crate::rest::Error> {
            let uuid = || "a".to_owned();
            let _: Option<std::sync::Arc<$model>> = $model::get_by_uuid(cache, uuid()).await?;
            let _: crate::rest::Fetched<std::sync::Arc<$model>> = $model::fetch_by_uuid(cache, uuid()).await?;
            Ok(())
        }
    };
}

pub(crate) use {serve, serve_by_uuid};

serve!(User);

//! Two versions of a service, whose values have a plain struct in them:
//! the later has one more field, with a default.

/// The older.
pub mod old {
    /// No model.
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    #[allow(missing_docs, reason = "it is what it is")]
    pub struct Detail {
        pub length: i64,
    }

    super::version!(|note| Detail { length: note.text.len() as i64 });
}

/// The later.
pub mod new {
    /// No model.
    #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    #[allow(missing_docs, reason = "it is what it is")]
    pub struct Detail {
        pub length: i64,
        #[serde(default)]
        pub first: String,
    }

    super::version!(|note| Detail {
        length: note.text.len() as i64,
        first: note.text.chars().take(1).collect(),
    });
}

/// The same words in both.
macro_rules! version {
    ($detail:expr) => {
        /// A note, and what is worth knowing of it.
        #[derive(
            Clone, Debug, PartialEq, cache_runtime::Cached, serde::Serialize, serde::Deserialize,
        )]
        #[cached(model = "note")]
        #[allow(missing_docs, reason = "the fields are the columns")]
        pub struct Digested {
            pub id: String,
            pub slug: Option<String>,
            pub detail: Option<Vec<Detail>>,
        }

        impl<DB: crate::Base> cache_runtime::Load<sqlx::Pool<DB>> for Digested {
            async fn load(
                cx: &cache_runtime::LoadContext<sqlx::Pool<DB>>,
                ids: &[String],
            ) -> Result<Vec<Digested>, cache_runtime::BoxError> {
                let sql = "SELECT id, slug, text FROM note WHERE id = $1";
                let ids = ids.iter().map(|id| vec![id.into()]);
                let notes: Vec<crate::Note> = crate::rows(cx, sql, ids).await?;
                let detail: fn(&crate::Note) -> Detail = $detail;
                let digested = |note: crate::Note| Digested {
                    detail: Some(vec![detail(&note)]),
                    id: note.id,
                    slug: note.slug,
                };
                Ok(notes.into_iter().map(digested).collect())
            }
        }
    };
}
use version;

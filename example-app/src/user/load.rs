//! How users are loaded on a miss: two statements, however many there are.

use std::collections::HashMap;

use cache_runtime::{BoxError, Load, LoadContext};

use super::{Membership, User};
use crate::Db;
use crate::db::load;

impl Load<Db> for User {
    async fn load(cx: &LoadContext<Db>, ids: &[i64]) -> Result<Vec<User>, BoxError> {
        let mut users: Vec<User> =
            load(cx, r#"SELECT * FROM "user" WHERE id IN ({ids})"#, ids).await?;
        let mut organizations = organizations(cx, ids).await?;
        for user in &mut users {
            user.organizations = organizations.remove(&user.id).unwrap_or_default();
        }
        Ok(users)
    }
}

/// The memberships of each user, in the order in which they were made.
async fn organizations(
    cx: &LoadContext<Db>,
    users: &[i64],
) -> Result<HashMap<i64, Vec<Membership>>, sqlx::Error> {
    #[derive(sqlx::FromRow)]
    struct Row {
        user_id: i64,
        #[sqlx(flatten)]
        membership: Membership,
    }

    let rows: Vec<Row> = load(
        cx,
        "SELECT organization_user.user_id, organization_user.role,
                    organization.id, organization.name, organization.shortcode
             FROM organization_user
             JOIN organization ON organization.id = organization_user.organization_id
             WHERE organization_user.user_id IN ({ids})
             ORDER BY organization_user.id",
        users,
    )
    .await?;

    let mut memberships = HashMap::<_, Vec<_>>::new();
    for row in rows {
        memberships.entry(row.user_id).or_default().push(row.membership);
    }
    Ok(memberships)
}

//! Rows to tell stories about, made by plain SQL, so that nothing is cached yet.

use super::world::World;

/// What the API has, as its paths say it.
pub const NOUNS: [&str; 8] = [
    "plios",
    "users",
    "videos",
    "images",
    "items",
    "questions",
    "organizations",
    "organization-users",
];

/// A plio and all that it is built from.
#[derive(Debug, Clone)]
pub struct Plio {
    pub id: i64,
    pub uuid: String,
    pub video: i64,
    pub user: i64,
    pub organization: i64,
    pub membership: i64,
    /// In time order, each with the question and the image at the same position below.
    pub items: Vec<i64>,
    pub questions: Vec<i64>,
    pub images: Vec<i64>,
}

impl Plio {
    /// Its path in the API.
    pub fn path(&self) -> String {
        format!("/plios/{}", self.id)
    }

    pub fn by_uuid(&self) -> String {
        format!("/plios/by-uuid/{}", self.uuid)
    }

    /// Its key in the store.
    pub fn key(&self) -> String {
        format!("plio_{}", self.id)
    }

    pub fn user_path(&self) -> String {
        format!("/users/{}", self.user)
    }

    /// The id of one of its rows, of this noun of the API.
    pub fn row(&self, noun: &str) -> i64 {
        match noun {
            "plios" => self.id,
            "users" => self.user,
            "videos" => self.video,
            "images" => self.images[0],
            "items" => self.items[0],
            "questions" => self.questions[0],
            "organizations" => self.organization,
            _ => self.membership,
        }
    }

    pub fn user_key(&self) -> String {
        format!("user_{}", self.user)
    }
}

impl World {
    /// A plio with a video, items, a question with an image for each, and
    /// a creator who belongs to one organization.
    pub async fn plio_with_items(&self, items: usize) -> Plio {
        let (user, organization, membership) = self.user_with_organization().await;
        self.plio_by(user, organization, membership, items).await
    }

    /// Several such plios by one creator.
    pub async fn plios_of_one_creator(&self, plios: usize, items: usize) -> Vec<Plio> {
        let (user, organization, membership) = self.user_with_organization().await;
        let mut made = Vec::new();
        for _ in 0..plios {
            made.push(self.plio_by(user, organization, membership, items).await);
        }
        made
    }

    /// A user, an organization, and the membership that joins them.
    pub async fn user_with_organization(&self) -> (i64, i64, i64) {
        let (user, organization) = (self.user().await, self.organization("old organization").await);
        let membership = self.membership(user, organization, "org-admin").await;
        (user, organization, membership)
    }

    pub async fn user(&self) -> i64 {
        let email = format!("{}@example.org", word());
        self.number(format!(
            r#"INSERT INTO "user" (email, first_name, last_name, mobile) VALUES ('{email}', 'old first name', 'Doe', '+91') RETURNING id"#
        ))
        .await
    }

    pub async fn organization(&self, name: &str) -> i64 {
        let shortcode = word();
        self.number(format!("INSERT INTO organization (name, shortcode) VALUES ('{name}', '{shortcode}') RETURNING id")).await
    }

    pub async fn membership(&self, user: i64, organization: i64, role: &str) -> i64 {
        self.number(format!(
            "INSERT INTO organization_user (user_id, organization_id, role) VALUES ({user}, {organization}, '{role}') RETURNING id"
        ))
        .await
    }

    pub async fn video(&self) -> i64 {
        self.number("INSERT INTO video (url, title, duration) VALUES ('https://example.org/v', 'old title', 600) RETURNING id").await
    }

    pub async fn image(&self) -> i64 {
        self.number("INSERT INTO image (url, alt_text) VALUES ('https://example.org/i', 'old alt text') RETURNING id").await
    }

    pub async fn item(&self, plio: i64, time: usize) -> i64 {
        self.number(format!(
            r#"INSERT INTO item (plio_id, type, time, meta) VALUES ({plio}, 'question', {time}, '{{"note": "old"}}') RETURNING id"#
        ))
        .await
    }

    pub async fn question(&self, item: i64, image: i64) -> i64 {
        self.number(format!(
            r#"INSERT INTO question (item_id, type, text, options, image_id)
               VALUES ({item}, 'mcq', 'old text', '["a", "b"]', {image}) RETURNING id"#
        ))
        .await
    }

    async fn plio_by(&self, user: i64, organization: i64, membership: i64, items: usize) -> Plio {
        let (video, uuid) = (self.video().await, word());
        let id = self
            .number(format!(
                "INSERT INTO plio (uuid, name, video_id, created_by_id) VALUES ('{uuid}', 'old name', {video}, {user}) RETURNING id"
            ))
            .await;
        let mut plio = Plio {
            id,
            uuid,
            video,
            user,
            organization,
            membership,
            items: vec![],
            questions: vec![],
            images: vec![],
        };
        for time in 0..items {
            let (item, image) = (self.item(id, time).await, self.image().await);
            let question = self.question(item, image).await;
            plio.items.push(item);
            plio.questions.push(question);
            plio.images.push(image);
        }
        self.deliver_pending().await;
        plio
    }
}

/// Ten lower-case letters that no other row has.
fn word() -> String {
    (0..10).map(|_| fastrand::lowercase()).collect()
}

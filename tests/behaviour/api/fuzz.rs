//! Requests drawn at random, from seeds: none is the server's fault, and whatever is accepted is
//! read back from the cache as it is in the database.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::harness::{Plio, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(random_changes_are_never_the_servers_fault_and_are_read_back),
        story!(whatever_json_a_plio_holds_is_read_back_from_the_cache),
    ]
}

/// Every field of every noun, and some that there are not.
const FIELDS: [(&str, &[&str]); 8] = [
    (
        "plios",
        &[
            "name",
            "video",
            "created_by",
            "status",
            "is_public",
            "failsafe_url",
            "config",
            "uuid",
            "items",
        ],
    ),
    ("users", &["email", "first_name", "last_name", "mobile", "config", "status", "organizations"]),
    ("videos", &["url", "title", "duration"]),
    ("images", &["url", "alt_text", "id"]),
    ("items", &["plio", "type", "time", "meta", "details"]),
    (
        "questions",
        &[
            "item",
            "type",
            "text",
            "options",
            "correct_answer",
            "survey",
            "image",
            "has_char_limit",
            "max_char_limit",
        ],
    ),
    ("organizations", &["name", "shortcode", "created_at"]),
    ("organization-users", &["user", "organization", "role", "is_owner"]),
];

async fn random_changes_are_never_the_servers_fault_and_are_read_back(world: World) {
    for seed in 0..2 {
        let mut random = Rng::with_seed(seed);
        let plios = world.plios_of_one_creator(2, 2).await;
        for step in 0..60 {
            let (noun, fields) = FIELDS[random.usize(..FIELDS.len())];
            let mut body = Map::new();
            for _ in 0..=random.u8(..3) {
                let field = fields[random.usize(..fields.len())];
                body.insert(field.to_owned(), value(&mut random, 0));
            }
            let plio = &plios[random.usize(..plios.len())];
            let (body, row) = (Value::Object(body), row(&mut random, plio, noun));
            let answer = match random.u8(..4) {
                0 => world.post(&format!("/{noun}"), body.clone()).await,
                _ => world.patch(&format!("/{noun}/{row}"), body.clone()).await,
            };
            let what = format!("seed {seed}, step {step}: {} {body}", answer.what);
            assert!(answer.status < 500, "{what}: {} {}", answer.status, answer.text);
            for plio in &plios {
                let shown = world.right(&plio.path()).await;
                assert!(shown.status == 200, "{what}: then {} {}", shown.status, shown.text);
            }
        }
        world.right("/plios").await.is(200);
        world.right("/users").await.is(200);
    }
}

async fn whatever_json_a_plio_holds_is_read_back_from_the_cache(world: World) {
    let plio = world.plio_with_items(1).await;
    let (item, question) =
        (format!("/items/{}", plio.items[0]), format!("/questions/{}", plio.questions[0]));
    let texts = [
        "",
        " ",
        "\"quoted\" \\ \u{1} \u{7f}",
        "naïve ☃ 😀 \u{202e}",
        "</script>",
        "plio#id=1",
        "null",
    ];
    for text in texts {
        let config = json!({text: [text, {"nested": {text: text}}]});
        world
            .patch(&plio.path(), json!({"name": text, "config": config}))
            .await
            .is(200)
            .says("/name", text);
        world
            .patch(&question, json!({"text": text, "options": [text, null, [], {}]}))
            .await
            .is(200);
        hit_is_right(&world, &plio).await;
    }
    for number in numbers() {
        world.patch(&item, json!({"meta": {"number": number, "list": [number]}})).await.is(200);
        world.patch(&question, json!({"correct_answer": number})).await.is(200);
        hit_is_right(&world, &plio).await;
        let time = world.patch(&item, json!({"time": number})).await;
        assert!(time.status < 500, "time {number}: {} {}", time.status, time.text);
        hit_is_right(&world, &plio).await;
    }
    for json in [
        Value::Null,
        json!({}),
        json!([]),
        json!(true),
        json!("text"),
        json!([[[[]]]]),
        json!({"": {"": ""}}),
    ] {
        for change in [json!({"config": json}), json!({"config": {"inside": json}})] {
            let answer = world.patch(&plio.path(), change.clone()).await;
            assert!(answer.status < 500, "{change}: {} {}", answer.status, answer.text);
        }
        let answer = world.patch(&question, json!({"correct_answer": json})).await;
        assert!(answer.status < 500, "{json}: {} {}", answer.status, answer.text);
        hit_is_right(&world, &plio).await;
    }
}

fn numbers() -> [Value; 9] {
    [
        json!(0),
        json!(-0.0),
        json!(0.1),
        json!(1e-7),
        json!(1e300),
        json!(123_456_789.123_456_79),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(9007199254740993_i64),
    ]
}

async fn hit_is_right(world: &World, plio: &Plio) {
    world.get(&plio.path()).await.is(200);
    world.kept(&plio.path()).await.is(200);
}

/// An id, mostly of a row that there is.
fn row(random: &mut Rng, plio: &Plio, noun: &str) -> i64 {
    match noun {
        _ if random.u8(..10) == 0 => random.i64(..),
        "plios" => plio.id,
        "users" => plio.user,
        "videos" => plio.video,
        "images" => plio.images[random.usize(..2)],
        "items" => plio.items[random.usize(..2)],
        "questions" => plio.questions[random.usize(..2)],
        "organizations" => plio.organization,
        _ => plio.membership,
    }
}

fn value(random: &mut Rng, depth: u8) -> Value {
    match random.u8(..if depth < 3 { 16 } else { 13 }) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(1..5)),
        3 => json!(random.i64(..)),
        4 => json!(random.u64(..)),
        5 => json!(random.f64()),
        6 => json!((random.f64() - 0.5) * 1e300),
        7 => json!(""),
        8 => json!("x".repeat(random.usize(200..400))),
        9 => json!("with NUL \u{0}"),
        10 => json!("😀 ' \" \\ ; --"),
        11 => json!(random.i64(1..5).to_string()),
        12 => json!((0..5).map(|_| random.char('\u{1}'..'\u{d7ff}')).collect::<String>()),
        13 => (0..random.u8(..4)).map(|_| value(random, depth + 1)).collect(),
        _ => {
            let members =
                (0..random.u8(..4)).map(|n| (format!("member {n}"), value(random, depth + 1)));
            Value::Object(members.collect())
        }
    }
}

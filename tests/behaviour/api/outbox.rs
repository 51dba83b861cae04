//! Rows of the outbox that nobody expects, and foreign values where Redis keeps an index.

use crate::harness::soon::{SOON, nothing_waits, sees_soon};
use crate::harness::{Plio, Seen, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(rows_that_cannot_be_tags_are_dead_lettered)
            .without_relay("each row is to be delivered by the relay that it looks at"),
        story!(a_foreign_value_in_place_of_an_index_is_no_hindrance).on_redis(),
    ]
}

/// Rows that somebody inserts by hand: what the tag is, and whether a value could have it. Any text
/// could: the model may be one of a newer version of the service.
fn odd_rows(postgres: bool) -> Vec<(&'static str, bool)> {
    let mut rows = vec![
        ("(tag) VALUES ('')", false),
        ("(tag) VALUES ('ghost#id=1')", true),
        ("(tag) VALUES ('nonsense')", true),
        ("(tag) VALUES ('ghost#id=\n''\"{}%*[]')", true),
    ];
    rows.extend(if postgres {
        [
            ("(tag) VALUES (repeat('x', 10000000))", false),
            ("(tag) VALUES (repeat('x', 8192))", true),
            ("(tag) VALUES (repeat('x', 8193))", false),
            ("(tag) VALUES (repeat('é', 4097))", false),
            ("(tag, created_at) VALUES ('ghost#id=2', 'infinity')", true),
            ("(tag, created_at) VALUES ('ghost#id=3', '-infinity')", true),
            ("(tag, created_at) VALUES ('ghost#id=4', '4713-01-01 BC')", true),
            ("(tag, writer) VALUES ('ghost#id=5', -1)", true),
        ]
    } else {
        [
            ("(tag) VALUES (hex(zeroblob(5000000)))", false),
            ("(tag) VALUES (hex(zeroblob(4096)))", true),
            ("(tag) VALUES (hex(zeroblob(4096)) || 'é')", false),
            ("(tag) VALUES (x'766964656f')", false),
            // In a column of text it becomes a text.
            ("(tag) VALUES (42)", true),
            ("(tag) VALUES (CAST(x'ff23' AS TEXT))", false),
            ("(tag, created_at) VALUES ('ghost#id=2', 'yesterday'), ('ghost#id=3', 9e999)", true),
            ("(tag, created_at) VALUES ('ghost#id=4', x'00ff'), ('ghost#id=5', -9e999)", true),
        ]
    });
    rows
}

async fn rows_that_cannot_be_tags_are_dead_lettered(world: World) {
    let plio = world.plio_with_items(1).await;
    let app = world.relaying_app().await;
    app.warm(&plio.path()).await;
    let last = "SELECT coalesce(max(id), 0) FROM cache_outbox";

    let mut tx = world.begin_elsewhere().await;
    tx.run(retitle(&plio, "new title")).await;
    for (row, _) in odd_rows(world.is_postgres()) {
        tx.run(format!("INSERT INTO cache_outbox {row}")).await;
    }
    tx.run("UPDATE organization SET name = 'new organization'").await;
    let before = world.number(last).await;
    tx.commit().await;

    sees_soon(&world, &app, &plio.path(), SOON).await;
    nothing_waits(&world, SOON).await;
    let answer = world.right_from(&app, &plio.path()).await;
    answer
        .says("/video/title", "new title")
        .says("/created_by/organizations/0/name", "new organization");

    let unfit = match world.is_postgres() {
        true => "octet_length(tag) NOT BETWEEN 1 AND 8192",
        false => {
            "typeof(tag) <> 'text' OR length(CAST(tag AS BLOB)) NOT BETWEEN 1 AND 8192 OR tag = CAST(x'ff23' AS TEXT)"
        }
    };
    let unfit = format!("SELECT id FROM cache_outbox WHERE id > {before} AND ({unfit})");
    let unfit = world.numbers(unfit).await;
    let expected = odd_rows(world.is_postgres());
    let expected = expected.iter().filter(|(_, fit)| !fit).count();
    assert_eq!(unfit.len(), expected, "of the rows that were inserted");
    for id in unfit {
        let told = app.events.count(|seen| *seen == Seen::DeadLettered(id));
        assert_eq!(told, 1, "row {id} is dead-lettered once");
    }
    let told = app.events.count(|seen| matches!(seen, Seen::DeadLettered(_)));
    assert_eq!(told, expected, "and no other");
    for tag in ["ghost#id=1", "nonsense", "ghost#id=2", "ghost#id=5"] {
        let told = |seen: &Seen| matches!(seen, Seen::Invalidated(tags) if tags.iter().any(|told| told == tag));
        assert!(app.events.count(told) > 0, "{tag:?} is delivered");
    }

    // It goes on as ever.
    app.warm(&plio.path()).await;
    world.sql(retitle(&plio, "newer title")).await;
    sees_soon(&world, &app, &plio.path(), SOON).await;
}

async fn a_foreign_value_in_place_of_an_index_is_no_hindrance(world: World) {
    let (plio, other) = (world.plio_with_items(1).await, world.plio_with_items(1).await);
    let app = world.relaying_app().await;
    let index = format!("cache:index:video#id={}", plio.video);
    for (round, foreign) in ["SET {} foreign", "HSET {} field foreign"].iter().enumerate() {
        let foreign = foreign.replace("{}", &index);
        app.warm(&other.path()).await;
        app.warm(&plio.path()).await;
        // The second time nothing of the plio is stored.
        for time in ["once", "twice"] {
            world.redis_command(&format!("DEL {index}")).await;
            world.redis_command(&foreign).await;
            let title = format!("round {round}, {time}");
            world.sql(retitle(&plio, &title)).await;
            let answer = sees_soon(&world, &app, &plio.path(), SOON).await;
            answer.says("/video/title", title);
            world.right_from(&app, &other.path()).await.is(200);
        }
        nothing_waits(&world, SOON).await;
        // What was voided is cached again.
        app.warm(&other.path()).await;
        app.warm(&plio.path()).await;
    }
}

fn retitle(plio: &Plio, title: &str) -> String {
    format!("UPDATE video SET title = '{title}' WHERE id = {}", plio.video)
}

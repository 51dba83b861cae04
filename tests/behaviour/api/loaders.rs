//! Loaders that write themselves, where the database is not what they were written for.

use cache_runtime::MemoryStore;
use example_app::{Cache, Plio, SCHEMA, User};

use crate::harness::{Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(what_a_loader_names_is_there_before_the_first_miss).in_memory(),
        story!(a_column_of_another_type_is_said_before_the_first_miss).in_memory().on_postgres(),
    ]
}

async fn cache(world: &World) -> Cache {
    let builder = example_app::cache_builder(world.db().clone()).relay(false);
    builder.store(MemoryStore::new(&SCHEMA)).build().await.expect("a cache")
}

async fn what_a_loader_names_is_there_before_the_first_miss(world: World) {
    let cache = cache(&world).await;
    cache.prepare::<Plio>().await.expect("everything is there");
    cache.prepare::<User>().await.expect("everything is there");

    // However deep in the plio it is.
    world.sql("ALTER TABLE image RENAME alt_text TO text").await;
    let error = cache.prepare::<Plio>().await.expect_err("it is not there").to_string();
    assert!(error.contains("alt_text") && error.contains("SELECT k.n"), "{error}");
    cache.prepare::<User>().await.expect("it has no image");

    world.sql("ALTER TABLE image RENAME text TO alt_text").await;
    cache.prepare::<Plio>().await.expect("it is there again");
}

async fn a_column_of_another_type_is_said_before_the_first_miss(world: World) {
    let cache = cache(&world).await;
    for (change, said) in [
        (
            "ALTER TABLE item ALTER time TYPE text",
            "`item.time` is of type TEXT, and the struct reads FLOAT8",
        ),
        (
            "ALTER TABLE organization ALTER shortcode DROP DEFAULT, ALTER shortcode TYPE integer USING 1",
            "`organization.shortcode` is of type INT4, and the struct reads TEXT",
        ),
    ] {
        world.sql(change).await;
        let all = [cache.prepare::<Plio>().await, cache.prepare::<User>().await];
        let errors = all.map(|it| it.err().map(|error| error.to_string()).unwrap_or_default());
        assert!(errors.iter().any(|error| error.contains(said)), "{errors:?}");
    }
}

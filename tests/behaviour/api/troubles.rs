//! Redis that answers, but not as it should: it refuses writes, loses
//! connections or scripts, or holds bytes that nobody wrote.

use serde_json::json;

use crate::harness::soon::until_hit;
use crate::harness::{Plio, Story, World, story};

pub fn stories() -> Vec<Story> {
    vec![
        story!(a_redis_out_of_memory_serves_nothing_old).own_redis(),
        story!(a_redis_that_became_a_replica_serves_nothing_old).own_redis(),
        story!(a_redis_without_enough_replicas_serves_nothing_old).own_redis(),
        story!(a_redis_that_cannot_persist_serves_nothing_old).own_redis(),
        story!(a_redis_that_cuts_connections_serves_nothing_old).own_redis(),
        story!(a_redis_that_forgot_the_scripts_goes_on).own_redis(),
        story!(broken_entries_are_misses).on_redis().without_near(),
        story!(an_evicted_edge_is_not_lost).on_redis(),
        story!(a_redis_that_evicted_an_edge_is_a_cache_again).on_redis(),
        story!(an_evicted_fence_lets_nothing_old_in).on_redis().without_near(),
        story!(a_redis_that_evicts_at_random_serves_nothing_old).on_redis(),
    ]
}

async fn a_redis_out_of_memory_serves_nothing_old(world: World) {
    let plio = warm_plio(&world).await;
    let used = "CONFIG SET maxmemory 1";
    writes_are_right_while(&world, &plio, used, "CONFIG SET maxmemory 0").await;
}

async fn a_redis_that_became_a_replica_serves_nothing_old(world: World) {
    let plio = warm_plio(&world).await;
    // Of a server that is not there: it keeps its memory, answers reads, and refuses writes.
    let replica = "REPLICAOF 127.0.0.1 1";
    writes_are_right_while(&world, &plio, replica, "REPLICAOF NO ONE").await;
}

async fn a_redis_without_enough_replicas_serves_nothing_old(world: World) {
    let plio = warm_plio(&world).await;
    let alone = "CONFIG SET min-replicas-to-write 1";
    writes_are_right_while(&world, &plio, alone, "CONFIG SET min-replicas-to-write 0").await;
}

async fn a_redis_that_cannot_persist_serves_nothing_old(world: World) {
    let plio = warm_plio(&world).await;
    // A snapshot that fails makes Redis refuse writes until one succeeds.
    world.redis().forbid_snapshots();
    world.redis_command("BGSAVE").await;
    while !world.redis_command("INFO persistence").await.contains("rdb_last_bgsave_status:err") {
        tokio::task::yield_now().await;
    }
    let nothing = "ECHO nothing";
    writes_are_right_while(&world, &plio, nothing, "CONFIG SET stop-writes-on-bgsave-error no")
        .await;
}

async fn a_redis_that_cuts_connections_serves_nothing_old(world: World) {
    let plio = warm_plio(&world).await;
    for round in 0..5 {
        let title = format!("round {round}");
        world.cut_redis_connections().await;
        change_title(&world, &plio, &title).await;
        world.right(&plio.path()).await.is(200).says("/video/title", title);
        world.cut_redis_connections().await;
        world.right(&plio.path()).await.is(200);
        until_hit(&world, &world, &plio.path()).await;
    }
}

async fn a_redis_that_forgot_the_scripts_goes_on(world: World) {
    let plio = warm_plio(&world).await;
    for title in ["first", "second"] {
        world.redis_command("SCRIPT FLUSH").await;
        change_title(&world, &plio, title).await;
        world.entry_is_gone_or_says(&plio.key(), title).await;
        world.redis_command("SCRIPT FLUSH").await;
        world.get(&plio.path()).await.ok().miss().says("/video/title", title);
        world.kept(&plio.path()).await;
    }
}

async fn broken_entries_are_misses(world: World) {
    let (plio, other) = (world.plio_with_items(1).await, world.plio_with_items(2).await);
    world.warm(&plio.path()).await;
    world.warm(&other.path()).await;
    let good = world.entry(&plio.key()).await.expect("an entry");
    let mut broken: Vec<Vec<u8>> =
        vec![b"".to_vec(), b"nonsense".to_vec(), b"{}".to_vec(), vec![0xff; 5_000]];
    for length in [1, 10, 24, 25, 40, 60, good.len() / 2, good.len() - 1] {
        broken.push(good[..length].to_vec());
    }
    // Bits of the line and of the header.
    for flipped in [0, 23, 24, 25, 26, 34, 35] {
        let mut bytes = good.clone();
        bytes[flipped] ^= 0x55;
        broken.push(bytes);
    }
    for bytes in broken {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        world.set_entry(&plio.key(), &bytes).await;
        let answer = world.right(&plio.path()).await;
        assert!(answer.status == 200, "{} after {shown:?}", answer.status);
        world.kept(&plio.path()).await;
    }
    for command in ["LPUSH", "SADD"] {
        world.redis_command(&format!("DEL {}", plio.key())).await;
        world.redis_command(&format!("{command} {} x", plio.key())).await;
        world.right(&plio.path()).await.is(200);
        world.kept(&plio.path()).await;
    }
}

/// Redis may be told to evict what it likes (`allkeys-lru`), also what the cache needs to
/// invalidate. Here it loses each single key in turn that is not a value.
async fn an_evicted_edge_is_not_lost(world: World) {
    let plios = world.plios_of_one_creator(2, 1).await;
    let mut lost = 0;
    loop {
        world.right(&plios[0].path()).await;
        world.right(&plios[0].path()).await;
        world.redis_command(&format!("DEL {}", plios[1].key())).await;
        let edges = edges(&world).await;
        let Some(edge) = edges.get(lost) else { break };
        world.redis_command(&format!("DEL {edge}")).await;

        // Another value with the same edges is stored before anybody could have noticed.
        if lost % 2 == 0 {
            world.right(&plios[1].path()).await.is(200);
        }
        let title = format!("without {edge}");
        change_title(&world, &plios[0], &title).await;
        let organization = format!("/organizations/{}", plios[0].organization);
        world.patch(&organization, json!({"name": title})).await.is(200);
        for plio in &plios {
            let answer = world.right(&plio.path()).await;
            answer.says("/created_by/organizations/0/name", title.clone());
        }
        world.right(&plios[0].path()).await.says("/video/title", title);
        lost += 1;
    }
    assert!(lost > 3, "there are edges to lose");
}

/// Noticing it may void everything, once; then values are stored and hit again.
async fn a_redis_that_evicted_an_edge_is_a_cache_again(world: World) {
    let plio = warm_plio(&world).await;
    for edge in edges(&world).await {
        for refilled_before in [true, false] {
            until_hit(&world, &world, &plio.path()).await;
            world.redis_command(&format!("DEL {edge}")).await;
            if refilled_before {
                world.redis_command(&format!("DEL {}", plio.key())).await;
                world.right(&plio.path()).await.is(200);
            }
            change_title(&world, &plio, &format!("without {edge}")).await;
            for _ in 0..3 {
                world.right(&plio.path()).await.is(200);
            }
            assert!(
                world.right(&plio.path()).await.is_hit(),
                "without {edge} nothing is stored any more"
            );
        }
    }
}

/// Likewise while a load is on its way whose fill must be refused.
async fn an_evicted_fence_lets_nothing_old_in(world: World) {
    let plio = warm_plio(&world).await;
    change_title(&world, &plio, "first").await;
    for (lost, edge) in edges(&world).await.into_iter().enumerate() {
        world.redis_command(&format!("DEL {}", plio.key())).await;
        let hold = world.events.hold_after_load(&plio.key());
        let reader = world.get_meanwhile(&plio.path());
        hold.reached().await;
        let title = format!("{lost}, without {edge}");
        change_title(&world, &plio, &title).await;
        world.redis_command(&format!("DEL {edge}")).await;
        hold.release();
        reader.await.expect("answered").ok();
        world.right(&plio.path()).await.says("/video/title", title);
    }
}

/// Likewise at random, several at a time, values among them.
async fn a_redis_that_evicts_at_random_serves_nothing_old(world: World) {
    let mut random = fastrand::Rng::with_seed(7);
    let plios = world.plios_of_one_creator(4, 1).await;
    for step in 0..60 {
        let plio = &plios[random.usize(..plios.len())];
        match random.u8(..6) {
            0 => change_title(&world, plio, &format!("step {step}")).await,
            1 => {
                let organization = format!("/organizations/{}", plio.organization);
                world.patch(&organization, json!({"name": format!("step {step}")})).await.is(200);
            }
            2 => {
                let home = plios[random.usize(..plios.len())].id;
                world
                    .patch(&format!("/items/{}", plio.items[0]), json!({"plio": home}))
                    .await
                    .is(200);
            }
            3 => {
                let mut keys = world.redis_keys().await;
                random.shuffle(&mut keys);
                for key in keys.iter().take(random.usize(1..4)) {
                    world.redis_command(&format!("DEL {key}")).await;
                }
            }
            _ => {}
        }
        for plio in &plios {
            world.right(&plio.path()).await.is(200);
        }
        world.right(&plios[0].user_path()).await.is(200);
    }
}

/// The keys that are not values.
async fn edges(world: &World) -> Vec<String> {
    let mut keys = world.redis_keys().await;
    keys.retain(|key| !key.starts_with("plio_") && !key.starts_with("user_"));
    keys
}

async fn warm_plio(world: &World) -> Plio {
    let plio = world.plio_with_items(1).await;
    world.warm(&plio.path()).await.says("/video/title", "old title");
    plio
}

async fn change_title(world: &World, plio: &Plio, title: &str) {
    let video = format!("/videos/{}", plio.video);
    world.patch(&video, json!({"title": title})).await.is(200);
}

/// Writes and reads in turn while Redis is in trouble, and after it.
async fn writes_are_right_while(world: &World, plio: &Plio, trouble: &str, over: &str) {
    world.redis_command(trouble).await;
    for round in 0..5 {
        let title = format!("in trouble, {round}");
        change_title(world, plio, &title).await;
        for _ in 0..3 {
            let answer = world.right(&plio.path()).await;
            answer.is(200).says("/video/title", title.clone());
        }
        world.right(&plio.by_uuid()).await.is(200);
    }
    world.redis_command(over).await;
    world.right(&plio.path()).await.is(200);
    until_hit(world, world, &plio.path()).await;
    change_title(world, plio, "afterwards").await;
    world.right(&plio.path()).await.says("/video/title", "afterwards");
    until_hit(world, world, &plio.path()).await;
}

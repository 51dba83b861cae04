//! Several processes through one fail-over: what one of them has told a server,
//! the others tell the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::{change, comes_back, replica, warm_plios};
use crate::harness::soon::until_hit;
use crate::harness::{Proxy, Story, World, story};

pub fn stories() -> [Story; 4] {
    [
        story!(two_processes_through_the_same_fail_over),
        story!(rows_marked_while_another_makes_up_for_a_fail_over_are_not_lost),
        story!(what_the_old_server_was_told_after_the_fail_over_is_told_to_the_new),
        story!(what_one_server_was_told_is_told_to_the_next_as_well),
    ]
}

async fn two_processes_through_the_same_fail_over(world: World) {
    let plios = warm_plios(&world).await;
    let others = [world.relaying_app().await, world.relaying_app().await];
    let replica = replica(&world).await;
    replica.detach().await;
    for plio in &plios[..2] {
        change(&others[0], plio, "new").await;
    }
    let over = Arc::new(AtomicBool::new(false));
    let readers = others.clone().map(|app| {
        let (world, plios, over) = (world.clone(), plios.clone(), Arc::clone(&over));
        tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                for plio in &plios[..2] {
                    world.right_from(&app, &plio.path()).await.says("/name", "new");
                }
            }
        })
    });
    for app in &others {
        app.events.forget();
    }
    replica.take_the_place_of(world.redis()).await;
    // Written by one while neither has found the new server.
    change(&others[1], &plios[2], "new").await;
    for app in &others {
        comes_back(&world, app, &plios[..2]).await;
        until_hit(&world, app, &plios[0].path()).await;
    }
    over.store(true, Ordering::SeqCst);
    for reader in readers {
        reader.await.unwrap_or_else(|failure| std::panic::resume_unwind(failure.into_panic()));
    }
    for app in &others {
        world.right_from(app, &plios[2].path()).await.says("/name", "new");
        app.get(&plios[3].path()).await.ok().hit();
    }
}

/// One process looks first at what was delivered and then at what waits; what another delivered to
/// the server that died must not slip from here to there in between.
async fn rows_marked_while_another_makes_up_for_a_fail_over_are_not_lost(world: World) {
    let plios = warm_plios(&world).await;
    let writer = world.another_app().await;
    let replica = replica(&world).await;
    replica.detach().await;
    change(&writer, &plios[0], "new").await;
    // The last thing that the dying server is told, and not yet marked.
    let marks = writer.events.hold_after_invalidation(&format!("plio#id={}", plios[1].id));
    let writes = writer.patch_meanwhile(&plios[1].path(), json!({"name": "new"}));
    marks.reached().await;

    let again = world.events.hold_after_invalidation(&format!("plio#id={}", plios[0].id));
    world.events.forget();
    replica.take_the_place_of(world.redis()).await;
    let reader = world.get_meanwhile(&plios[3].path()); // finds that the server is gone
    again.reached().await;
    marks.release();
    writes.await.expect("answered").is(200);
    again.release();
    reader.await.expect("answered").ok();

    comes_back(&world, &world, &plios[..2]).await;
    for plio in &plios[..2] {
        world.right(&plio.path()).await.says("/name", "new");
    }
    world.get(&plios[2].path()).await.ok().hit();
}

/// One process follows the fail-over at once, another some time
/// later: until then it tells the old server.
async fn what_the_old_server_was_told_after_the_fail_over_is_told_to_the_new(world: World) {
    let plios = warm_plios(&world).await;
    let proxy = Proxy::to(world.redis().port()).await;
    let first = world.app_at(&proxy.redis_url(), |builder| builder).await;
    let replica = replica(&world).await;
    replica.detach().await;
    first.events.forget();
    proxy.turn_to(replica.port());
    comes_back(&world, &first, &[]).await;
    first.get(&plios[0].path()).await.ok().hit();

    change(&world, &plios[0], "new").await;
    world.events.forget();
    replica.take_the_place_of(world.redis()).await;
    comes_back(&world, &world, &[]).await;
    for app in [&*world, &first] {
        world.right_from(app, &plios[0].path()).await.says("/name", "new");
        app.get(&plios[1].path()).await.ok().hit();
    }
}

/// Neither of two replicas has heard of a write. That the first was told of
/// it when it took over, does not help the second.
async fn what_one_server_was_told_is_told_to_the_next_as_well(world: World) {
    let plios = warm_plios(&world).await;
    let proxy = Proxy::to(world.redis().port()).await;
    let app = world.app_at(&proxy.redis_url(), |builder| builder).await;
    let replicas = [replica(&world).await, replica(&world).await];
    for replica in &replicas {
        replica.detach().await;
    }
    change(&app, &plios[0], "new").await;
    for replica in &replicas {
        app.events.forget();
        proxy.turn_to(replica.port());
        comes_back(&world, &app, &plios[..1]).await;
        let answer = world.right_from(&app, &plios[0].path()).await;
        answer.says("/name", "new");
    }
}

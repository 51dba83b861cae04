//! A run: starts everything, lets faults happen, and checks what is read meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chaos_service::models::SCHEMA;
use chaos_service::record::{Line, Orders};
use clap::ValueEnum;
use fastrand::Rng;
use tokio::time::sleep;

use crate::arguments::Arguments;
use crate::checker::Bounds;
use crate::faults::Fault;
use crate::history::History;
use crate::memory;
use crate::summary::Summary;
use crate::world::{PATIENCE, World};

/// How often what is complete is checked.
const CHECK_EVERY: Duration = Duration::from_millis(50);
/// Before the first fault, so that there is something cached.
const WARM_UP: Duration = Duration::from_secs(1);
/// Between two faults, in ms.
const CALM: std::ops::Range<u64> = 300..1500;

/// Runs, without this mechanism if one is named; returns whether every
/// read was allowed, and nothing else went wrong.
pub async fn run(arguments: &Arguments, without: Option<&str>) -> bool {
    let seed = arguments.seed.unwrap_or_else(|| fastrand::u64(..1 << 32));
    let mut rng = Rng::with_seed(seed);
    match without {
        Some(mechanism) => eprintln!("seed {seed}, without {mechanism}"),
        None => eprintln!("seed {seed}"),
    }
    let history = Arc::new(History::new(Bounds::of(&SCHEMA)));
    let orders = Orders {
        process: 0,
        line: Line::Main,
        database: String::new(),
        redis: String::new(),
        reads_per_second: arguments.reads_per_second,
        seed,
        without: without.map(str::to_owned),
    };
    let mut world = World::start(orders, history.clone()).await;
    let deck = arguments.deck(without);
    if deck == [Fault::Full] {
        world.full_for = memory::long(arguments.time());
    }
    let began = Instant::now();
    eprintln!("{:6.1} s  all processes serve", 0.0);

    let mut faults = BTreeMap::new();
    let checking = async {
        while history.check() && began.elapsed() < arguments.time() {
            sleep(CHECK_EVERY).await;
        }
    };
    let came_back = tokio::select! {
        () = checking => true,
        came_back = trouble(&mut world, deck, &mut rng, began, &mut faults) => came_back,
    };

    tokio::task::block_in_place(|| {
        for process in &mut world.processes {
            // It may have been stopped.
            process.go_on();
            process.end();
        }
    });
    history.check();
    let summary = Summary::of(&history, seed, without, began.elapsed(), faults);
    print!("{summary}");
    came_back && summary.violations == 0 && summary.problems.is_empty()
}

/// One fault after the other, for ever; returns, with false, when a process does not recover: it is
/// to be answered by its store, and to store values.
async fn trouble(
    world: &mut World,
    deck: Vec<Fault>,
    rng: &mut Rng,
    began: Instant,
    faults: &mut BTreeMap<Fault, u64>,
) -> bool {
    if deck.is_empty() {
        return std::future::pending().await;
    }
    sleep(WARM_UP).await;
    let mut left = Vec::new();
    loop {
        if left.is_empty() {
            left.clone_from(&deck);
            rng.shuffle(&mut left);
        }
        let Some(fault) = left.pop() else {
            continue;
        };
        let name = fault.to_possible_value();
        let name = name.as_ref().map_or("", |value| value.get_name());
        eprintln!("{:6.1} s  {name}", began.elapsed().as_secs_f64());
        let happened = Instant::now();
        fault.happen(world, rng).await;
        *faults.entry(fault).or_default() += 1;
        let over = happened.elapsed();
        if !world.history.all_in_use(PATIENCE).await {
            println!("{name}: a process is not answered by its store again within {PATIENCE:?}");
            return false;
        }
        if let Err(who) = world.history.all_store(false, PATIENCE).await {
            println!("{name}: process {who:?} stores nothing again within {PATIENCE:?}");
            return false;
        }
        eprintln!(
            "{:6.1} s    over after {:.1} s, all in use {:.1} s later",
            began.elapsed().as_secs_f64(),
            over.as_secs_f64(),
            (happened.elapsed() - over).as_secs_f64(),
        );
        sleep(Duration::from_millis(rng.u64(CALM))).await;
    }
}

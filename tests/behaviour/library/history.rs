//! Strict: a history of many readers and writers at once, checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ledger::Base;
use tokio::task::JoinSet;

use super::bank::{Bank, Branch, story};
use super::strict::Register;
use crate::harness::Story;
use crate::harness::soon::soon;

const TIME: Duration = Duration::from_secs(3);
const WRITERS: usize = 3;
const READERS: usize = 3;
/// How long a writer pauses, at most, so that something is cached in between,
const PAUSE: u64 = 80;
/// and how long one stands still in the middle of its commit. Both in ms.
const DELAY: u64 = 15;

pub fn stories() -> Vec<Story> {
    vec![story!(a_history_is_linearizable)]
}

pub fn need_the_block() -> Story {
    story!(a_history_is_linearizable)
}

/// What somebody did, and between which moments: a write from before COMMIT was sent.
#[derive(Clone, Copy, Debug)]
struct Operation {
    start: Instant,
    end: Instant,
    value: i64,
}

#[derive(Default)]
struct History {
    reads: Vec<Operation>,
    writes: Vec<Operation>,
}

async fn a_history_is_linearizable<DB: Base>(bank: Bank<DB>) {
    let readers = bank.readers().await;
    let (stop, commits) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for branch in &readers {
        for _ in 0..READERS {
            tasks.spawn(read(bank.clone(), Some(branch.clone()), stop.clone()));
        }
    }
    tasks.spawn(read(bank.clone(), None, stop.clone()));
    for writer in 0..WRITERS {
        let branch = (*bank).clone();
        tasks.spawn(write(branch, writer, stop.clone(), commits.clone()));
    }
    let delays = tokio::spawn({
        let bank = bank.clone();
        async move { tokio::join!(delay(&bank, true), delay(&bank, false)) }
    });
    let hits = || {
        Register::ALL.map(|register| {
            let of = readers.iter().map(|reader| reader.hits(register.key()));
            of.sum::<usize>()
        })
    };
    tokio::time::sleep(TIME).await;
    // A busy machine takes longer.
    soon("commits and hits", || {
        commits.load(Ordering::SeqCst) > 30 && hits().iter().all(|hits| *hits > 0)
    })
    .await;
    delays.abort();
    stop.store(true, Ordering::SeqCst);

    let mut histories: [History; Register::ALL.len()] = Default::default();
    for of_one in tasks.join_all().await {
        for (all, one) in histories.iter_mut().zip(of_one) {
            all.reads.extend(one.reads);
            all.writes.extend(one.writes);
        }
    }
    let hits = hits();
    for (register, history) in Register::ALL.into_iter().zip(&histories) {
        let (reads, writes) = (history.reads.len(), history.writes.len());
        println!("{register:?}: {writes} writes, {reads} reads, hits {hits:?}");
        check(register, history);
        assert!(reads > 20 && writes > 5, "too little happened to say much");
    }
}

/// Makes commits slow, before or after the database commits, so that much can happen meanwhile.
async fn delay<DB: Base>(bank: &Bank<DB>, before: bool) {
    loop {
        let hold = match before {
            true => bank.events.hold_before_commit(),
            false => bank.events.hold_after_commit(),
        };
        hold.reached().await;
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..DELAY))).await;
    }
}

/// Reads one register after the other, through this process' cache; without one, from the database,
/// which is what the cache must not fall behind.
async fn read<DB: Base>(
    bank: Bank<DB>,
    branch: Option<Branch<DB>>,
    stop: Arc<AtomicBool>,
) -> [History; Register::ALL.len()] {
    let mut histories: [History; Register::ALL.len()] = Default::default();
    while !stop.load(Ordering::SeqCst) {
        for (register, history) in Register::ALL.into_iter().zip(&mut histories) {
            let start = Instant::now();
            let value = match &branch {
                Some(branch) => register.read(branch).await,
                None => bank.number(register.source()).await,
            };
            history.reads.push(Operation { start, end: Instant::now(), value });
        }
        tokio::task::yield_now().await;
    }
    histories
}

async fn write<DB: Base>(
    branch: Branch<DB>,
    writer: usize,
    stop: Arc<AtomicBool>,
    commits: Arc<AtomicUsize>,
) -> [History; Register::ALL.len()] {
    let mut histories: [History; Register::ALL.len()] = Default::default();
    let mut turn = writer;
    while !stop.load(Ordering::SeqCst) {
        turn += 1;
        let register = Register::ALL[turn % 3];
        let column = match register {
            Register::Entry => "amount",
            _ => "version",
        };
        let mut tx = branch.begin().await;
        let sql = format!("{} RETURNING {column}", register.write());
        let written: Vec<(i64,)> = DB::select(&mut tx, &sql, Vec::new()).await.expect("run");
        // Others wait for the row until it is committed, so the
        // values come in the order of the commits.
        let start = Instant::now();
        tx.commit().await.expect("committed");
        let write = Operation { start, end: Instant::now(), value: written[0].0 };
        commits.fetch_add(1, Ordering::SeqCst);
        histories[turn % 3].writes.push(write);
        if matches!(register, Register::Owner) {
            histories[Register::OwnerAlone as usize].writes.push(write);
        }
        // There is to be time to be cached.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..PAUSE))).await;
    }
    histories
}

/// As the values are written in order, each once, this is all there is to a linearizable register.
fn check(register: Register, history: &History) {
    for read in &history.reads {
        let committed = history.writes.iter().filter(|it| it.end < read.start);
        let least = committed.map(|it| it.value).max().unwrap_or(0);
        let begun = history.writes.iter().filter(|it| it.start < read.end);
        let most = begun.map(|it| it.value).max().unwrap_or(0);
        assert!(
            (least..=most).contains(&read.value),
            "wrong answer: {register:?} is read as {}; right is {least} to {most}",
            read.value
        );
    }
    // What the reads that were over before this one began have seen, at most.
    let mut by_end = history.reads.clone();
    by_end.sort_by_key(|read| read.end);
    let mut by_start = history.reads.clone();
    by_start.sort_by_key(|read| read.start);
    let (mut over, mut seen) = (by_end.iter().peekable(), 0);
    for read in by_start {
        while let Some(earlier) = over.next_if(|it| it.end < read.start) {
            seen = seen.max(earlier.value);
        }
        assert!(
            read.value >= seen,
            "wrong answer: {register:?} is read as {} after it was read as {seen}",
            read.value
        );
    }
}

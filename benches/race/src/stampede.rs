//! Row 6: many tasks want one value that nobody has, in one process and in four that begin at one
//! moment.

use std::convert::Infallible;
use std::process::Stdio;
use std::time::Instant;

use hydracache::{CacheOptions, HydraCache};
use redis::aio::MultiplexedConnection;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::harness::{Lane, Metric, Outcome, Results, Sample};
use crate::model::{Cache, FarJson, Lone, SLOW, cache};
use crate::peers::{Fnct, Json, LIFE, connect, database, fnct};

/// Of all processes together.
const TASKS: usize = 1000;

/// A value that every process reads before, so that it is connected.
const WARM: i64 = 0;

pub(crate) async fn measure(results: &mut Results, url: &str) -> Outcome<()> {
    let url = database(url, 13);
    let counter = connect(&url).await?;
    for processes in [1, 4] {
        let lane = |name: &'static str| {
            let (url, counter) = (url.clone(), counter.clone());
            Lane::new(name, move || {
                stampede(url.clone(), counter.clone(), name, processes)
            })
        };
        // Nobody can do with less than one load.
        let ideal = || async { Ok(vec![1.0, SLOW.as_secs_f64() * 1e3]) };
        let lanes = [
            lane("ours"),
            Lane::new("one load", ideal),
            lane("moka (memory)"),
            lane("hydracache (memory)"),
            lane("cached (memory)"),
            lane("fnct"),
        ];
        let case = format!("stampede of {TASKS} tasks, processes: {processes}");
        let metrics = [Metric::less("loads"), Metric::less("ms")];
        results.race(6, &case, &metrics, &lanes).await?;
    }
    Ok(())
}

async fn stampede(
    url: String,
    mut counter: MultiplexedConnection,
    who: &'static str,
    processes: usize,
) -> Outcome<Sample> {
    redis::cmd("FLUSHDB").exec_async(&mut counter).await?;
    let mut herd = Vec::new();
    for _ in 0..processes {
        herd.push(Runner::start(&url, who, TASKS / processes).await?);
    }
    let began = Instant::now();
    for runner in &mut herd {
        runner.go().await?;
    }
    for runner in &mut herd {
        runner.hear("done").await?;
    }
    let took = began.elapsed().as_secs_f64() * 1e3;
    for mut runner in herd {
        runner.process.wait().await?;
    }
    let loads: f64 = redis::cmd("GET")
        .arg(count_key(who, 1))
        .query_async(&mut counter)
        .await?;
    Ok(vec![loads, took])
}

/// A process that waits for the word.
struct Runner {
    process: Child,
    says: BufReader<tokio::process::ChildStdout>,
}

impl Runner {
    async fn start(url: &str, who: &str, tasks: usize) -> Outcome<Runner> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["runner", who, &tasks.to_string(), url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let says = process.stdout.take().ok_or("no output")?;
        let mut runner = Runner {
            process,
            says: BufReader::new(says),
        };
        runner.hear("ready").await?;
        Ok(runner)
    }

    async fn hear(&mut self, word: &str) -> Outcome<()> {
        let mut line = String::new();
        self.says.read_line(&mut line).await?;
        match line.trim() == word {
            true => Ok(()),
            false => Err(format!("a runner said {line:?}").into()),
        }
    }

    async fn go(&mut self) -> Outcome<()> {
        let input = self.process.stdin.as_mut().ok_or("no input")?;
        input.write_all(b"go\n").await?;
        Ok(())
    }
}

/// One of those whose single-flight is tried.
#[derive(Clone)]
enum Who {
    Ours(Cache),
    Moka(moka::future::Cache<i64, FarJson>, MultiplexedConnection),
    Hydra(HydraCache<Json>, MultiplexedConnection),
    Cached(MultiplexedConnection),
    Fnct(Fnct, MultiplexedConnection),
}

impl Who {
    async fn new(name: &str, url: &str) -> Outcome<Who> {
        let redis = connect(url).await?;
        Ok(match name {
            "ours" => Who::Ours(cache(url).await?),
            "moka (memory)" => Who::Moka(moka::future::Cache::new(100), redis),
            "hydracache (memory)" => Who::Hydra(HydraCache::local().codec(Json).build(), redis),
            "cached (memory)" => Who::Cached(redis),
            "fnct" => Who::Fnct(fnct(url).await?, redis),
            other => return Err(format!("no such runner: {other}").into()),
        })
    }

    async fn get(self, id: i64) -> Outcome<()> {
        match self {
            Who::Ours(cache) => drop(Lone::get(&cache, id).await?.ok_or("no value")?),
            Who::Moka(cache, redis) => {
                cache.get_with(id, load(redis, "moka (memory)", id)).await;
            }
            Who::Hydra(cache, redis) => {
                let load = move || async move {
                    Ok::<_, Infallible>(load(redis, "hydracache (memory)", id).await)
                };
                let options = CacheOptions::new().ttl(LIFE);
                cache.get_or_load(&id.to_string(), options, load).await?;
            }
            Who::Cached(redis) => drop(memoized(redis, id).await),
            Who::Fnct(cache, redis) => {
                let load = || load(redis, "fnct", id);
                cache.cached(id, &[], None, load).await?;
            }
        }
        Ok(())
    }
}

#[cached::macros::cached(sync_writes = "by_key", key = "i64", convert = "{ id }")]
async fn memoized(redis: MultiplexedConnection, id: i64) -> FarJson {
    load(redis, "cached (memory)", id).await
}

async fn load(redis: MultiplexedConnection, who: &str, id: i64) -> FarJson {
    // Uncounted, it would look better than it is.
    note_load(&redis, who, id)
        .await
        .expect("Redis counts loads");
    FarJson::new(id)
}

/// Counts a load, which takes its time.
pub(crate) async fn note_load(redis: &MultiplexedConnection, who: &str, id: i64) -> Outcome<()> {
    let mut count = redis::cmd("INCR");
    count.arg(count_key(who, id));
    count.exec_async(&mut redis.clone()).await?;
    tokio::time::sleep(SLOW).await;
    Ok(())
}

fn count_key(who: &str, id: i64) -> String {
    format!("loads of {who}: {id}")
}

/// The process: `runner <who> <tasks> <url>`.
pub(crate) async fn run(who: &str, tasks: usize, url: &str) -> Outcome<()> {
    let who = Who::new(who, url).await?;
    who.clone().get(WARM).await?;
    println!("ready");
    BufReader::new(stdin())
        .read_line(&mut String::new())
        .await?;
    let mut all = JoinSet::new();
    for _ in 0..tasks {
        all.spawn(who.clone().get(1));
    }
    while let Some(done) = all.join_next().await {
        done??;
    }
    println!("done");
    Ok(())
}

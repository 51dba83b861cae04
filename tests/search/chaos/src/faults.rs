//! What goes wrong, one thing after the other.

use std::ops::Range;
use std::time::Duration;

use chaos_service::clock::{Nanos, nanos, now};
use chaos_service::models::SCHEMA;
use chaos_service::record::{Command, Point};
use fastrand::Rng;
use servers::Proxy;
use tokio::time::sleep;

use crate::checker::STORE_TIMEOUT;
use crate::world::{TOGETHER, World};

/// How long a process may take to come to the point where it is to stand still.
const PATIENCE: Duration = Duration::from_secs(5);

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// A process is killed between a commit and its invalidation.
    WriterKilled,
    /// A process is killed when it has told the store, and not yet the outbox, what others wrote.
    RelayKilled,
    /// Redis is killed, and comes back empty.
    RedisKilled,
    /// Redis is killed, and comes back with what it knew a while ago.
    RedisRestored,
    /// Redis stands still.
    RedisFrozen,
    /// A process stands still that holds a value which it has loaded.
    ProcessStopped,
    /// A process stands still, and for a moment after that nothing comes
    /// from Redis: a machine that was suspended.
    Suspended,
    /// A process stands still right before a strict commit, for longer than `max-commit`.
    WriterStopped,
    /// A replica takes over that has missed the last of what was written.
    FailOver,
    /// `FLUSHALL`
    Flushed,
    /// Redis has room for a third of what one line reads, and evicts whatever it likes.
    Evicting,
    /// Redis has room for very little more: it evicts values, then it
    /// refuses them; and then there is room again.
    Full,
    /// A process cannot reach Redis.
    CutOne,
    /// No process can.
    CutAll,
    /// The link of a process is slow.
    SlowOne,
    /// All are.
    SlowAll,
    /// Nothing comes through to Redis from a process, and nobody says so.
    QuestionsFrozen,
    /// Nothing comes through from Redis.
    AnswersFrozen,
    /// Messages of Redis to a process are lost.
    MessagesLost,
    /// The connections to Redis that there are stand still, and nobody says so; new ones are fine.
    ConnectionsFrozen,
    /// PostgreSQL ends all connections.
    DatabaseConnectionsEnded,
    /// Its connections that there are stand still, and new ones are fine;
    /// meanwhile Redis may be away for a moment.
    DatabaseConnectionsFrozen,
    /// PostgreSQL crashes, and has lost what was committed last.
    DatabaseCrashed,
    /// A standby takes over that has missed it.
    DatabasePromoted,
    /// The triggers are installed again and again, also those of an edited
    /// `cache.toml`, by two at once, and beside a long report.
    Installs,
    /// Redis' clock is set forwards or backwards, by less than
    /// half of `max-commit`, and back again.
    ClockStepped,
    /// Likewise by up to a minute. Only when asked for, as the next:
    /// see "Beyond the promise" in the README.
    ClockLeaps,
    /// Likewise by hours.
    ClockLeapsFar,
}

/// How far a clock leaps, in ms, and how far it leaps far.
const LEAP: Range<i64> = 2_000..60_000;
const FAR_LEAP: Range<i64> = 3_600_000..7_200_000;

impl Fault {
    /// What a run injects when nothing else is said.
    pub const ALL: [Fault; 26] = [
        Fault::WriterKilled,
        Fault::RelayKilled,
        Fault::RedisKilled,
        Fault::RedisRestored,
        Fault::RedisFrozen,
        Fault::ProcessStopped,
        Fault::Suspended,
        Fault::WriterStopped,
        Fault::FailOver,
        Fault::Flushed,
        Fault::Evicting,
        Fault::Full,
        Fault::CutOne,
        Fault::CutAll,
        Fault::SlowOne,
        Fault::SlowAll,
        Fault::QuestionsFrozen,
        Fault::AnswersFrozen,
        Fault::MessagesLost,
        Fault::ConnectionsFrozen,
        Fault::DatabaseConnectionsEnded,
        Fault::DatabaseConnectionsFrozen,
        Fault::DatabaseCrashed,
        Fault::DatabasePromoted,
        Fault::Installs,
        Fault::ClockStepped,
    ];

    /// Lets it happen, and end. As long as there are faults: one arm each.
    #[expect(clippy::too_many_lines, reason = "one arm each")]
    pub async fn happen(self, world: &mut World, rng: &mut Rng) {
        let one = rng.usize(..world.processes.len());
        let all: Vec<usize> = (0..world.processes.len()).collect();
        let which: &[usize] = if rng.bool() { &all } else { &[one] };
        let a_while = Duration::from_millis(rng.u64(800..3500));
        match self {
            Fault::WriterKilled => world.kill_at(one, Point::Committed).await,
            Fault::RelayKilled => world.kill_at(one, Point::Relayed).await,
            Fault::RedisKilled => {
                world.redis.kill();
                sleep(a_while / 2).await;
                world.redis.lose_snapshot();
                world.redis.start_again();
            }
            Fault::RedisRestored => {
                world.redis.command("SAVE").await;
                sleep(a_while).await;
                world.redis.kill();
                sleep(Duration::from_millis(rng.u64(..500))).await;
                world.redis.start_again();
            }
            Fault::RedisFrozen => {
                // Now and then so shortly that nobody notices.
                let a_while = if rng.bool() { a_while } else { STORE_TIMEOUT / 2 };
                world.redis.freeze();
                sleep(a_while).await;
                world.redis.thaw();
            }
            Fault::ProcessStopped => world.stop_at(one, Point::Loaded, a_while).await,
            // Of those that share a store: what it missed, the store was told at
            // once, which is what it must not be behind.
            Fault::Suspended => world.suspend(one % TOGETHER, a_while).await,
            Fault::WriterStopped => {
                let longer = chaos_strict::SCHEMA.max_commit + a_while / 2;
                world.stop_at(one, Point::Blocked, longer).await;
            }
            Fault::FailOver => world.fail_over(a_while).await,
            Fault::Flushed => drop(world.redis.command("FLUSHALL").await),
            Fault::Evicting => world.evict(Duration::from_secs(4)).await,
            Fault::Full => world.fill_up().await,
            Fault::CutOne => {
                world.proxies[one].cut();
                sleep(a_while).await;
            }
            Fault::CutAll => {
                world.proxies.iter().for_each(Proxy::cut);
                sleep(a_while).await;
            }
            Fault::SlowOne => world.slow(&[one], rng.u64(20..120), a_while).await,
            Fault::SlowAll => world.slow(&all, rng.u64(20..120), a_while).await,
            Fault::QuestionsFrozen => {
                world.proxies[one].freeze_questions();
                sleep(a_while).await;
            }
            Fault::AnswersFrozen => {
                world.proxies[one].freeze_answers();
                sleep(a_while).await;
            }
            Fault::MessagesLost => {
                for _ in 0..rng.u32(1..8) {
                    world.proxies[one].lose_a_message();
                    world.proxies[one].has_lost_it().await;
                }
            }
            Fault::ConnectionsFrozen => {
                freeze_existing(&world.proxies, which, rng);
                sleep(2 * a_while).await;
            }
            Fault::DatabaseConnectionsFrozen => {
                world.freeze_database_connections(which, rng).await;
            }
            Fault::DatabaseConnectionsEnded => world.end_database_connections().await,
            Fault::DatabaseCrashed => {
                world.crash_database(a_while).await;
                world.may_restart(one, rng).await;
            }
            Fault::DatabasePromoted => {
                world.promote_standby(a_while, rng.bool()).await;
                world.may_restart(one, rng).await;
            }
            Fault::Installs => world.install(rng).await,
            Fault::ClockStepped => {
                let half = chaos_strict::SCHEMA.max_commit.as_millis() as i64 / 2;
                world.step_clock(rng, 1..half, a_while).await;
            }
            Fault::ClockLeaps => world.step_clock(rng, LEAP, a_while).await,
            Fault::ClockLeapsFar => world.step_clock(rng, FAR_LEAP, a_while).await,
        }
        for proxy in world.proxies.iter().chain(&world.database_proxies) {
            proxy.resume();
        }
    }
}

/// The connections that there are, both ways or one.
pub fn freeze_existing(proxies: &[Proxy], which: &[usize], rng: &mut Rng) {
    let freeze =
        [Proxy::freeze_existing, Proxy::freeze_existing_questions, Proxy::freeze_existing_answers]
            [rng.usize(..3)];
    which.iter().for_each(|at| freeze(&proxies[*at]));
}

impl World {
    async fn kill_at(&mut self, at: usize, point: Point) {
        let process = self.processes[at].id;
        self.processes[at].tell(Command::StandAt(point));
        // If it does not come there, it is killed wherever it is.
        self.history.has_reached(process, point, PATIENCE).await;
        let killed = &mut self.processes[at];
        tokio::task::block_in_place(|| killed.kill());
        self.replace(at).await;
    }

    /// Who starts now has not seen what was before.
    async fn may_restart(&mut self, at: usize, rng: &mut Rng) {
        if rng.bool() {
            tokio::task::block_in_place(|| self.processes[at].kill());
            self.replace(at).await;
        }
    }

    async fn stop_at(&mut self, at: usize, point: Point, a_while: Duration) {
        let process = self.processes[at].id;
        self.processes[at].tell(Command::StandAt(point));
        self.history.has_reached(process, point, PATIENCE).await;
        let from = now();
        self.processes[at].stop();
        self.processes[at].tell(Command::GoOn);
        sleep(a_while).await;
        self.go_on(at, from);
    }

    /// It has stood still since then: if it is alone in its line, nobody has relayed to its store.
    fn go_on(&self, at: usize, since: Nanos) {
        for line in self.lines_of(&[at]) {
            self.history.allow_none(line, since, now());
        }
        self.processes[at].go_on();
    }

    async fn suspend(&mut self, at: usize, a_while: Duration) {
        let from = now();
        self.processes[at].stop();
        // The answers to what it has asked are there when it goes
        // on, so that it has nothing to notice.
        sleep(STORE_TIMEOUT / 10).await;
        self.proxies[at].freeze_answers();
        sleep(SCHEMA.max_staleness.unwrap_or_default() + a_while / 2).await;
        self.go_on(at, from);
        // Before anybody notices.
        sleep(STORE_TIMEOUT / 2).await;
    }

    /// The replica stops to receive, and time goes by; then the
    /// primary dies, and the replica answers for it.
    async fn fail_over(&mut self, a_while: Duration) {
        let replica = tokio::task::block_in_place(|| self.redis.replica());
        replica.has_caught_up_with(&self.redis).await;
        replica.detach().await;
        sleep(a_while).await;
        self.redis.kill();
        for proxy in &self.proxies {
            proxy.turn_to(replica.port());
        }
        self.redis = replica;
    }

    pub fn tell_all(&mut self, command: Command) {
        for process in &mut self.processes {
            process.tell(command);
        }
    }

    /// A pass of a relay asks its store who it is, and to invalidate: four times over the link, and
    /// as much again for what is in front of it.
    async fn slow(&mut self, which: &[usize], delay_ms: u64, a_while: Duration) {
        let (from, delay) = (now(), Duration::from_millis(delay_ms));
        for at in which {
            self.proxies[*at].slow(delay);
        }
        sleep(a_while).await;
        for at in which {
            self.proxies[*at].resume();
        }
        self.history.allow(from, nanos(8 * delay));
    }

    async fn step_clock(&mut self, rng: &mut Rng, by_ms: Range<i64>, a_while: Duration) {
        let by_ms = rng.i64(by_ms);
        self.clock.set(if rng.bool() { by_ms } else { -by_ms });
        sleep(a_while).await;
        self.clock.set(0);
    }
}

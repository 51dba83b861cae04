//! Stories, the matrix of set-ups that they run on, and the mutants that they must catch.

use std::any::Any;
use std::pin::Pin;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use tokio::time::timeout;

use super::mutant::Mutant;
use super::setup::{Database, OwnDatabase, OwnRedis, Setup, Tier};
use super::world::World;

/// A story that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(180);
/// What a thread of a mutant's story is called: its panics are expected, and not shown as they happen.
const MUTANT_THREAD: &str = "mutant";

type Told = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One story, told on every set-up that it applies to.
#[derive(Clone, Copy)]
pub struct Story {
    name: &'static str,
    tell: fn(World) -> Told,
    applies: fn(Setup) -> bool,
    own_redis: bool,
    alone: bool,
    near: Option<bool>,
    relay: bool,
}

/// `story!(s10_an_organization_rename_reaches_the_plios)`: the story of that name.
macro_rules! story {
    ($name:ident) => {
        $crate::harness::story::Story::new(stringify!($name), |world| Box::pin($name(world)))
    };
}
pub(crate) use story;

impl Story {
    pub fn new(function: &'static str, tell: fn(World) -> Told) -> Self {
        // A function's name cannot begin with the number.
        let numbered = function
            .strip_prefix('s')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let name = numbered.unwrap_or(function);
        Self {
            name,
            tell,
            applies: |_| true,
            own_redis: false,
            alone: false,
            near: None,
            relay: true,
        }
    }

    /// There is something to tell only where this says so.
    pub fn on(self, applies: fn(Setup) -> bool) -> Self {
        Self { applies, ..self }
    }

    /// There is nothing to tell in memory.
    pub fn on_redis(self) -> Self {
        self.on(|setup| setup.tier == Tier::Redis)
    }

    pub fn in_memory(self) -> Self {
        self.on(|setup| setup.tier == Tier::Memory)
    }

    pub fn on_postgres(self) -> Self {
        self.on(|setup| setup.database == Database::Postgres)
    }

    pub fn on_sqlite(self) -> Self {
        self.on(|setup| setup.database == Database::Sqlite)
    }

    /// It stops, freezes or kills Redis: it has one of its own.
    pub fn own_redis(self) -> Self {
        Self {
            own_redis: true,
            ..self.on_redis()
        }
    }

    /// It measures the whole process: no other story is told meanwhile.
    pub fn alone(self) -> Self {
        Self {
            alone: true,
            ..self
        }
    }

    /// It is about the near cache.
    pub fn with_near(self) -> Self {
        Self {
            near: Some(true),
            ..self
        }
    }

    /// It is about the store: a near cache would answer in its place.
    pub fn without_near(self) -> Self {
        Self {
            near: Some(false),
            ..self
        }
    }

    /// A relay beside it would do, or hide, what it is about; the reason is for who reads its declaration.
    pub fn without_relay(self, _why: &'static str) -> Self {
        Self {
            relay: false,
            ..self
        }
    }

    /// A trial for every set-up of the matrix that it applies to.
    pub fn trials(self) -> impl Iterator<Item = Trial> {
        self.setups().map(move |setup| {
            let name = format!("{}::{}", setup.name(), self.name);
            let tell = move || self.told(setup, None).map_err(Failed::from);
            Trial::test(name, tell)
        })
    }

    /// A trial for every set-up that says: without this mechanism the story fails, and by a wrong answer.
    pub fn fails_with(self, mutant: Mutant) -> impl Iterator<Item = Trial> {
        let alone = self.without_relay("what another mechanism makes up for is not missing");
        alone.setups().map(move |setup| {
            let name = format!("{}::mutant::{}::{}", setup.name(), mutant.name(), self.name);
            Trial::test(name.clone(), move || {
                caught(&name, self.told(setup, Some(mutant)))
            })
        })
    }

    fn setups(self) -> impl Iterator<Item = Setup> {
        Setup::ALL
            .into_iter()
            .filter(move |setup| (self.applies)(*setup))
            .map(move |setup| Setup {
                near: self.near.unwrap_or(setup.near),
                relay: self.relay,
                ..setup
            })
    }

    /// Tells it in a world of its own. A failure is the message of its panic.
    fn told(self, setup: Setup, mutant: Option<Mutant>) -> Result<(), String> {
        let _among_others = (!self.alone).then(among_others);
        let _alone = self
            .alone
            .then(|| ALONE.write().unwrap_or_else(PoisonError::into_inner));

        let database = OwnDatabase::create(setup.database);
        let redis = (setup.tier == Tier::Redis).then(|| {
            if self.own_redis {
                OwnRedis::own()
            } else {
                OwnRedis::shared()
            }
        });
        let url = database.url.clone();
        on_a_runtime(self.name, mutant, async move {
            let world = World::new(setup, &url, redis, mutant).await;
            (self.tell)(world).await;
        })
    }
}

/// Tells a story on a runtime of its own. A failure is the message of its panic.
pub fn on_a_runtime(
    story: &'static str,
    mutant: Option<Mutant>,
    telling: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .thread_name(mutant.map_or(story, |_| MUTANT_THREAD))
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let told = runtime.block_on(async { runtime.spawn(timeout(PATIENCE, telling)).await });
    runtime.shutdown_timeout(Duration::from_secs(10));
    match told {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(format!("the story is not over after {PATIENCE:?}")),
        Err(failure) => Err(failure
            .try_into_panic()
            .map_or_else(|error| error.to_string(), message)),
    }
}

/// Whether a mutant's story ended as it is to: in a wrong answer.
pub fn caught(trial: &str, told: Result<(), String>) -> Result<(), Failed> {
    match told {
        Err(failure) if failure.contains("wrong answer") => {
            println!("{trial} is caught: {}", shortened(&failure));
            Ok(())
        }
        Err(failure) => Err(Failed::from(format!(
            "the story fails for another reason: {failure}"
        ))),
        Ok(()) => Err(Failed::from(
            "the story does not notice that the mechanism is missing",
        )),
    }
}

/// Who counts what the whole process does, writes; everybody else reads.
static ALONE: RwLock<()> = RwLock::new(());

/// Held while a story is told that minds nobody.
pub fn among_others() -> RwLockReadGuard<'static, ()> {
    ALONE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the panics of mutants' stories, which are the point, out of the output.
pub fn hush_mutants() {
    let loud = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(MUTANT_THREAD) {
            loud(panic);
        }
    }));
}

fn message(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().map_or_else(
            || "a panic without a message".to_owned(),
            ToString::to_string,
        ),
    }
}

fn shortened(message: &str) -> String {
    const LENGTH: usize = 300;
    let mut short: String = message.chars().take(LENGTH).collect();
    if message.chars().count() > LENGTH {
        short.push('…');
    }
    short
}

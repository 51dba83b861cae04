//! Stories, the matrix of set-ups that they run on, and the mutants that they must catch:
//! those of the API, which are told in a [`World`](super::World), and those of the
//! library, which are told in a [`Bank`](crate::library).

use std::any::Any;
use std::pin::Pin;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use tokio::time::timeout;

use super::mutant::Without;
use super::setup::{Database, OwnDatabase, OwnRedis, Setup, Tier};

/// A story that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(180);
/// What a thread of a mutant's story is called: its panics are
/// expected, and not shown as they happen.
const MUTANT_THREAD: &str = "mutant";

pub type Telling = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a story is told: its world is made of this.
pub struct Place {
    pub setup: Setup,
    pub database_url: String,
    pub redis: Option<OwnRedis>,
    pub mutant: Option<Without>,
}

impl Place {
    /// The address of its Redis, if it has one.
    pub fn redis_url(&self) -> Option<String> {
        self.redis.as_ref().map(OwnRedis::url)
    }
}

/// What a story is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The example, over HTTP.
    Api,
    /// The ledger, by the library alone.
    Library,
}

/// One story, told on every set-up that it applies to.
#[derive(Clone, Copy)]
pub struct Story {
    of: Of,
    name: &'static str,
    tell: fn(Place) -> Telling,
    database: Option<Database>,
    tier: Option<Tier>,
    own_redis: bool,
    alone: bool,
    near: Option<bool>,
    relay: bool,
}

/// `story!(s10_an_organization_rename_reaches_the_plios)`: the story of that name, of the API.
macro_rules! story {
    ($name:ident) => {
        $crate::harness::Story::new($crate::harness::Of::Api, stringify!($name), |place| {
            Box::pin(async { $name($crate::harness::World::new(place).await).await })
        })
    };
}
pub(crate) use story;

impl Story {
    pub fn new(of: Of, function: &'static str, tell: fn(Place) -> Telling) -> Self {
        // A function's name cannot begin with the number.
        let numbered = function
            .strip_prefix('s')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        Self {
            of,
            name: numbered.unwrap_or(function),
            tell,
            database: None,
            tier: None,
            own_redis: false,
            alone: false,
            near: None,
            relay: true,
        }
    }

    /// There is nothing to tell in memory.
    pub fn on_redis(self) -> Self {
        let tier = Some(Tier::Redis);
        Self { tier, ..self }
    }

    pub fn in_memory(self) -> Self {
        let tier = Some(Tier::Memory);
        Self { tier, ..self }
    }

    pub fn on_postgres(self) -> Self {
        let database = Some(Database::Postgres);
        Self { database, ..self }
    }

    pub fn on_sqlite(self) -> Self {
        let database = Some(Database::Sqlite);
        Self { database, ..self }
    }

    /// It stops, freezes, empties or kills Redis: it has one of its own.
    pub fn own_redis(self) -> Self {
        let own_redis = true;
        Self { own_redis, ..self.on_redis() }
    }

    /// It measures the whole process: no other story is told meanwhile.
    pub fn alone(self) -> Self {
        let alone = true;
        Self { alone, ..self }
    }

    /// It is about the near cache.
    pub fn with_near(self) -> Self {
        let near = Some(true);
        Self { near, ..self }
    }

    /// It is about the store: a near cache would answer in its place.
    pub fn without_near(self) -> Self {
        let near = Some(false);
        Self { near, ..self }
    }

    /// A relay beside it would do, or hide, what it is about; the
    /// reason is for who reads its declaration.
    pub fn without_relay(self, _why: &'static str) -> Self {
        let relay = false;
        Self { relay, ..self }
    }

    /// A trial for every set-up of the matrix that it applies to.
    pub fn trials(self) -> impl Iterator<Item = Trial> {
        self.setups().map(move |setup| {
            let name = format!("{}::{}", self.begins(setup), self.name);
            Trial::test(name, move || self.told(setup, None).map_err(Failed::from))
        })
    }

    /// A trial for every set-up that says: without this mechanism
    /// the story fails, and by a wrong answer.
    pub fn fails(self, without: Without) -> impl Iterator<Item = Trial> {
        let alone = self.without_relay("what another mechanism makes up for is not missing");
        alone.setups().map(move |setup| {
            let name = format!("{}::mutant::{}::{}", self.begins(setup), without.name(), self.name);
            Trial::test(name.clone(), move || caught(&name, alone.told(setup, Some(without))))
        })
    }

    /// What its trials are called before its name.
    fn begins(self, setup: Setup) -> String {
        match self.of {
            Of::Api => setup.name().to_owned(),
            Of::Library => format!("{}::library", setup.name()),
        }
    }

    fn setups(self) -> impl Iterator<Item = Setup> {
        let applies = move |setup: &Setup| {
            self.database.is_none_or(|it| it == setup.database)
                && self.tier.is_none_or(|it| it == setup.tier)
        };
        Setup::ALL.into_iter().filter(applies).map(move |setup| Setup {
            near: self.near.unwrap_or(setup.near),
            relay: self.relay,
            ..setup
        })
    }

    /// Tells it in a world of its own. A failure is the message of its panic.
    fn told(self, setup: Setup, mutant: Option<Without>) -> Result<(), String> {
        let _among_others =
            (!self.alone).then(|| ALONE.read().unwrap_or_else(PoisonError::into_inner));
        let _alone = self.alone.then(|| ALONE.write().unwrap_or_else(PoisonError::into_inner));

        let database = match self.of {
            Of::Api => OwnDatabase::create(setup.database),
            Of::Library => OwnDatabase::empty(setup.database),
        };
        let redis = (setup.tier == Tier::Redis).then(|| match self.own_redis {
            true => OwnRedis::own(),
            false => OwnRedis::shared(),
        });
        let database_url = database.url.clone();
        let place = Place { setup, database_url, redis, mutant };
        on_a_runtime(self.name, mutant, (self.tell)(place))
    }
}

/// Tells a story on a runtime of its own. A failure is the message of its panic.
fn on_a_runtime(
    story: &'static str,
    mutant: Option<Without>,
    telling: Telling,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .thread_name(mutant.map_or(story, |_| MUTANT_THREAD))
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let told = runtime.block_on(async { runtime.spawn(timeout(LONGEST, telling)).await });
    runtime.shutdown_timeout(Duration::from_secs(10));
    match told {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(format!("the story is not over after {LONGEST:?}")),
        Err(failure) => {
            Err(failure.try_into_panic().map_or_else(|error| error.to_string(), message))
        }
    }
}

/// Whether a mutant's story ended as it is to: in a wrong answer.
fn caught(trial: &str, told: Result<(), String>) -> Result<(), Failed> {
    match told {
        Err(failure) if failure.contains("wrong answer") => {
            println!("{trial} is caught: {}", shortened(&failure));
            Ok(())
        }
        Err(failure) => Err(Failed::from(format!("the story fails for another reason: {failure}"))),
        Ok(()) => Err(Failed::from("the story does not notice that the mechanism is missing")),
    }
}

/// Who counts what the whole process does, writes; everybody else reads.
static ALONE: RwLock<()> = RwLock::new(());

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
        Err(panic) => panic
            .downcast_ref::<&str>()
            .map_or_else(|| "a panic without a message".to_owned(), ToString::to_string),
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

//! A story that is generic over the database.

use std::pin::Pin;

use libtest_mimic::{Failed, Trial};
use sqlx::{Postgres, Sqlite};

use super::bank::Bank;
use crate::harness::Mutant;
use crate::harness::setup::{Database, OwnDatabase, OwnRedis, Setup, Tier};
use crate::harness::story::{among_others, caught, on_a_runtime};

pub type Told = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One story, told on every set-up that it applies to.
#[derive(Clone, Copy)]
pub struct Tale {
    name: &'static str,
    on_sqlite: fn(Bank<Sqlite>) -> Told,
    on_postgres: fn(Bank<Postgres>) -> Told,
    applies: fn(Setup) -> bool,
    own_redis: bool,
    relay: bool,
}

/// `tale!(a_story)`: the story of that name.
macro_rules! tale {
    ($name:ident) => {
        $crate::library::tale::Tale::new(
            stringify!($name),
            |bank| Box::pin($name(bank)),
            |bank| Box::pin($name(bank)),
        )
    };
}
pub(crate) use tale;

/// Stories of what there is on PostgreSQL alone; those of one tier are told in memory.
macro_rules! on_postgres {
    ($($name:ident),* $(,)?) => {
        vec![$($crate::library::tale::Tale::new(
            stringify!($name),
            |_| Box::pin(std::future::ready(())),
            |bank| Box::pin($name(bank)),
        ).on($crate::library::tale::is_postgres_in_memory)),*]
    };
}
pub(crate) use on_postgres;

pub fn is_postgres_in_memory(setup: Setup) -> bool {
    setup.database == Database::Postgres && setup.tier == Tier::Memory
}

impl Tale {
    pub fn new(
        name: &'static str,
        on_sqlite: fn(Bank<Sqlite>) -> Told,
        on_postgres: fn(Bank<Postgres>) -> Told,
    ) -> Self {
        Self {
            name,
            on_sqlite,
            on_postgres,
            applies: |_| true,
            own_redis: false,
            relay: true,
        }
    }

    pub fn on(self, applies: fn(Setup) -> bool) -> Self {
        Self { applies, ..self }
    }

    /// There is nothing to tell in memory.
    pub fn on_redis(self) -> Self {
        self.on(|setup| setup.tier == Tier::Redis)
    }

    /// It stops or empties Redis: it has one of its own.
    pub fn own_redis(self) -> Self {
        Self {
            own_redis: true,
            ..self.on_redis()
        }
    }

    /// A relay beside it would do, or hide, what it is about; the reason is for who reads its declaration.
    pub fn without_relay(self, _why: &'static str) -> Self {
        Self {
            relay: false,
            ..self
        }
    }

    pub fn trials(self) -> impl Iterator<Item = Trial> {
        self.setups().map(move |setup| {
            let name = format!("{}::library::{}", setup.name(), self.name);
            Trial::test(name, move || self.told(setup, None).map_err(Failed::from))
        })
    }

    /// Trials that say: without this mechanism the story ends in a wrong answer.
    pub fn fails_with(self, mutant: Mutant) -> impl Iterator<Item = Trial> {
        let alone = self.without_relay("what another mechanism makes up for is not missing");
        alone.setups().map(move |setup| {
            let (setup_name, mutant_name) = (setup.name(), mutant.name());
            let name = format!("{setup_name}::library::mutant::{mutant_name}::{}", self.name);
            Trial::test(name.clone(), move || {
                caught(&name, self.told(setup, Some(mutant)))
            })
        })
    }

    fn setups(self) -> impl Iterator<Item = Setup> {
        let relay = self.relay;
        let setups = Setup::ALL.into_iter().map(move |it| Setup { relay, ..it });
        setups.filter(move |it| (self.applies)(*it))
    }

    fn told(self, setup: Setup, mutant: Option<Mutant>) -> Result<(), String> {
        let _among_others = among_others();
        let database = OwnDatabase::empty(setup.database);
        let redis = (setup.tier == Tier::Redis).then(|| match self.own_redis {
            true => OwnRedis::own(),
            false => OwnRedis::shared(),
        });
        let url = database.url.clone();
        on_a_runtime(self.name, mutant, async move {
            match setup.database {
                Database::Sqlite => {
                    (self.on_sqlite)(Bank::new(url, redis, mutant, setup.relay).await).await
                }
                Database::Postgres => {
                    (self.on_postgres)(Bank::new(url, redis, mutant, setup.relay).await).await
                }
            }
        })
    }
}

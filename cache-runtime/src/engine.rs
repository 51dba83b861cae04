//! The store and the outbox kept in step: nobody reads the store before it was told what was
//! written.

pub(crate) mod delivery;
pub(crate) mod gate;
pub(crate) mod health;
pub(crate) mod heard;
pub(crate) mod heartbeat;
pub(crate) mod installation;
pub(crate) mod recovery;
pub(crate) mod relay;
pub(crate) mod stop;
pub(crate) mod tasks;
pub(crate) mod under_way;

use std::sync::Arc;
use std::time::Instant;

use crate::engine::delivery::Delivery;
use crate::engine::gate::Gate;
use crate::engine::installation::Installation;
use crate::engine::recovery::Recovery;
use crate::engine::relay::Relay;
use crate::engine::stop::Stop;
use crate::engine::tasks::{Task, Tasks};
use crate::error::Error;
use crate::mechanism::Mechanism;
use crate::model::schema::Schema;
use crate::observe::event::Event;
use crate::outbox::Outbox;

/// The parts, and the tasks in which they work by themselves.
pub(crate) struct Engine {
    pub(crate) gate: Arc<Gate>,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) installation: Arc<Installation>,
    recovery: Arc<Recovery>,
    schema: &'static Schema,
    tasks: Tasks,
}

impl Engine {
    /// Brings the store into use, and starts the tasks; if that fails, one of them goes on trying.
    ///
    /// # Errors
    /// When the triggers are not what they should be.
    pub(crate) async fn start(
        gate: Gate,
        outbox: Option<Arc<dyn Outbox>>,
        schema: &'static Schema,
        relays: bool,
    ) -> Result<Engine, Error> {
        let gate = Arc::new(gate);
        let delivery = Arc::new(Delivery::new(gate.clone(), outbox, schema));
        let installation = Arc::new(Installation::default());
        let recovery = Recovery::new(gate.clone(), delivery.clone(), installation.clone(), schema);
        let engine = Engine {
            gate,
            delivery,
            installation,
            recovery: Arc::new(recovery),
            schema,
            tasks: Tasks::new(),
        };
        if let Err(error) = engine.recovery.come_back().await {
            if error.is_set_up() {
                return Err(error);
            }
            let why = &error.to_string();
            engine.gate.observer.tell(Event::StoreAway { why });
        }
        let is_wanted = |task: &Task| relays || *task != Task::Relay;
        Task::ALL.into_iter().filter(is_wanted).for_each(|task| engine.spawn(task));
        Ok(engine)
    }

    fn spawn(&self, task: Task) {
        let gate = self.gate.clone();
        match task {
            Task::Relay if !gate.has(Mechanism::Relay) => {}
            Task::Relay => {
                let (delivery, installation) = (self.delivery.clone(), self.installation.clone());
                if let Some(relay) = Relay::new(gate, delivery, installation, self.schema) {
                    self.tasks.spawn(task, |stop| relay.run(stop));
                }
            }
            Task::Recovery => {
                let recovery = self.recovery.clone();
                let run = |stop| async move { recovery.run(stop).await };
                self.tasks.spawn(task, run);
            }
            Task::Listening => self.tasks.spawn(task, |stop| heartbeat::listen(gate, stop)),
            Task::Tidying => self.tasks.spawn(task, |stop| heartbeat::tidy(gate, stop)),
        }
    }

    /// Starts again the tasks that were dropped with their runtime. To be called in a runtime, by
    /// whoever uses the cache.
    #[inline]
    pub(crate) fn tend(&self) {
        for task in self.tasks.dropped() {
            tracing::info!(
                ?task,
                "the runtime that the cache was built in has ended: its task goes on in another"
            );
            self.spawn(task);
        }
        if !self.gate.is_open() && self.recovery.is_overdue() && self.stop().is_some() {
            tracing::info!(
                "the runtime that the cache was built in stands still: the store is brought back in another"
            );
            self.spawn(Task::Recovery);
        }
    }

    /// Delivers every row that waits; returns how many. While the store is away, tries to bring it
    /// back, which delivers them too, or says what is in the way.
    pub(crate) async fn deliver_pending(&self) -> Result<usize, Error> {
        self.tend();
        match self.gate.accepts_invalidations() {
            true => self.delivery.deliver_pending(Instant::now()).await,
            false => self.recovery.come_back().await,
        }
    }

    /// Forgets everything, in every process.
    pub(crate) async fn clear(&self) -> Result<(), Error> {
        {
            let mut outbox = self.delivery.connect().await?;
            self.delivery.clear(outbox.as_deref_mut()).await?;
            // Given back before another is taken: there may be one only.
        }
        self.deliver_pending().await.map(drop)
    }

    /// Waits until no commit is under way, then ends the tasks.
    pub(crate) async fn shut_down(&self) {
        self.delivery.commits.ended().await;
        self.tasks.shut_down().await;
    }

    /// For a task of the readers'; `None` when the cache was shut down.
    pub(crate) fn stop(&self) -> Option<Stop> {
        self.tasks.stop()
    }
}

//! The real app, served on a free port by this process.

use std::future::pending;
use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::{self, Next};
use cache_runtime::{Builder, Cache};
use example_app::{Db, Limits};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::events::{Events, observed};
use super::http::{Answer, Http};

/// One app and a client of it.
#[derive(Clone)]
pub struct App {
    pub cache: Cache<Db>,
    pub events: Arc<Events>,
    relay: Relay,
    http: Http,
    requests: watch::Receiver<usize>,
    _server: Arc<Serving>,
}

impl App {
    pub async fn serve(builder: Builder<Db>) -> Self {
        let (builder, events) = observed(builder);
        let cache = builder.build().await.unwrap_or_else(|error| panic!("{error}"));

        let (counter, requests) = watch::channel(0);
        let count = middleware::from_fn(move |request: Request, next: Next| {
            counter.send_modify(|requests| *requests += 1);
            next.run(request)
        });
        let router = example_app::app(cache.clone()).layer(count);

        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let limits = Limits::default();
        let serving = tokio::spawn(example_app::listen(listener, router, limits, pending()));
        Self {
            cache,
            events,
            relay: Relay::Off,
            http: Http::new(url),
            requests,
            _server: Arc::new(Serving(serving)),
        }
    }

    /// `GET /api/v1{path}`
    pub async fn get(&self, path: &str) -> Answer {
        self.http.send(self.request("GET", path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.http.send(self.request("POST", path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.http.send(self.request("PATCH", path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.http.send(self.request("DELETE", path)).await
    }

    /// A request under `/api/v1`, to be completed.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, &format!("/api/v1{path}"))
    }

    /// A request to any path of the server, to be completed.
    pub fn request_anywhere(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, path)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        self.http.send(request).await
    }

    /// A request that goes on while the story does something else.
    pub fn get_meanwhile(&self, path: &str) -> JoinHandle<Answer> {
        let (app, path) = (self.clone(), path.to_owned());
        tokio::spawn(async move { app.get(&path).await })
    }

    pub fn patch_meanwhile(&self, path: &str, body: Value) -> JoinHandle<Answer> {
        let (app, path) = (self.clone(), path.to_owned());
        tokio::spawn(async move { app.patch(&path, body).await })
    }

    /// How many requests the app has been asked so far.
    pub fn requests(&self) -> usize {
        *self.requests.borrow()
    }

    /// Waits until the app has been asked this many requests in all.
    pub async fn asked(&self, requests: usize) {
        let mut seen = self.requests.clone();
        seen.wait_for(|seen| *seen >= requests).await.expect("the app serves");
    }

    /// Reads until it hits, so that what follows is about a warm entry.
    pub async fn warm(&self, path: &str) -> Answer {
        self.settled().await;
        self.get(path).await.ok();
        self.get(path).await.ok().hit()
    }

    /// It relays.
    pub fn relaying(mut self) -> Self {
        self.relay = Relay::On;
        self
    }

    /// With a relay and a memory of its own it hears of what other processes have delivered to
    /// theirs, and forgets: not before that is over is anything warm.
    pub fn hearing_of_others(mut self) -> Self {
        self.relay = Relay::HearsOfOthers;
        self
    }

    /// Waits until the relay is not about to invalidate what was committed before this.
    pub async fn settled(&self) {
        match self.relay {
            Relay::Off => {}
            Relay::On => self.events.idle(1).await,
            Relay::HearsOfOthers => self.events.idle(2).await,
        }
    }

    /// Delivers everything that waits in the outbox; returns how
    /// many rows that were. Then it is settled.
    pub async fn deliver_pending(&self) -> usize {
        let drained = self.cache.deliver_pending().await;
        let rows = drained.unwrap_or_else(|error| panic!("drain: {error}"));
        self.settled().await;
        rows
    }
}

/// What else happens in the process.
#[derive(Clone, Copy)]
enum Relay {
    Off,
    /// What it delivers, it marks in the same pass.
    On,
    /// It is also told what others have marked already.
    HearsOfOthers,
}

struct Serving(JoinHandle<()>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

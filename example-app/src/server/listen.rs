//! Connections: how many there are, how long they may take, how they end. (`axum::serve` waits for
//! everybody as long as it takes.)

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::room::{Room, Seat};

/// What clients may take of the service.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long the head of a request may take to arrive, and then its body.
    pub request: Duration,
    /// How long requests that are under way may take once the service is to stop.
    pub drain: Duration,
    /// How many connections there may be; at most half of the files that the process may have open,
    /// as the database needs some too.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            request: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            connections: 512,
        }
    }
}

/// How long a connection is kept for a client that says nothing while others wait for one.
const MOMENT: Duration = Duration::from_millis(250);

/// When the body of a request must have arrived.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(pub(crate) Instant);

/// Serves until it is to stop, and then what is under way. No client can make it fail, or end
/// later.
pub async fn listen(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) {
    let room = Room::new(limits.connections.min(half_of_the_files()), MOMENT);
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, seat) = tokio::select! {
            () = &mut stop => break,
            admitted = admit(&listener, &room) => admitted,
        };
        let served = serve(stream, seat, app.clone(), limits, graceful.watcher());
        connections.spawn(served);
        // Those that are over need not be kept.
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = sleep(limits.drain) => {
            tracing::warn!("stopped, although some requests were not over after {:?}", limits.drain);
        }
    }
}

#[cfg(unix)]
fn half_of_the_files() -> usize {
    use rustix::process::{Resource, getrlimit};
    let files = getrlimit(Resource::Nofile).current;
    files.map_or(usize::MAX, |files| (files / 2).max(1) as usize)
}

#[cfg(not(unix))]
fn half_of_the_files() -> usize {
    usize::MAX
}

/// The next client.
async fn admit(listener: &TcpListener, room: &Arc<Room>) -> (TcpStream, Seat) {
    const PAUSE: Duration = Duration::from_millis(100);
    let mut warned = false;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, room.seat().await),
            Err(error) if is_the_clients(&error) => {}
            // There are no file descriptors left, most likely.
            Err(error) => {
                if !warned {
                    tracing::warn!("cannot accept a connection: {error}");
                    warned = true;
                }
                room.close_longest();
                let _ = timeout(PAUSE, room.changed()).await;
            }
        }
    }
}

/// The client was gone before it was let in.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve(stream: TcpStream, seat: Seat, app: Router, limits: Limits, watcher: Watcher) {
    let (seat, app) = (Arc::new(seat), TowerToHyperService::new(app));
    let service = service_fn(|request| answer(request, &app, &seat, limits.request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.request)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // How it ended is its client's affair.
        _ = watcher.watch(connection) => {}
        () = seat.closed() => {}
    }
}

async fn answer(
    mut request: Request<Incoming>,
    app: &TowerToHyperService<Router>,
    seat: &Seat,
    patience: Duration,
) -> Result<Response, Infallible> {
    let deadline = Deadline(Instant::now() + patience);
    request.extensions_mut().insert(deadline);
    if request.body().is_end_stream() {
        seat.works();
    } else {
        // For the rest of it; when it has come is not known here.
        seat.waits();
    }
    let response = app.call(request).await;
    seat.waits();
    response
}

//! A TCP proxy between one process and a server, so that this process alone loses it.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::push::Messages;

#[cfg(test)]
mod tests;

/// Forwards until told otherwise.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    line: watch::Sender<Line>,
    messages: Arc<Messages>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Clone, Copy)]
struct Line {
    target: u16,
    /// How often the connections that there were have been frozen.
    freezes: usize,
    /// What the client sends stays here, on connections from before this freeze.
    questions_frozen: usize,
    /// What the server sends does.
    answers_frozen: usize,
    /// How long each piece takes, either way.
    delay: Duration,
    /// Bytes a second that come through, either way; 0: as many as may.
    width: u64,
    refuses: bool,
    /// Connections of another cut than the last are over.
    cuts: usize,
}

/// A freeze that no connection is from before of; and one that all are.
const NONE: usize = 0;
const ALL: usize = usize::MAX;

impl Proxy {
    /// One in front of a port of this machine.
    ///
    /// # Panics
    /// When there is no free port.
    pub async fn to(target: u16) -> Self {
        let line = watch::Sender::new(Line {
            target,
            freezes: 0,
            questions_frozen: NONE,
            answers_frozen: NONE,
            delay: Duration::ZERO,
            width: 0,
            refuses: false,
            cuts: 0,
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = line.subscribe();
        let messages = Arc::new(Messages::default());
        let all = Arc::clone(&messages);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, state.clone(), Arc::clone(&all)));
            }
        });
        Self { port, line, messages, accepting }
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a Redis behind it.
    pub fn redis_url(&self) -> String {
        self.redis_database_url(0)
    }

    /// Likewise, of another logical database than the first.
    pub fn redis_database_url(&self, database: u32) -> String {
        format!("redis://127.0.0.1:{}/{database}", self.port)
    }

    /// The address of a database of a PostgreSQL behind it.
    pub fn postgres_url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Connections stay open, and nothing comes through; what is
    /// sent meanwhile does when it resumes.
    pub fn freeze(&self) {
        self.freeze_questions();
        self.freeze_answers();
    }

    /// Likewise, of what the client sends only.
    pub fn freeze_questions(&self) {
        self.line.send_modify(|line| line.questions_frozen = ALL);
    }

    /// Likewise, of what the server sends only.
    pub fn freeze_answers(&self) {
        self.line.send_modify(|line| line.answers_frozen = ALL);
    }

    /// Nothing comes through on the connections that there are now, and nobody
    /// hears it when one is closed; new ones are as ever. A host that is gone
    /// without a word, and another at its address.
    pub fn freeze_existing(&self) {
        self.freeze_those_of_now(|line| {
            line.questions_frozen = line.freezes;
            line.answers_frozen = line.freezes;
        });
    }

    /// Likewise, of what the client sends only.
    pub fn freeze_existing_questions(&self) {
        self.freeze_those_of_now(|line| line.questions_frozen = line.freezes);
    }

    /// Likewise, of what the server sends only.
    pub fn freeze_existing_answers(&self) {
        self.freeze_those_of_now(|line| line.answers_frozen = line.freezes);
    }

    fn freeze_those_of_now(&self, freeze: impl Fn(&mut Line)) {
        self.line.send_modify(|line| {
            line.freezes += 1;
            freeze(line);
        });
    }

    /// Everything that is sent takes so long, either way, and for so long nothing else sets out.
    pub fn slow(&self, delay: Duration) {
        self.line.send_modify(|line| line.delay = delay);
    }

    /// So many bytes a second come through, either way.
    pub fn narrow(&self, bytes_per_second: u64) {
        self.line.send_modify(|line| line.width = bytes_per_second);
    }

    /// The next message that Redis publishes does not come through; all else does.
    pub fn lose_a_message(&self) {
        self.messages.lose_one();
    }

    /// Waits until it is lost.
    ///
    /// # Panics
    /// When there comes none.
    pub async fn has_lost_it(&self) {
        self.messages.is_lost().await;
    }

    /// Closes all connections, and every new one at once.
    pub fn cut(&self) {
        self.line.send_modify(|line| {
            line.refuses = true;
            line.cuts += 1;
        });
    }

    /// Forwards again.
    pub fn resume(&self) {
        self.line.send_modify(|line| {
            line.questions_frozen = NONE;
            line.answers_frozen = NONE;
            line.delay = Duration::ZERO;
            line.width = 0;
            line.refuses = false;
        });
    }

    /// Closes all connections, and leads new ones to another port.
    pub fn turn_to(&self, target: u16) {
        self.lead_to(target);
        self.line.send_modify(|line| line.cuts += 1);
    }

    /// Leads new connections to another port.
    pub fn lead_to(&self, target: u16) {
        self.line.send_modify(|line| line.target = target);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn carry(client: TcpStream, line: watch::Receiver<Line>, messages: Arc<Messages>) {
    let Line { target, freezes, refuses, cuts, .. } = *line.borrow();
    if refuses {
        return;
    }
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await else {
        return;
    };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let both = async {
        // Both to their ends: what a client sent before it hung up arrives.
        tokio::join!(
            pump(
                from_client,
                to_server,
                line.clone(),
                move |line| freezes < line.questions_frozen,
                None
            ),
            pump(
                from_server,
                to_client,
                line.clone(),
                move |line| freezes < line.answers_frozen,
                Some(&messages)
            )
        )
    };
    let cut = async { line.clone().wait_for(|line| line.cuts != cuts).await.is_ok() };
    tokio::select! {
        _ = both => {}
        _ = cut => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut line: watch::Receiver<Line>,
    is_frozen: impl Fn(&Line) -> bool,
    messages: Option<&Messages>,
) {
    let mut bytes = vec![0; 16 * 1024];
    let mut held_back = Vec::new();
    loop {
        // Nothing: the end, which stays here like anything else.
        let length = from.read(&mut bytes).await.unwrap_or(0);
        held_back.extend_from_slice(&bytes[..length]);
        let forwarded = messages.map_or(held_back.len(), |all| all.take_out(&mut held_back));
        let Line { delay, width, .. } = *line.borrow();
        let transfer = (forwarded as u64 * 1_000_000).checked_div(width);
        let delay = delay + Duration::from_micros(transfer.unwrap_or_default());
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if line.wait_for(|line| !is_frozen(line)).await.is_err()
            || length == 0
            || to.write_all(&held_back[..forwarded]).await.is_err()
        {
            return;
        }
        held_back.drain(..forwarded);
    }
}

//! A small client: keep-alive, closed loops, in a process of its own.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::harness::{Outcome, Sample};
use crate::pace::{micros, p99};

/// Runs [`client`] as a process.
pub(crate) async fn drive(
    address: String,
    first: i64,
    connections: i64,
    length: Duration,
) -> Outcome<Sample> {
    let mut client = Command::new(std::env::current_exe()?);
    client.args(["client", &address]);
    for number in [first, connections, length.as_millis() as i64] {
        client.arg(number.to_string());
    }
    let output = client.kill_on_drop(true).output().await?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The process: `client <address> <first plio> <connections> <ms>`. Prints operations a second, and
/// the p99 in µs.
pub(crate) async fn client(
    address: &str,
    first: i64,
    connections: i64,
    length: Duration,
) -> Outcome<()> {
    let mut open = Vec::new();
    for n in 0..connections {
        let mut connection = Connection::open(address).await?;
        let path = format!("/api/v1/plios/{}", first + n);
        connection.send("GET", &path).await?;
        open.push((connection, path));
    }
    let began = Instant::now();
    let mut all = JoinSet::new();
    for (mut connection, path) in open {
        all.spawn(async move {
            let mut took = Vec::new();
            while began.elapsed() < length {
                let start = Instant::now();
                connection.send("GET", &path).await?;
                took.push(start.elapsed());
            }
            Outcome::Ok(took)
        });
    }
    let mut took = Vec::new();
    while let Some(done) = all.join_next().await {
        took.extend(done??);
    }
    let throughput = took.len() as f64 / began.elapsed().as_secs_f64();
    println!("[{throughput}, {}]", micros(p99(&mut took)));
    Ok(())
}

pub(crate) struct Connection {
    stream: TcpStream,
    /// What was read, and is not yet of an answer.
    read: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Outcome<Connection> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let read = Vec::with_capacity(8192);
        Ok(Connection { stream, read })
    }

    /// Sends a request without a body; the answer's body, if it is a success.
    pub(crate) async fn send(&mut self, method: &str, path: &str) -> Outcome<Vec<u8>> {
        let request =
            format!("{method} {path} HTTP/1.1\r\nhost: race\r\ncontent-length: 0\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        loop {
            if let Some(end) = self.answer()? {
                let body = self.read.split_off(end.0);
                let rest = body.len() - end.1;
                if rest > 0 {
                    return Err("more than one answer".into());
                }
                self.read.clear();
                return Ok(body);
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Err("the server hung up".into());
            }
        }
    }

    /// Where the body begins and how long it is, when all of it is there.
    fn answer(&self) -> Outcome<Option<(usize, usize)>> {
        let Some(head) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            return Ok(None);
        };
        let text = std::str::from_utf8(&self.read[..head])?;
        if !text.starts_with("HTTP/1.1 2") {
            return Err(text.into());
        }
        let length = text
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .ok_or("an answer has no content-length")?
            .1
            .trim()
            .parse()?;
        let body = head + 4;
        Ok((self.read.len() >= body + length).then_some((body, length)))
    }
}

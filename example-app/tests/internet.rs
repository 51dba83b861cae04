//! The real program among strangers: clients that send half of what they should, or read nothing,
//! and signals.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

/// Nothing here takes longer on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// For what is not to happen in a test.
const NEVER: &str = "3600";

const HALF_A_HEAD: &str = "GET /healthz HTTP/1.1\r\nHo";
const HALF_A_BODY: &str = "POST /api/v1/videos HTTP/1.1\r\nHost: it\r\n\
    Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"url\": ";

#[test]
fn half_a_head_is_not_waited_for_for_long() {
    let service = Service::start(&[("REQUEST_TIMEOUT", "1")]);
    let mut nothing = service.client("");
    let mut half = service.client(HALF_A_HEAD);
    let mut idle = service.client("GET /healthz HTTP/1.1\r\nHost: it\r\n\r\n");
    assert_eq!(half.rest(), "");
    assert_eq!(nothing.rest(), "");
    let answer = idle.rest();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    service.serves();
}

#[test]
fn half_a_body_is_answered_408() {
    let service = Service::start(&[("REQUEST_TIMEOUT", "1")]);
    for half in [
        HALF_A_BODY,
        "POST /api/v1/videos HTTP/1.1\r\nHost: it\r\nContent-Type: application/json\r\n\
            Transfer-Encoding: chunked\r\n\r\n8\r\n{\"url\": ",
        &HALF_A_BODY.replace("POST /api/v1/videos", "PATCH /api/v1/plios/1"),
    ] {
        let answer = service.client(half).rest();
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
    service.serves();
}

#[test]
fn a_drop_now_and_then_is_not_waited_for_either() {
    let service = Service::start(&[("REQUEST_TIMEOUT", "1")]);
    for (half, drop) in [(HALF_A_HEAD, "x"), (HALF_A_BODY, " ")] {
        let mut client = service.client(half);
        let began = Instant::now();
        // Until the service has closed it.
        while client.0.write_all(drop.as_bytes()).is_ok() {
            assert!(began.elapsed() < PATIENCE, "it waits as long as something comes");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    service.serves();
}

#[test]
fn sigterm_ends_whatever_clients_do() {
    let service = Service::start(&[("REQUEST_TIMEOUT", NEVER), ("DRAIN_TIMEOUT", "1")]);
    let _half = [service.client(HALF_A_HEAD), service.client_under_way(), service.slow_reader()];
    service.signal("TERM");
    let (status, _) = service.end();
    assert!(status.success(), "{status}");
}

#[test]
fn idle_connections_hold_up_nothing() {
    let service = Service::start(&[("REQUEST_TIMEOUT", NEVER), ("DRAIN_TIMEOUT", NEVER)]);
    let _nothing = service.client("");
    let mut idle = service.client("GET /healthz HTTP/1.1\r\nHost: it\r\n\r\n");
    idle.reads("ok");
    service.signal("TERM");
    let (status, _) = service.end();
    assert!(status.success(), "{status}");
}

#[test]
fn a_request_that_is_under_way_is_answered() {
    let service = Service::start(&[("REQUEST_TIMEOUT", NEVER), ("DRAIN_TIMEOUT", NEVER)]);
    let mut client = service.client_under_way();
    service.signal("INT");
    service.refuses();
    client.sends("{\"url\": \"https://example.org/the-other-half\"}     ");
    let answer = client.rest();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (status, _) = service.end();
    assert!(status.success(), "{status}");
}

#[test]
fn a_second_signal_ends_at_once() {
    let service = Service::start(&[("REQUEST_TIMEOUT", NEVER), ("DRAIN_TIMEOUT", NEVER)]);
    let _half = service.client_under_way();
    service.signal("TERM");
    service.refuses();
    service.signal("INT");
    let (status, stderr) = service.end();
    assert_eq!(status.code(), Some(1), "{status}");
    assert!(stderr.contains("told to stop again"), "{stderr}");
}

#[test]
fn who_waits_shuts_nobody_out() {
    let service = Service::start(&[("REQUEST_TIMEOUT", NEVER), ("MAX_CONNECTIONS", "20")]);
    let mut strangers = Vec::new();
    for kind in 0..4 {
        for _ in 0..50 {
            strangers.push(match kind {
                0 => service.client(""),
                1 => service.client(HALF_A_HEAD),
                2 => service.client(HALF_A_BODY),
                _ => service.slow_reader(),
            });
        }
        service.serves();
    }
}

#[test]
fn of_a_crowd_everybody_is_served() {
    let service = Service::start(&[("REQUEST_TIMEOUT", NEVER), ("MAX_CONNECTIONS", "5")]);
    let request = "GET /api/v1/videos HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n";
    let crowd: Vec<Client> = (0..200).map(|_| service.client(request)).collect();
    for mut client in crowd {
        let answer = client.rest();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }
}

#[test]
fn the_database_has_files_left() {
    let service = Service::start(&[("REQUEST_TIMEOUT", NEVER), ("FILES", "100")]);
    let _strangers: Vec<Client> = (0..200).map(|_| service.client(HALF_A_HEAD)).collect();
    for _ in 0..20 {
        service.serves();
    }
}

#[test]
fn without_files_it_goes_on() {
    let service = Service::start(&[("REQUEST_TIMEOUT", NEVER)]);
    service.serves();
    service.may_open_another(20);
    let mut strangers = Vec::new();
    for _ in 0..3 {
        strangers.extend((0..200).map(|_| service.client(HALF_A_HEAD)));
        // This one is in memory.
        service.serves();
    }
    let used = service.processor_time();
    assert!(used < Duration::from_secs(10), "it spins: {used:?}");
    drop(strangers);
    service.signal("TERM");
    let (_, stderr) = service.end();
    assert!(stderr.contains("cannot accept a connection"), "{stderr}");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_in_the_log() {
    let service = Service::start(&[]);
    let database = format!("sqlite://{}", service.dir.path().join("plio.db").display());
    let mut sql = SqliteConnection::connect(&database).await.expect("open");
    let wrong = "UPDATE video SET duration = 'a secret' WHERE id = 1";
    sqlx::raw_sql(wrong).execute(&mut sql).await.expect("written");
    for path in ["/videos/1", "/videos", "/plios/1"] {
        let request =
            format!("GET /api/v1{path} HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n");
        let answer = service.client(&request).rest();
        assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
        assert!(!answer.contains("duration") && !answer.contains("secret"), "{answer}");
    }
    service.signal("TERM");
    let (_, stderr) = service.end();
    for line in stderr.lines() {
        // Of a video, and of the plio that it belongs to.
        let named = line.contains("the row with the id 1") || line.contains("belongs to 1");
        assert!(named && line.contains("video") && line.contains("duration"), "{line}");
        assert!(!line.contains("secret"), "{line}");
    }
    assert_eq!(stderr.lines().count(), 3, "{stderr}");
}

/// The program, on a port and a database of its own.
struct Service {
    child: Child,
    address: String,
    dir: TempDir,
}

impl Service {
    /// `FILES` is how many it may have open.
    fn start(variables: &[(&str, &str)]) -> Service {
        let dir = tempfile::tempdir().expect("a folder");
        let database = format!("sqlite://{}", dir.path().join("plio.db").display());
        let mut child = Command::new("sh")
            .args(["-c", r#"[ -z "$FILES" ] || ulimit -n "$FILES"; exec "$0""#])
            .arg(env!("CARGO_BIN_EXE_example-app"))
            .env_remove("REDIS_URL")
            .env("DATABASE_URL", database)
            .env("LISTEN", "127.0.0.1:0")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        let address = out.lines().map_while(Result::ok).find_map(|line| {
            let (_, after) = line.split_once("http://")?;
            Some(after.split_once('/')?.0.to_owned())
        });
        Service { address: address.expect("it says where it listens"), child, dir }
    }

    /// A client that has sent this.
    fn client(&self, sent: &str) -> Client {
        let stream = TcpStream::connect(&self.address).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        stream.set_write_timeout(Some(PATIENCE)).expect("set");
        let mut client = Client(stream);
        client.sends(sent);
        client
    }

    /// A client whose request the service has begun to work on: it waits for the body, of 50 bytes.
    fn client_under_way(&self) -> Client {
        let (head, _) = HALF_A_BODY.split_once("\r\n\r\n").expect("a head");
        let mut client = self.client(&format!("{head}\r\nExpect: 100-continue\r\n\r\n"));
        client.reads("100 Continue\r\n\r\n");
        client
    }

    /// A client that asks, and asks again, and does not read the answers.
    fn slow_reader(&self) -> Client {
        let client = self.client("");
        let ask = "GET /api/v1/plios HTTP/1.1\r\nHost: it\r\n\r\n".repeat(100);
        client.0.set_nonblocking(true).expect("set");
        // Until the service takes no more, as nobody takes what it has to say.
        let began = Instant::now();
        let mut stuck = Instant::now();
        while stuck.elapsed() < Duration::from_millis(50) && began.elapsed() < PATIENCE {
            match (&client.0).write(ask.as_bytes()) {
                Ok(_) => stuck = Instant::now(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(_) => break,
            }
        }
        client.0.set_nonblocking(false).expect("set");
        client
    }

    /// Somebody else is served.
    fn serves(&self) {
        let request = "GET /api/v1/plios/1 HTTP/1.1\r\nHost: it\r\nConnection: close\r\n\r\n";
        let answer = self.client(request).rest();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
    }

    /// Waits until nobody is let in any more.
    fn refuses(&self) {
        let began = Instant::now();
        while TcpStream::connect(&self.address).is_ok() {
            assert!(began.elapsed() < PATIENCE, "it does not stop");
            std::thread::yield_now();
        }
    }

    fn signal(&self, name: &str) {
        servers::signal(self.child.id(), name);
    }

    /// Waits for its end; what it said on stderr.
    fn end(mut self) -> (ExitStatus, String) {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                break status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut said = String::new();
        let stderr = self.child.stderr.as_mut().expect("its stderr");
        stderr.read_to_string(&mut said).expect("read");
        (status, said)
    }

    /// So many files, besides those that are open.
    fn may_open_another(&self, files: usize) {
        let pid = self.child.id();
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("a list");
        let limit = open.count() + files;
        let limits = Command::new("prlimit")
            .args([format!("--pid={pid}"), format!("--nofile={limit}:{limit}")])
            .status();
        assert!(limits.expect("prlimit").success());
    }

    fn processor_time(&self) -> Duration {
        let stat = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(stat).expect("read");
        let fields: Vec<&str> = stat.split(' ').collect();
        // utime and stime, in hundredths of a second on Linux.
        let ticks = |field: usize| fields[field].parse::<u64>().expect("a number");
        Duration::from_millis(10 * (ticks(13) + ticks(14)))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Client(TcpStream);

impl Client {
    fn sends(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).expect("sent");
    }

    /// Reads until this has come.
    fn reads(&mut self, end: &str) {
        let (mut read, mut byte) = (Vec::new(), [0]);
        while !read.ends_with(end.as_bytes()) {
            self.0.read_exact(&mut byte).expect("an answer");
            read.extend(byte);
        }
    }

    /// All that comes until the service closes the connection.
    fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            // Closed while there was something that the service had not read.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection is not closed: {error}"),
        }
        String::from_utf8_lossy(&rest).into_owned()
    }
}

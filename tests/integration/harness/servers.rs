//! The real servers: one PostgreSQL and one Redis for the whole run, started when the first story needs them, and a
//! Redis of its own for a story that stops, freezes or kills it.
//!
//! Nothing outlives the run. The servers are killed at its end; and should the run itself be killed, a [`Leash`] does it.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// The PostgreSQL of this run.
pub fn postgres() -> &'static Postgres {
    started(POSTGRES.get_or_init(Postgres::start))
}

/// The Redis of this run; every story has a logical database of it.
pub fn redis() -> &'static Redis {
    started(REDIS.get_or_init(|| Redis::start(&["--save", "", "--databases", "4096"])))
}

/// A Redis for one story. It keeps its memory in a snapshot, so it comes back with what it knew.
pub fn own_redis() -> Redis {
    // A replica of it need not wait for others to join.
    let replicas = ["--repl-diskless-sync-delay", "0"];
    Redis::start(
        &[
            &["--save", "3600 1", "--rdbcompression", "no"],
            &replicas[..],
        ]
        .concat(),
    )
    .unwrap_or_else(|sentence| panic!("{sentence}"))
}

/// A replica of it.
pub fn replica_of(primary: &Redis) -> Redis {
    let primary = format!("127.0.0.1 {}", primary.port);
    Redis::start(&["--save", "", "--replicaof", &primary])
        .unwrap_or_else(|sentence| panic!("{sentence}"))
}

/// Ends what this run has started.
pub fn stop_all() {
    if let Some(Ok(postgres)) = POSTGRES.get() {
        postgres.stop();
    }
    if let Some(Ok(redis)) = REDIS.get() {
        redis.kill();
        let _ = std::fs::remove_dir_all(redis.dir.path());
    }
}

static POSTGRES: OnceLock<Result<Postgres, String>> = OnceLock::new();
static REDIS: OnceLock<Result<Redis, String>> = OnceLock::new();

fn started<Server>(server: &'static Result<Server, String>) -> &'static Server {
    server
        .as_ref()
        .unwrap_or_else(|sentence| panic!("{sentence}"))
}

pub struct Postgres {
    port: u16,
    dir: Mutex<Option<TempDir>>,
    process: Mutex<Option<Process>>,
}

impl Postgres {
    fn start() -> Result<Self, String> {
        let initdb = find("initdb", "postgresql")?;
        let postgres = find("postgres", "postgresql")?;
        let dir = directory("tests-postgres-")?;
        let data = dir.path().join("data");
        let root = answer("id", &["-u"])? == "0";
        if root {
            // PostgreSQL refuses to run as root.
            let uid = answer("id", &["-u", "postgres"])?.parse().map_err(|_| {
                "PostgreSQL does not run as root, and there is no user `postgres` to run it as"
                    .to_owned()
            })?;
            chown(dir.path(), Some(uid), None).map_err(|error| error.to_string())?;
        }
        let as_postgres = |program: &Path| {
            let mut command = Command::new(if root { Path::new("runuser") } else { program });
            if root {
                command.args(["-u", "postgres", "--"]).arg(program);
            }
            command.current_dir(dir.path());
            command
        };

        let made = as_postgres(&initdb)
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .output()
            .map_err(|error| format!("{} cannot be run: {error}", initdb.display()))?;
        if !made.status.success() {
            return Err(format!(
                "initdb failed: {}",
                String::from_utf8_lossy(&made.stderr)
            ));
        }

        let port = free_port();
        let mut command = as_postgres(&postgres);
        command.arg("-D").arg(&data);
        for setting in [
            "listen_addresses=127.0.0.1",
            &format!("port={port}"),
            "unix_socket_directories=",
            "max_connections=300",
            "shared_buffers=64MB",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
        ] {
            command.args(["-c", setting]);
        }
        let mut process = Process::run(&mut command, dir.path())?;
        process.wait_for(port)?;
        // The child may be runuser, which does not pass a signal on: the server says itself who it is.
        let pid = std::fs::read_to_string(data.join("postmaster.pid"))
            .map_err(|error| error.to_string())?;
        process.pid = pid
            .lines()
            .next()
            .and_then(|pid| pid.trim().parse().ok())
            .ok_or("postmaster.pid has no pid")?;
        process.leash = Some(Leash::on(process.pid, "QUIT", dir.path()));
        Ok(Self {
            port,
            dir: Mutex::new(Some(dir)),
            process: Mutex::new(Some(process)),
        })
    }

    /// The address of a database on this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn stop(&self) {
        if let Some(mut process) = self
            .process
            .lock()
            .ok()
            .and_then(|mut process| process.take())
        {
            signal(process.pid, "QUIT"); // at once, its children with it
            process.reap();
        }
        drop(self.dir.lock().map(|mut dir| dir.take()));
    }
}

pub struct Redis {
    port: u16,
    dir: TempDir,
    settings: Vec<String>,
    databases: AtomicU32,
    process: Mutex<Option<Process>>,
}

impl Redis {
    fn start(settings: &[&str]) -> Result<Self, String> {
        let server = Self {
            port: free_port(),
            dir: directory("tests-redis-")?,
            settings: settings
                .iter()
                .map(|setting| (*setting).to_owned())
                .collect(),
            databases: AtomicU32::new(0),
            process: Mutex::new(None),
        };
        server.run()?;
        Ok(server)
    }

    fn run(&self) -> Result<(), String> {
        let mut command = Command::new(find("redis-server", "redis-server")?);
        command
            .args([
                "--bind",
                "127.0.0.1",
                "--appendonly",
                "no",
                "--daemonize",
                "no",
                "--port",
            ])
            .arg(self.port.to_string())
            .arg("--dir")
            .arg(self.dir.path())
            .args(&self.settings);
        let mut process = Process::run(&mut command, self.dir.path())?;
        process.leash = Some(Leash::on(process.pid, "KILL", self.dir.path()));
        process.wait_for(self.port)?;
        *self.process.lock().map_err(|_| "poisoned")? = Some(process);
        Ok(())
    }

    /// The port that it was started on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of one logical database of this server.
    pub fn url(&self, database: u32) -> String {
        format!("redis://127.0.0.1:{}/{database}", self.port)
    }

    /// A logical database that nobody else has.
    pub fn database(&self) -> u32 {
        self.databases.fetch_add(1, Ordering::Relaxed)
    }

    /// Stops it in good order: it writes its memory down first.
    pub fn stop(&self) {
        self.end("TERM");
    }

    /// Kills it: what it has not yet written down is lost.
    pub fn kill(&self) {
        self.end("KILL");
    }

    /// Starts it again, on the same port, with what it wrote down.
    pub fn start_again(&self) {
        self.run().unwrap_or_else(|sentence| panic!("{sentence}"));
    }

    /// Whether the memory that it comes back with has this text in it.
    pub fn wrote_down(&self, text: &str) -> bool {
        let snapshot = std::fs::read(self.dir.path().join("dump.rdb")).unwrap_or_default();
        snapshot
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
    }

    /// Makes its next snapshot fail: there is a directory where the file would be.
    pub fn forbid_snapshots(&self) {
        let file = self.dir.path().join("dump.rdb");
        let _ = std::fs::remove_file(&file);
        std::fs::create_dir_all(file.join("in the way")).expect("a directory");
    }

    /// It no longer answers, and its connections stay open: worse than gone.
    pub fn freeze(&self) {
        signal(self.pid(), "STOP");
    }

    /// It goes on as if nothing had happened, with what was sent to it meanwhile.
    pub fn thaw(&self) {
        signal(self.pid(), "CONT");
    }

    fn pid(&self) -> u32 {
        let process = self.process.lock().expect("not poisoned");
        process.as_ref().expect("Redis runs").pid
    }

    fn end(&self, how: &str) {
        if let Some(mut process) = self
            .process
            .lock()
            .ok()
            .and_then(|mut process| process.take())
        {
            signal(process.pid, how);
            process.reap();
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Process {
    child: Child,
    pid: u32,
    log: PathBuf,
    leash: Option<Leash>,
}

impl Process {
    fn run(command: &mut Command, dir: &Path) -> Result<Self, String> {
        let log = dir.join("log");
        let out = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let err = out.try_clone().map_err(|error| error.to_string())?;
        let program = command.get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
        Ok(Self {
            pid: child.id(),
            child,
            log,
            leash: None,
        })
    }

    fn wait_for(&mut self, port: u16) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = self.child.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || Instant::now() > deadline {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                return Err(format!("a server does not start on port {port}:\n{log}"));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn reap(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Kills a server when this process is gone, however it went: a shell that waits for the end of a pipe we hold.
struct Leash(Child);

impl Leash {
    fn on(pid: u32, signal: &str, dir: &Path) -> Self {
        let dir = dir.display();
        let script = format!(
            "trap '' INT TERM HUP; cat >/dev/null; kill -{signal} {pid}; sleep 1; rm -rf '{dir}'"
        );
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self(shell.spawn().expect("a shell"))
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // The server has ended already: let go without a kill, its number may be somebody else's by now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {pid}")])
        .stderr(Stdio::null())
        .status();
    assert!(sent.is_ok(), "no shell to send a signal with");
}

/// A program on PATH, or where Debian hides PostgreSQL's.
fn find(program: &str, package: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    places.into_iter().map(|place| place.join(program)).find(|file| file.is_file()).ok_or_else(|| {
        format!("`{program}` is neither on PATH nor in /usr/lib/postgresql/*/bin: install it (Debian, Ubuntu: apt install {package})")
    })
}

fn answer(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn directory(prefix: &str) -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .map_err(|error| format!("no temporary directory: {error}"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

//! Redis.

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::clock::Clock;
use crate::process::{Leash, Process, directory, find, free_port, signal};

/// A Redis.
#[derive(Debug)]
pub struct Redis {
    port: u16,
    pub(crate) dir: TempDir,
    settings: Vec<String>,
    clock: Option<Clock>,
    databases: AtomicU32,
    process: Mutex<Option<Process>>,
}

impl Redis {
    /// One for one story. It keeps its memory in a snapshot, so it comes back with what it knew.
    ///
    /// # Panics
    /// When it does not start.
    pub fn own() -> Redis {
        Redis::with_clock(None)
    }

    /// Likewise; its time of day is this clock's.
    ///
    /// # Panics
    /// When it does not start.
    pub fn with_clock(clock: Option<Clock>) -> Redis {
        // A replica of it need not wait for others to join.
        let replicas = ["--repl-diskless-sync-delay", "0"];
        let snapshot = ["--save", "3600 1", "--rdbcompression", "no"];
        Redis::start(&[&snapshot[..], &replicas[..]].concat(), &[], clock)
            .unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    /// A replica of this one; started again, it is a replica no longer.
    ///
    /// # Panics
    /// When it does not start.
    pub fn replica(&self) -> Redis {
        let primary = format!("127.0.0.1 {}", self.port);
        let replica = ["--replicaof", &primary, "--repl-diskless-sync-delay", "0"];
        Redis::start(&["--save", ""], &replica, self.clock.clone())
            .unwrap_or_else(|sentence| panic!("{sentence}"))
    }

    /// With settings of it, and some of its first start.
    pub(crate) fn start(
        settings: &[&str],
        first: &[&str],
        clock: Option<Clock>,
    ) -> Result<Self, String> {
        let server = Self {
            port: free_port(),
            dir: directory("tests-redis-")?,
            settings: settings.iter().map(|setting| (*setting).to_owned()).collect(),
            clock,
            databases: AtomicU32::new(0),
            process: Mutex::new(None),
        };
        server.run(first)?;
        Ok(server)
    }

    fn run(&self, first: &[&str]) -> Result<(), String> {
        let mut command = Command::new(find("redis-server", "redis-server")?);
        command
            .args(["--bind", "127.0.0.1", "--appendonly", "no", "--daemonize", "no", "--port"])
            .arg(self.port.to_string())
            .arg("--dir")
            .arg(self.dir.path())
            .args(&self.settings)
            .args(first);
        if let Some(clock) = &self.clock {
            command.envs(clock.environment());
        }
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
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&self) {
        self.run(&[]).unwrap_or_else(|sentence| panic!("{sentence}"));
    }

    /// Whether the memory that it comes back with has this text in it.
    pub fn wrote_down(&self, text: &str) -> bool {
        let snapshot = std::fs::read(self.dir.path().join("dump.rdb")).unwrap_or_default();
        snapshot.windows(text.len()).any(|bytes| bytes == text.as_bytes())
    }

    /// Makes its next snapshot fail: there is a directory where the file would be.
    ///
    /// # Panics
    /// When that directory cannot be made.
    pub fn forbid_snapshots(&self) {
        let file = self.dir.path().join("dump.rdb");
        let _ = std::fs::remove_file(&file);
        std::fs::create_dir_all(file.join("in the way")).expect("a directory");
    }

    /// It has written nothing down: it comes back empty.
    pub fn lose_snapshot(&self) {
        let _ = std::fs::remove_file(self.dir.path().join("dump.rdb"));
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
        if let Some(mut process) = self.process.lock().ok().and_then(|mut process| process.take()) {
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

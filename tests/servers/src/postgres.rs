//! PostgreSQL.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{
    Leash, PATIENCE, Process, answer, directory, find, free_port, signal, signal_all,
};

/// A PostgreSQL, which keeps nothing safe: no `fsync`. What it has written
/// is safe from a crash of its own all the same.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    /// PostgreSQL refuses to run as root.
    is_root: bool,
    settings: Vec<String>,
    home: PathBuf,
    dir: Mutex<Option<TempDir>>,
    process: Mutex<Option<Process>>,
}

impl Postgres {
    /// One that nobody shares, with settings such as `max_prepared_transactions=5`.
    ///
    /// # Panics
    /// When it does not start.
    pub fn own(settings: &[&str]) -> Self {
        Self::start(settings).unwrap_or_else(|why| panic!("{why}"))
    }

    pub(crate) fn start(settings: &[&str]) -> Result<Self, String> {
        let settings = settings.iter().map(|it| (*it).to_owned());
        let server = Self::in_a_directory(settings.collect())?;
        server.make(
            "initdb",
            &["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
        )?;
        server.run()?;
        Ok(server)
    }

    /// A standby of this one, which streams from it through that port: a
    /// link that can be held up. Nobody waits for it.
    ///
    /// # Panics
    /// When it does not start.
    pub fn standby(&self, port: u16) -> Self {
        let standby = || {
            let standby = Self::in_a_directory(self.settings.clone())?;
            let from = format!("--dbname=postgres://postgres@127.0.0.1:{port}");
            let as_it_is = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"];
            standby.make("pg_basebackup", &[&[&*from][..], &as_it_is].concat())?;
            standby.run()?;
            Ok(standby)
        };
        standby().unwrap_or_else(|why: String| panic!("{why}"))
    }

    fn in_a_directory(settings: Vec<String>) -> Result<Self, String> {
        let dir = directory("tests-postgres-")?;
        let is_root = answer("id", &["-u"])? == "0";
        if is_root {
            let uid = answer("id", &["-u", "postgres"])?.parse().map_err(|_| {
                "PostgreSQL does not run as root, and there is no user `postgres` to run it as"
                    .to_owned()
            })?;
            chown(dir.path(), Some(uid), None).map_err(|error| error.to_string())?;
        }
        Ok(Self {
            port: free_port(),
            is_root,
            settings,
            home: dir.path().to_owned(),
            dir: Mutex::new(Some(dir)),
            process: Mutex::new(None),
        })
    }

    /// One of its programs, for its data.
    fn program(&self, name: &str) -> Result<Command, String> {
        let program = find(name, "postgresql")?;
        let mut command = Command::new(if self.is_root { Path::new("runuser") } else { &program });
        if self.is_root {
            command.args(["-u", "postgres", "--"]).arg(&program);
        }
        command.current_dir(&self.home).arg("-D").arg(self.data());
        Ok(command)
    }

    fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    fn make(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let made = self.program(program)?.args(arguments).output();
        let made = made.map_err(|error| format!("{program} cannot be run: {error}"))?;
        match made.status.success() {
            true => Ok(()),
            false => {
                let why = String::from_utf8_lossy(&made.stderr);
                Err(format!("{program} failed: {why}"))
            }
        }
    }

    fn run(&self) -> Result<(), String> {
        let mut command = self.program("postgres")?;
        let port = format!("port={}", self.port);
        let all = [
            "listen_addresses=127.0.0.1",
            &port,
            "unix_socket_directories=",
            "max_connections=300",
            "shared_buffers=64MB",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
        ];
        for setting in all.into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.args(["-c", setting]);
        }
        let mut process = Process::run(&mut command, &self.home)?;
        process.wait_for(self.port)?;
        // The child may be runuser, which does not pass a signal
        // on: the server says itself who it is.
        let pid = std::fs::read_to_string(self.data().join("postmaster.pid"))
            .map_err(|error| error.to_string())?;
        process.pid = pid
            .lines()
            .next()
            .and_then(|pid| pid.trim().parse().ok())
            .ok_or("postmaster.pid has no pid")?;
        process.leash = Some(Leash::on(process.pid, "QUIT", &self.home));
        *self.process.lock().map_err(|_| "poisoned")? = Some(process);
        Ok(())
    }

    /// The port that it was started on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database on this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Kills it and all its children at one blow: what none of them has written down is lost.
    ///
    /// # Panics
    /// When they do not end.
    pub fn kill(&self) {
        let Some(mut process) = self.take() else {
            return;
        };
        let all = [vec![process.pid], children(process.pid)].concat();
        signal_all(&all, "KILL");
        process.reap();
        let deadline = Instant::now() + PATIENCE;
        // A server does not start while one of another still has its memory.
        while all.iter().any(|pid| has_memory(*pid)) {
            assert!(Instant::now() < deadline, "a process does not end: {all:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Starts it again, on the same port, with what it wrote down.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&self) {
        self.run().unwrap_or_else(|why| panic!("{why}"));
    }

    /// Makes this standby a primary, of a timeline of its own.
    ///
    /// # Panics
    /// When it is none.
    pub fn promote(&self) {
        let promoted = self.make("pg_ctl", &["promote", "--wait"]);
        promoted.unwrap_or_else(|why| panic!("{why}"));
    }

    /// Stops it at once.
    pub fn stop(&self) {
        if let Some(mut process) = self.take() {
            signal(process.pid, "QUIT"); // at once, its children with it
            process.reap();
        }
        drop(self.dir.lock().map(|mut dir| dir.take()));
    }

    fn take(&self) -> Option<Process> {
        self.process.lock().ok().and_then(|mut it| it.take())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

fn children(pid: u32) -> Vec<u32> {
    let file = format!("/proc/{pid}/task/{pid}/children");
    let all = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let all = all.split_whitespace();
    all.filter_map(|pid| pid.parse().ok()).collect()
}

/// Who has ended, and nobody has asked how, has a number, but no program any more.
fn has_memory(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/exe")).read_link().is_ok()
}

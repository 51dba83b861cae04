//! PostgreSQL.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use tempfile::TempDir;

use crate::process::{Leash, Process, answer, directory, find, free_port, signal};

/// A PostgreSQL, which keeps nothing safe: no `fsync`.
#[derive(Debug)]
pub struct Postgres {
    port: u16,
    dir: Mutex<Option<TempDir>>,
    process: Mutex<Option<Process>>,
}

impl Postgres {
    /// One that nobody shares, with settings such as `max_prepared_transactions=5`.
    pub fn own(settings: &[&str]) -> Self {
        Self::start(settings).unwrap_or_else(|why| panic!("{why}"))
    }

    pub(crate) fn start(settings: &[&str]) -> Result<Self, String> {
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
        let all = [
            "listen_addresses=127.0.0.1",
            &format!("port={port}"),
            "unix_socket_directories=",
            "max_connections=300",
            "shared_buffers=64MB",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
        ];
        for setting in all.iter().chain(settings) {
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

    /// The port that it was started on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of a database on this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Stops it at once.
    pub fn stop(&self) {
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

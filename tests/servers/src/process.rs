//! A server's process, and its end.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a server may take for whatever is asked of it: to start, to stop, to tell.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) pid: u32,
    log: PathBuf,
    pub(crate) leash: Option<Leash>,
}

impl Process {
    pub(crate) fn run(command: &mut Command, dir: &Path) -> Result<Self, String> {
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
        Ok(Self { pid: child.id(), child, log, leash: None })
    }

    pub(crate) fn wait_for(&mut self, port: u16) -> Result<(), String> {
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

    pub(crate) fn reap(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Kills a server when this process is gone, however it went: a shell
/// that waits for the end of a pipe we hold.
#[derive(Debug)]
pub(crate) struct Leash(Child);

impl Leash {
    pub(crate) fn on(pid: u32, signal: &str, dir: &Path) -> Self {
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
        // The server has ended already: let go without a kill, its
        // number may be somebody else's by now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a process a signal, such as "STOP".
///
/// # Panics
/// When there is no shell.
pub fn signal(pid: u32, name: &str) {
    signal_all(&[pid], name);
}

/// Sends it to these, one right after the other.
pub(crate) fn signal_all(pids: &[u32], name: &str) {
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    let pids = pids.join(" ");
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {pids}")])
        .stderr(Stdio::null())
        .status();
    assert!(sent.is_ok(), "no shell to send a signal with");
}

/// A program on PATH, or where Debian hides PostgreSQL's.
///
/// # Errors
/// When it is in neither, with the package to install.
pub fn find(program: &str, package: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    places.into_iter().map(|place| place.join(program)).find(|file| file.is_file()).ok_or_else(|| {
        format!("`{program}` is neither on PATH nor in /usr/lib/postgresql/*/bin: install it (Debian, Ubuntu: apt install {package})")
    })
}

pub(crate) fn answer(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

pub(crate) fn directory(prefix: &str) -> Result<TempDir, String> {
    tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .map_err(|error| format!("no temporary directory: {error}"))
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}

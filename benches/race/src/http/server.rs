//! The servers of row 7, each a process.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};

use crate::harness::Outcome;

/// The example as a release, with the `cache.toml` at the root, but for its near caches: its
/// program.
pub(crate) fn build_example(root: &Path, folder: &Path, near: bool) -> Outcome<PathBuf> {
    let name = if near { "near" } else { "far" };
    let text = std::fs::read_to_string(root.join("cache.toml"))?;
    let has_near = text.lines().any(is_near);
    let mut edited = String::new();
    for line in text.lines().filter(|line| near || !is_near(line)) {
        edited += line;
        edited += "\n";
        if near && !has_near && ["[model.plio]", "[model.user]"].contains(&line) {
            edited += "near = { entries = 10000 }\n";
        }
    }
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, edited)?;
    let output = std::process::Command::new("cargo")
        .args(["build", "--release", "--package", "example-app"])
        .current_dir(root)
        .env("CACHE_TOML", &file)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .output()?;
    if !output.status.success() {
        // The first error says enough.
        let stderr = String::from_utf8_lossy(&output.stderr);
        let error = stderr.lines().skip_while(|line| !line.starts_with("error"));
        return Err(error.take(3).collect::<Vec<_>>().join("\n").into());
    }
    let program = folder.join(format!("example-{name}"));
    std::fs::copy(root.join("target/release/example-app"), &program)?;
    Ok(program)
}

fn is_near(line: &str) -> bool {
    line.starts_with("near =")
}

/// Ends with this.
pub(crate) struct Server {
    pub(crate) address: String,
    _process: Child,
    /// Open, or it could not write.
    _says: BufReader<ChildStdout>,
}

impl Server {
    pub(crate) async fn example(program: &Path, database: &str, redis: &str) -> Outcome<Server> {
        let mut command = Command::new(program);
        command
            .env("DATABASE_URL", database)
            .env("REDIS_URL", redis)
            .env("RUST_LOG", "error")
            .env("LISTEN", "127.0.0.1:0");
        Server::start(command).await
    }

    /// Answers every plio with these bytes.
    pub(crate) async fn constant(folder: &Path, body: &[u8]) -> Outcome<Server> {
        let file = folder.join("body.json");
        std::fs::write(&file, body)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("constant").arg(file);
        Server::start(command).await
    }

    /// It says its address in what it prints first.
    async fn start(mut command: Command) -> Outcome<Server> {
        let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let mut says = BufReader::new(process.stdout.take().ok_or("no output")?);
        let mut line = String::new();
        loop {
            line.clear();
            if says.read_line(&mut line).await? == 0 {
                return Err(format!("{command:?} has ended").into());
            }
            if let Some((_, url)) = line.split_once("http://") {
                let address = url.split('/').next().unwrap_or(url).trim();
                return Ok(Server {
                    address: address.to_owned(),
                    _process: process,
                    _says: says,
                });
            }
        }
    }
}

/// The process: `constant <file>`.
pub(crate) async fn constant(file: &str) -> Outcome<()> {
    let body: &'static str = String::leak(std::fs::read_to_string(file)?);
    let answer = move || async move { ([(CONTENT_TYPE, "application/json")], body) };
    let app = Router::new().route("/api/v1/plios/{id}", get(answer));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

//! `cache.toml` is what decides: edit it, build, and a write reaches something else.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::json;

use crate::{build_dir, cargo, root, run};

#[tokio::test]
async fn what_the_file_ignores_is_ignored_by_the_service() {
    let file = build_dir("rebuild").join("cache.toml");
    let original = fs::read_to_string(root().join("cache.toml")).expect("read cache.toml");
    let ignores = r#"ignores = ["type", "updated_at"]"#;
    let edited = original.replace("[model.item]\n", &format!("[model.item]\n{ignores}\n"));
    assert_ne!(original, edited, "cache.toml no longer has the line that this test edits");

    fs::write(&file, &original).expect("write");
    assert_eq!(after_an_items_change(&file).await, "memory; fwd=miss; stored");

    fs::write(&file, &edited).expect("write");
    assert_eq!(after_an_items_change(&file).await, "near; hit");
}

/// Builds the example with this file, runs it, and tells how plio 1 is
/// answered after a write to one of its items.
async fn after_an_items_change(cache_toml: &Path) -> String {
    run(cargo(&["build", "-p", "example-app"]).current_dir(root()).env("CACHE_TOML", cache_toml));
    let service = Service::start();
    let client = reqwest::Client::new();
    let plio = format!("{}/api/v1/plios/1", service.address);
    client.get(&plio).send().await.expect("get");
    let warm = client.get(&plio).send().await.expect("get");
    assert_eq!(warm.headers()["cache-status"], "near; hit");

    let item = format!("{}/api/v1/items/1", service.address);
    let patched = client.patch(item).json(&json!({"type": "note"})).send().await.expect("patch");
    assert_eq!(patched.status(), 200);
    let answer = client.get(&plio).send().await.expect("get");
    answer.headers()["cache-status"].to_str().expect("text").to_owned()
}

/// The example with its demonstration, stopped when dropped.
struct Service {
    process: Child,
    address: String,
    /// Open as long as the process may print.
    _stdout: BufReader<ChildStdout>,
    _dir: tempfile::TempDir,
}

impl Service {
    fn start() -> Service {
        let dir = tempfile::tempdir().expect("a folder");
        let mut target = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .parent()
            .expect("target")
            .join("debug/example-app");
        target.set_extension(std::env::consts::EXE_EXTENSION);
        let mut process = Command::new(target)
            .current_dir(dir.path())
            .env("LISTEN", "127.0.0.1:0")
            .env_remove("DATABASE_URL")
            .env_remove("REDIS_URL")
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the example");
        let mut stdout = BufReader::new(process.stdout.take().expect("piped"));
        // It prints what to curl once it listens.
        let address = stdout
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
            })
            .expect("the example prints its address");
        let address = address.split("/api").next().unwrap_or_default().to_owned();
        Service { process, address, _stdout: stdout, _dir: dir }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! Row 8: what the derive adds to a build, and how long a change of `cache.toml` takes to a rebuilt
//! service.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::harness::{Lane, Metric, Outcome, Results, Sample};

const STRUCTS: usize = 30;

const METRIC: [Metric; 1] = [Metric::less("ms")];

pub(crate) async fn measure(results: &mut Results, root: &Path) -> Outcome<()> {
    let folder = root.join("target/bench/compile");
    for derives in [
        "",
        "Serialize, Deserialize",
        "Serialize, Deserialize, Cached",
    ] {
        generate(root, &folder, derives)?;
    }
    for verb in ["check", "build"] {
        // Once for the dependencies.
        for name in ["plain", "serde", "cached"] {
            time(&folder.join(name), verb)?;
        }
        let lane = |name, with: &'static str, without: &'static str| {
            let folder = folder.clone();
            Lane::new(name, move || {
                let added = added(&folder, verb, with, without);
                async { added }
            })
        };
        let whole = |name, of: &'static str| {
            let folder = folder.clone();
            Lane::new(name, move || {
                let took = time(&folder.join(of), verb);
                async { Ok(vec![took?]) }
            })
        };
        let lanes = [
            lane("ours", "cached", "serde"),
            lane("serde's two", "serde", "plain"),
            whole("plain, in all", "plain"),
            whole("with serde, in all", "serde"),
            whole("with serde and Cached, in all", "cached"),
        ];
        let case = format!("{STRUCTS} structs, what derives add to cargo {verb}");
        results.race(8, &case, &METRIC, &lanes).await?;
    }
    rebuild(results, root, &folder).await
}

/// How much longer the one takes than the other.
fn added(folder: &Path, verb: &str, with: &str, without: &str) -> Outcome<Sample> {
    let without = time(&folder.join(without), verb)?;
    let with = time(&folder.join(with), verb)?;
    // It may come out below nothing where machines are busy.
    Ok(vec![f64::max(with - without, 1.0)])
}

/// Of one crate, after a line of it has changed.
fn time(krate: &Path, verb: &str) -> Outcome<f64> {
    touch(&krate.join("src/lib.rs"), "//")?;
    let mut cargo = Command::new("cargo");
    cargo.args([verb, "--offline"]).current_dir(krate);
    cargo.env("CARGO_TARGET_DIR", krate.with_file_name("target"));
    cargo.env_remove("CACHE_TOML");
    run(&mut cargo)
}

/// Milliseconds.
fn run(command: &mut Command) -> Outcome<f64> {
    let began = Instant::now();
    let output = command.output()?;
    match output.status.success() {
        true => Ok(began.elapsed().as_secs_f64() * 1e3),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}

/// Changes the last line, a comment, which is made when there is none.
fn touch(file: &Path, comment: &str) -> Outcome<()> {
    let text = fs::read_to_string(file)?;
    let (lines, last) = text.trim_end().rsplit_once('\n').unwrap_or((&text, ""));
    let mark = format!("{comment} touched ");
    let (lines, times) = match last.strip_prefix(&mark) {
        Some(times) => (lines, times.parse::<u64>()? + 1),
        None => (text.trim_end(), 1),
    };
    fs::write(file, format!("{lines}\n{mark}{times}\n"))?;
    Ok(())
}

fn generate(root: &Path, folder: &Path, derives: &str) -> Outcome<()> {
    let name = match derives.rsplit(", ").next() {
        Some("Cached") => "cached",
        Some("Deserialize") => "serde",
        _ => "plain",
    };
    let krate = folder.join(name);
    fs::create_dir_all(krate.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
         cache-runtime = {{ path = {:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n",
        root.join("cache-runtime")
    );
    fs::write(krate.join("Cargo.toml"), manifest)?;
    fs::copy(root.join("Cargo.lock"), krate.join("Cargo.lock"))?;
    let mut file = String::new();
    let mut code = "#![allow(unused_imports)]\nuse cache_runtime::Cached;\nuse serde::{Deserialize, Serialize};\n".to_owned();
    for n in 0..STRUCTS {
        writeln!(file, "[model.m{n}]\nkey = \"m{n}_{{id}}\"")?;
        writeln!(
            code,
            "\n#[derive(Clone, Debug, {derives})]\npub struct M{n} {{"
        )?;
        writeln!(
            code,
            "    pub id: i64,\n    pub name: String,\n    pub parent_id: Option<i64>,"
        )?;
        for column in 0..9 {
            writeln!(code, "    pub column_{column}: Option<String>,")?;
        }
        // Every third is built from the two before it.
        if n % 3 == 2 {
            let (a, b) = (n - 2, n - 1);
            writeln!(
                code,
                "    pub m{a}: Option<M{a}>,\n    pub m{b}: Vec<M{b}>,"
            )?;
            writeln!(
                file,
                "references = {{ parent_id = \"m{a}\" }}\ndepends-on = [\"m{a}\", \"m{b}\"]"
            )?;
        } else if n % 3 == 1 && n + 1 < STRUCTS {
            writeln!(file, "references = {{ parent_id = \"m{}\" }}", n + 1)?;
        }
        code += "}\n";
    }
    fs::write(krate.join("cache.toml"), file)?;
    fs::write(krate.join("src/lib.rs"), code)?;
    Ok(())
}

/// The example, after a change of `cache.toml`, beside the same after a change of its code that
/// changes as little.
async fn rebuild(results: &mut Results, root: &Path, folder: &Path) -> Outcome<()> {
    let file = folder.join("cache.toml");
    fs::copy(root.join("cache.toml"), &file)?;
    let build = {
        let (root, file) = (root.to_owned(), file.clone());
        move || -> Outcome<Sample> {
            let mut cargo = Command::new("cargo");
            cargo.args(["build", "--offline", "--package", "example-app"]);
            cargo.current_dir(&root).env("CACHE_TOML", &file);
            cargo.env("CARGO_TARGET_DIR", root.join("target"));
            Ok(vec![run(&mut cargo)?])
        }
    };
    build()?;
    let ours = {
        let build = build.clone();
        move || {
            let took = touch(&file, "#").and_then(|()| build());
            async { took }
        }
    };
    let code = root.join("example-app/src/lib.rs");
    let floor = move || {
        let took = newer(&code).and_then(|()| build());
        async { took }
    };
    let lanes = [
        Lane::new("ours", ours),
        Lane::new("a change of the code", floor),
    ];
    let case = "cache.toml changes, cargo build -p example-app";
    results.race(8, case, &METRIC, &lanes).await
}

/// To cargo a file has changed when its time has.
fn newer(file: &PathBuf) -> Outcome<()> {
    let file = fs::File::options().append(true).open(file)?;
    file.set_modified(std::time::SystemTime::now())?;
    Ok(())
}

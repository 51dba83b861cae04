//! The ledger's `cache.toml`, but for the prefix. Keys are compiled into the structs, so a copy of
//! its `Schema` with another prefix would not do: its values would have the same keys.

use std::path::Path;
use std::{env, fs};

fn main() {
    let ledger = "../cache.toml";
    println!("cargo::rerun-if-changed={ledger}");
    let text = fs::read_to_string(ledger).expect("the ledger's cache.toml");
    let twin = text.replacen("[cache]\n", "[cache]\nprefix = \"twin:\"\n", 1);
    assert_ne!(text, twin, "{ledger} has no section [cache]");
    let out = env::var_os("OUT_DIR").expect("set by cargo");
    let path = Path::new(&out).join("cache.toml");
    fs::write(&path, twin).expect("written");
    println!("cargo::rustc-env=CACHE_TOML={}", path.display());
}

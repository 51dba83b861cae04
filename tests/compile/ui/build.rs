//! `good/pass/lints.rs` is also a test of this package, so that
//! clippy sees it: this says by which file.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=CACHE_TOML=good/cache.toml");
}

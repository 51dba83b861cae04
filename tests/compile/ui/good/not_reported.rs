#[path = "rest/mod.rs"]
mod rest;
use rest::*;

fn changed<T: cache_runtime::Reported>(_old: &T, _new: &T) {}

fn handler(old: &Membership, new: &Membership) {
    changed(old, new);
}

fn main() {}

//! Fuzz targets: what strangers write (`cache.toml`, the store, the outbox, ids), thrown at what
//! reads it. A target takes any bytes, and panics if something does not hold that its module says.
//!
//! Two things are to stand in the inputs of a corpus, and both be readable: so inputs are text
//! where they can be, and lines where they are several things.

mod entry;
mod keys;
mod outbox;
mod schema;
mod triggers;

pub use entry::entry;
pub use keys::keys;
pub use outbox::outbox;
pub use schema::schema;
pub use triggers::triggers;

/// Runs a target on an input, which is in the file `FUZZ_INPUT` meanwhile, if that is set: when a
/// stack overflows, libFuzzer has none left to keep the input.
pub fn run(target: Target, data: &[u8]) {
    if let Some(file) = std::env::var_os("FUZZ_INPUT") {
        std::fs::write(file, data).expect("FUZZ_INPUT can be written");
    }
    target(data);
}

/// A target.
pub type Target = fn(&[u8]);

/// All of them by name: the name of the program, and of the folder of the corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("schema", schema),
    ("triggers", triggers),
    ("entry", entry),
    ("outbox", outbox),
    ("keys", keys),
];

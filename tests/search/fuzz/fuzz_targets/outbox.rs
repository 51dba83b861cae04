//! `tests/search/fuzz/run outbox`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::run(fuzz::outbox, data));

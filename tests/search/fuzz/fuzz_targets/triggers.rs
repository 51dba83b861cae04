//! `tests/search/fuzz/run triggers`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::run(fuzz::triggers, data));

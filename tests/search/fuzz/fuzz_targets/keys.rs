//! `tests/search/fuzz/run keys`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::run(fuzz::keys, data));

//! `tests/search/fuzz/run entry`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::run(fuzz::entry, data));

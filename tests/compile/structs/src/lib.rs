//! What people write: structs with serde's attributes, two of one model, functions that
//! are generic over what they read, and calls outside of a runtime. There is no
//! database in it: a source holds what a loader is to return.
#![cfg(test)]

mod altered;
mod hidden;
mod misuse;
mod round_trip;
mod source;

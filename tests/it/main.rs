//! End-to-end tests: one binary, so that the crate is linked once.

mod cli;
mod omise_client;

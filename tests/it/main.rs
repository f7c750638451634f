//! End-to-end tests: one binary, so that the crate is linked once.

mod omise_client;

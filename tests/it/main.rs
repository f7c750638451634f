//! End-to-end tests: one binary, so that the crate is linked once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test is meant to stop")]

mod omise_client;
mod sandbox;
mod sdk;

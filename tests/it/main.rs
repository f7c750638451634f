//! End-to-end tests: one binary, so that the crate is linked once.

mod api_commands;
mod omise_client;

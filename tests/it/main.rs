//! Tests of the whole, in one binary so that the crate is linked once: the drawing of the house, and the real binary
//! against the sandbox's real HTTP.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what it expects; clippy knows only functions marked as tests, not what they call"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the suite waits for processes by the real clock, and prints its proofs"
)]

mod adopting;
mod api_commands;
mod architecture;
mod budgets;
mod catch_up;
mod cli;
mod crash;
mod daemon;
mod demo;
mod dry_run;
mod harness;
mod log_lines;
mod many_cards;
mod messages;
mod narrowed;
mod omise_client;
mod planted;
mod refusals;
mod resolving;
mod rollback;
mod sandbox;
mod sdk;
mod simulate;
mod soak;
mod stories;
mod systemd;
mod unreadable;

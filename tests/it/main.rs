//! Tests of the whole, in one binary so that the crate is linked once: the drawing of the house, and the real binary
//! against the sandbox's real HTTP.

mod architecture;
mod crash;
mod harness;
mod omise_client;

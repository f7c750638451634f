//! Tests of the whole: the drawing of the house, and the real binary against the sandbox's real HTTP.

mod architecture;
mod crash;
mod harness;

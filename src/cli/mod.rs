//! The `cli` room.

pub mod sandbox;

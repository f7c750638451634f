//! The `omise` room.

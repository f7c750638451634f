//! The `billing` room.

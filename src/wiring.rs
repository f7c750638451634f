//! The fuse box.

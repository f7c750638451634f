//! The only file that reads the system clock.

//! Messages end to end: the real binary, its book, and receivers that really receive.

mod crash;
mod mail;
mod post;
pub mod words;

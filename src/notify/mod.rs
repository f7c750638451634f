//! The messengers: they deliver what the outbox holds, by letter, signed webhook or command.
//!
//! They are handed a message that somebody else decided on, and say what became of it. They must never know what an
//! event means, which message follows from it, or where the book is.

pub mod letters;

//! One outcome, one message: a property over the real rules and a real book.

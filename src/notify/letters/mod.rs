//! The letters: a message's facts, put into words in English, Thai or Japanese.
//!
//! Rendering is pure: the same message, language and settings give the same letter, so that a letter sent twice is
//! one letter. It must never know how a letter travels.

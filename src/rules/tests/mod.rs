//! Tests of the rules as a whole: stories, properties, planted mistakes.

mod book;
mod smoke;

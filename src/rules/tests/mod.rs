//! Tests of the rules as a whole: stories, properties, planted mistakes.

mod book;
mod calendar;
mod cards;
mod commands;
mod doubt;
mod explain;
mod planted;
mod properties;
mod smoke;
mod stories;
mod story;

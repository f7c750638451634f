//! Tests of the rules as a whole: stories, properties, planted mistakes.

mod ahead;
mod book;
mod calendar;
mod cards;
mod commands;
mod doubt;
mod explain;
mod glance;
mod kit;
mod laws;
mod money;
mod planted;
mod properties;
mod properties_declines;
mod reversal;
mod smoke;
mod stories_backup;
mod stories_cards;
mod stories_course;
mod stories_declined;
mod stories_ends;
mod stories_kinds;
mod stories_missed;
mod stories_three_ds;
mod stories_unknown;
mod story;

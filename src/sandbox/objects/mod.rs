//! The objects of the API: what they hold, what is shown of them, what becomes of them.

pub mod account;
pub mod calendar;
pub mod cards;
pub mod charge_views;
pub mod charges;
pub mod charging;
pub mod currency;
pub mod customers;
pub mod error;
pub mod events;
pub mod filters;
pub mod lifecycle;
pub mod lists;
pub mod order;
pub mod params;
pub mod refunds;
pub mod schedule_views;
pub mod schedules;
pub mod search;
pub mod testcards;
pub mod three_ds;
pub mod tokens;
pub mod transactions;
pub mod verdict;

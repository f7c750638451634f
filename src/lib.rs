//! Recurring billing for customers saved at Omise.

pub mod billing;
pub mod cli;
pub mod clock;
pub mod config;
pub mod gateway;
pub mod hooks;
pub mod model;
pub mod omise;
pub mod rules;
pub mod sandbox;
pub mod store;
pub mod wiring;

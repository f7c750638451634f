//! The way in and out: connections, requests, switches carried out, answers, webhooks.

pub mod answer;
pub mod call;
pub mod control;
pub mod handling;
pub mod routes;
pub mod sending;
pub mod server;
pub mod webhooks;
pub mod wire;

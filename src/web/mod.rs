//! Windows to look in: how the service stands, for machines that watch it.
//!
//! And a doorbell for the provider, where its secret is configured.
//!
//! Promises: shows counts and instants, never anything of a customer. Must never know: the store, the gateway, the
//! daemon.

mod doorbell;
mod lengths;
mod look;
mod metrics;
mod server;
mod standing;
mod totals;

pub use server::{Windows, open};
pub use standing::{Phase, Standing};
pub use totals::Totals;

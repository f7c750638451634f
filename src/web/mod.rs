//! Windows to look in: how the service stands, for machines that watch it.
//!
//! Promises: shows counts and instants, never anything of a customer. Must never know: the store, the gateway, the
//! daemon.

mod lengths;
mod look;
mod metrics;
mod server;
mod standing;
mod totals;

pub use server::{Windows, open};
pub use standing::{Phase, Standing};
pub use totals::Totals;

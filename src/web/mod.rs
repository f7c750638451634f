//! Windows to look in: how the service stands, for machines that watch it.
//!
//! And a doorbell for the provider, where its secret is configured.
//!
//! Promises: shows counts and instants, never anything of a customer. It asks the book, through the lane of billing, how
//! much is due, in doubt or flagged and since when, and lane and gateway how often and how long they were asked; it
//! changes nothing by it, and names neither room. Must never know: how a book is kept, how a charge is sent, the daemon.

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

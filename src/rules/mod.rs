//! Decisions, pure: what is due, what it costs, what follows an answer, when to try again.
//!
//! Promises: the same arguments give the same answer; nothing here waits, reads, writes or asks the time.
//! Must never know: effects of any kind.

mod circumstances;
mod prepared;

pub use circumstances::{Circumstances, Wire};
pub use prepared::{DoubtStep, Prepared, PreparedCharge, RuleError, Scan};

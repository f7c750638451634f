//! The service: woken once a minute, it asks what is due, and does one piece of work after the other.
//!
//! Promises: a tick carries no meaning, so a lost, doubled or late one changes nothing; two pieces of work never
//! overlap, but for what charges nobody and goes beside them; old doubt is looked at before anything new; a wish to
//! stop is obeyed within one call.
//! Must never know: how a charge is decided or sent.

mod desk;
mod jobs;
mod leisure;
mod post;
mod pulse;
pub mod schedule;
pub mod signals;
mod systemd;
mod trust;
mod wishes;
mod work;

pub use desk::Desk;
pub use jobs::{Job, Timetable};
pub use post::PostOffice;
pub use pulse::Pulse;
pub use systemd::waits;
pub use wishes::{Order, Reload, ReloadAnswer, Wishes};
pub use work::EndedBadly;

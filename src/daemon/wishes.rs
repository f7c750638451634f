//! What the service is asked, and what it works with.

use std::pin::Pin;

use super::jobs::Timetable;
use crate::billing::Billing;
use crate::wiring::{Backups, Post};

/// What people and the system ask of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Take no more work, let calls in flight end, leave.
    Stop,
    /// Read the config again.
    Reload,
}

/// What the service works with; a new config gives new ones.
pub struct Wishes {
    /// The work.
    pub billing: Billing,
    /// When which job is due.
    pub timetable: Timetable,
    /// Makes copies of the book; `None`: nobody wishes any.
    pub backups: Option<Backups>,
    /// Who is told what.
    pub post: Post,
}

/// New wishes to come, or why they were refused.
pub type ReloadAnswer = Pin<Box<dyn Future<Output = Result<Wishes, String>> + Send>>;
/// Reads the config again.
pub type Reload = Box<dyn Fn() -> ReloadAnswer + Send>;

//! The lane: one thread that owns the book, fed by a bounded queue, committing in groups.

/// The lane's thread has ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the book's thread has ended")]
pub struct LaneClosed;

/// What the lane has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneStats {
    /// Durable transactions.
    pub commits: u64,
    /// Transitions written by them.
    pub transitions: u64,
}

/// A handle on the thread that owns the book.
#[derive(Clone, Debug)]
pub struct Lane;

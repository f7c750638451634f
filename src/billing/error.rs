//! Why a run could not be made at all. What stops a run on its way is in its report instead.

use thiserror::Error;

use crate::gateway::GatewayError;
use crate::model::RunReport;
use crate::store::{LaneClosed, StoreError};

/// Why a run could not be made at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunError {
    /// The book refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The provider refused, or could not be reached before anything was begun.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// What was asked for makes no sense; the sentence says what would.
    #[error("{0}")]
    Usage(String),
    /// The provider refused our keys during the run; what was done until then is in the report.
    #[error("the provider refused the key during the run; nobody was marked declined, the rest is due again")]
    KeysDuringRun(Box<RunReport>),
    /// The wall clock cannot be trusted.
    #[error("{0}")]
    Clock(String),
    /// The book was adopted just now.
    #[error(
        "the book was adopted just now: a charge that was under way before that may not be in the provider's list yet, and \
         would be made again; charging begins at {until}"
    )]
    Settling {
        /// When that is over, in words.
        until: String,
    },
    /// The book's thread is gone: a fault of ours.
    #[error(transparent)]
    Lane(#[from] LaneClosed),
}

impl RunError {
    /// Whether the same may go well later without anybody's doing: the provider was away, or busy, or the book was; its
    /// disk was full, or failed. A book that is damaged, foreign or newer stays so.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Gateway(error) => !matches!(error, GatewayError::Keys { .. }),
            Self::Store(error) => {
                matches!(error, StoreError::Busy { .. } | StoreError::Full { .. } | StoreError::Other { .. })
            }
            Self::Clock(_) | Self::Settling { .. } => true,
            Self::Usage(_) | Self::KeysDuringRun(_) | Self::Lane(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_in_trouble_may_come_back_and_one_that_is_no_book_of_ours_does_not() {
        let path = || std::path::PathBuf::from("dues.db");
        let passes = [
            StoreError::Busy { path: path(), waited_s: 10 },
            StoreError::Full { path: path() },
            StoreError::Other { path: path(), what: "disk I/O error".into() },
        ];
        let stays = [
            StoreError::Newer { path: path(), found: 99, known: 8 },
            StoreError::Foreign { path: path(), found: "another kind of file".into() },
            StoreError::Corrupt { path: path(), what: "malformed".into() },
            StoreError::WrongMode { found: "live", wanted: "test" },
        ];
        assert!(passes.into_iter().all(|error| RunError::Store(error).may_pass()));
        assert!(stays.into_iter().all(|error| !RunError::Store(error).may_pass()));
    }
}

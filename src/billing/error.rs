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
    /// The book's thread is gone: a fault of ours.
    #[error(transparent)]
    Lane(#[from] LaneClosed),
}

impl RunError {
    /// Whether the same may go well later without anybody's doing: the provider was away, or busy, or the book was.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Gateway(error) => !matches!(error, GatewayError::Keys { .. }),
            Self::Store(error) => matches!(error, StoreError::Busy { .. }),
            Self::Clock(_) => true,
            Self::Usage(_) | Self::KeysDuringRun(_) | Self::Lane(_) => false,
        }
    }
}

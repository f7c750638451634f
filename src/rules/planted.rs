//! Mistakes that tests plant on purpose, to show that they would be noticed.
//!
//! Without the feature `test-hooks` nothing here can be switched on: [`planted`] is then the constant `false`.
//! Must never know: what a mistake does; that is written where the mistake would be made.

/// A mistake that a billing program might make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The next period is counted from the last date instead of the anchor.
    LastDatePlusInterval,
    /// A period is due only on the very day it starts.
    AnniversaryIsToday,
    /// A card is charged after its month has ended.
    ExpiredCardCharged,
    /// A decline that said "never" is tried again.
    RetriedAfterNever,
    /// An attempt that nobody knows about is followed by another one.
    DoubtRetriedBlindly,
    /// What is sent carries another key than what was stored.
    KeyMadeAnew,
    /// Satang are taken for baht.
    AmountInWrongUnit,
}

#[cfg(feature = "test-hooks")]
impl Bug {
    /// Its name in the environment variable `DUES_PLANT`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LastDatePlusInterval => "last_date_plus_interval",
            Self::AnniversaryIsToday => "anniversary_is_today",
            Self::ExpiredCardCharged => "expired_card_charged",
            Self::RetriedAfterNever => "retried_after_never",
            Self::DoubtRetriedBlindly => "doubt_retried_blindly",
            Self::KeyMadeAnew => "key_made_anew",
            Self::AmountInWrongUnit => "amount_in_wrong_unit",
        }
    }
}

#[cfg(feature = "test-hooks")]
mod switch {
    use std::cell::Cell;
    use std::sync::OnceLock;

    use super::Bug;

    thread_local! {
        static HERE: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    fn of_process() -> Option<&'static str> {
        static NAME: OnceLock<Option<String>> = OnceLock::new();
        NAME.get_or_init(|| std::env::var("DUES_PLANT").ok()).as_deref()
    }

    /// Whether that mistake is planted, in this thread or in the whole process.
    pub fn planted(bug: Bug) -> bool {
        HERE.get() == Some(bug) || of_process() == Some(bug.name())
    }

    /// Runs `work` with that mistake planted in this thread.
    pub fn with_planted<T>(bug: Bug, work: impl FnOnce() -> T) -> T {
        struct Pulled;
        impl Drop for Pulled {
            fn drop(&mut self) {
                HERE.set(None);
            }
        }
        HERE.set(Some(bug));
        let _pulled = Pulled;
        work()
    }
}

#[cfg(feature = "test-hooks")]
pub use switch::{planted, with_planted};

/// Nothing is ever planted in a shipped program.
#[cfg(not(feature = "test-hooks"))]
pub const fn planted(_: Bug) -> bool {
    false
}

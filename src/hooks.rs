//! Kill points, planted bugs, a clock that leaps and a loop that hangs, for the test-suite; without the feature
//! `test-hooks` every function here is empty or constant, so a shipped binary holds none of it. Knows nothing of the
//! rooms that call it.

/// A bug that the suite can plant to prove that a test goes red.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The request leaves before its intent is durable.
    NoIntent,
    /// A retry derives its idempotency key anew, from the clock.
    KeyMadeAnew,
    /// A 5xx answer is read as the bank's no.
    ServerErrorIsDecline,
    /// A doubtful attempt is followed by another at once.
    DoubtRetriedBlindly,
    /// Transactions begin deferred.
    DeferredTransactions,
    /// The next period is the last date plus the interval.
    LastDatePlusInterval,
    /// Only a period that starts today is due.
    AnniversaryIsToday,
    /// An expired card is charged all the same.
    ExpiredCardCharged,
    /// A second run at the same instant charges again.
    SecondRunCharges,
    /// A decline that says never is retried.
    RetriedAfterNever,
    /// The amount is sent in main units.
    WrongUnit,
    /// A result is written without naming the version it expects.
    ResultWithoutVersion,
    /// A decline is told of at once, although a try in the silent period may make that moot.
    SilenceBroken,
    /// A message is named after its event instead of its outcome.
    OutcomeToldTwice,
    /// Another saved card is charged although the customer never agreed to it.
    BackupWithoutConsent,
    /// A card is tried whatever its network's budget says.
    OverBudget,
    /// An end leaves the retries of what is open as they were.
    RetriedAfterCancel,
    /// An invoice is tried beside an attempt of its own that has not ended.
    BesideUnfinished,
    /// Another card than the one that was read as the default has answered, and what was read is believed all the same.
    WrongCardBelieved,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::NoIntent,
        Self::KeyMadeAnew,
        Self::ServerErrorIsDecline,
        Self::DoubtRetriedBlindly,
        Self::DeferredTransactions,
        Self::LastDatePlusInterval,
        Self::AnniversaryIsToday,
        Self::ExpiredCardCharged,
        Self::SecondRunCharges,
        Self::RetriedAfterNever,
        Self::WrongUnit,
        Self::ResultWithoutVersion,
        Self::SilenceBroken,
        Self::OutcomeToldTwice,
        Self::BackupWithoutConsent,
        Self::OverBudget,
        Self::RetriedAfterCancel,
        Self::BesideUnfinished,
        Self::WrongCardBelieved,
    ];

    /// Its name in `DUES_PLANT`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoIntent => "no-intent",
            Self::KeyMadeAnew => "key-made-anew",
            Self::ServerErrorIsDecline => "server-error-is-decline",
            Self::DoubtRetriedBlindly => "doubt-retried-blindly",
            Self::DeferredTransactions => "deferred-transactions",
            Self::LastDatePlusInterval => "last-date-plus-interval",
            Self::AnniversaryIsToday => "anniversary-is-today",
            Self::ExpiredCardCharged => "expired-card-charged",
            Self::SecondRunCharges => "second-run-charges",
            Self::RetriedAfterNever => "retried-after-never",
            Self::WrongUnit => "wrong-unit",
            Self::ResultWithoutVersion => "result-without-version",
            Self::SilenceBroken => "silence-broken",
            Self::OutcomeToldTwice => "outcome-told-twice",
            Self::BackupWithoutConsent => "backup-without-consent",
            Self::OverBudget => "over-budget",
            Self::RetriedAfterCancel => "retried-after-cancel",
            Self::BesideUnfinished => "beside-unfinished",
            Self::WrongCardBelieved => "wrong-card-believed",
        }
    }
}

#[cfg(feature = "test-hooks")]
mod live {
    use std::cell::Cell;
    use std::fs::File;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use super::Bug;

    thread_local! {
        static PLANTED_HERE: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Whether that bug is planted: for this thread by `with_planted`, or for the process by `DUES_PLANT`.
    pub fn planted(bug: Bug) -> bool {
        static NAMED: OnceLock<Option<String>> = OnceLock::new();
        PLANTED_HERE.get() == Some(bug)
            || NAMED.get_or_init(|| std::env::var("DUES_PLANT").ok()).as_deref() == Some(bug.name())
    }

    /// Runs `f` with that bug planted on this thread alone.
    pub fn with_planted<T>(bug: Bug, f: impl FnOnce() -> T) -> T {
        struct Restore(Option<Bug>);
        impl Drop for Restore {
            fn drop(&mut self) {
                PLANTED_HERE.set(self.0);
            }
        }
        let _restore = Restore(PLANTED_HERE.replace(Some(bug)));
        f()
    }

    /// How far this process's clocks are ahead of the machine's: as many seconds as the file named by `DUES_CLOCK` has
    /// bytes. A length is read whole and only grows, so several processes leap together, and none ever goes back. A
    /// leap is to them what sleep of the machine is: the wall clock and the steady one make it alike, while
    /// time-outs and waits under way go on as they were.
    pub fn clock_ahead() -> Duration {
        static FILE: OnceLock<Option<File>> = OnceLock::new();
        let file = FILE.get_or_init(|| File::open(std::env::var_os("DUES_CLOCK")?).ok());
        let seconds = file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |about| about.len());
        Duration::from_secs(seconds)
    }

    /// Holds the calling thread for ever if the file that `DUES_HANG` names is there; the rest of the process goes on.
    pub fn hang_point() {
        static FILE: OnceLock<Option<std::path::PathBuf>> = OnceLock::new();
        let file = FILE.get_or_init(|| std::env::var_os("DUES_HANG").map(Into::into));
        if file.as_ref().is_some_and(|file| file.exists()) {
            loop {
                std::thread::park();
            }
        }
    }

    /// Stops this process with SIGKILL if `DUES_KILL_AT` is `name` or `name:nth` and this is the nth time here.
    pub fn kill_point(name: &str) {
        static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
        static SEEN: AtomicU64 = AtomicU64::new(0);
        let wanted = WANTED.get_or_init(|| {
            let text = std::env::var("DUES_KILL_AT").ok()?;
            let (name, nth) = text.split_once(':').unwrap_or((&text, "1"));
            Some((name.to_owned(), nth.parse().unwrap_or(1)))
        });
        if let Some((wanted, nth)) = wanted
            && wanted == name
            && SEEN.fetch_add(1, Ordering::SeqCst) + 1 == *nth
        {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            loop {
                std::thread::park();
            }
        }
    }
}

#[cfg(feature = "test-hooks")]
pub use live::{clock_ahead, hang_point, kill_point, planted, with_planted};

/// Nothing: clocks leap only for the test-suite.
#[cfg(not(feature = "test-hooks"))]
#[inline]
pub const fn clock_ahead() -> std::time::Duration {
    std::time::Duration::ZERO
}

/// Never: planted bugs exist only for the test-suite.
#[cfg(not(feature = "test-hooks"))]
#[inline]
pub const fn planted(_: Bug) -> bool {
    false
}

/// Nothing: kill points exist only for the test-suite.
#[cfg(not(feature = "test-hooks"))]
#[inline]
pub const fn kill_point(_: &str) {}

/// Nothing: what the test-suite can make hang goes on everywhere else.
#[cfg(not(feature = "test-hooks"))]
#[inline]
pub const fn hang_point() {}

/// The places where `kill_point` is called, in the order that a charge passes them; those away from any charge at
/// the end.
pub const KILL_POINTS: &[&str] = &[
    "epoch.before_commit",
    "epoch.after_commit",
    "cards.before_commit",
    "cards.after_commit",
    "intent.before_commit",
    "intent.after_commit",
    "request.before",
    "answer.after_read",
    "result.before_commit",
    "result.after_commit",
    "settle.before_commit",
    "settle.after_commit",
    "report.before_commit",
    "report.after_commit",
    "recovery.before_scan",
    "recovery.after_scan",
    "recovery.before_commit",
    "recovery.after_commit",
    "outbox.before_commit",
    "outbox.after_commit",
    "message.before_mark",
    "message.after_mark",
    "order.before_commit",
    "order.after_commit",
    "news.before_commit",
    "news.after_commit",
    "watch.before_keep",
    "watch.after_keep",
    "warning.before_commit",
    "warning.after_commit",
    "adopt.before_take",
    "adopt.after_take",
    "adopt.before_bind",
    "adopt.after_bind",
    "restore.before_rename",
    "restore.aside",
    "restore.in_place",
];

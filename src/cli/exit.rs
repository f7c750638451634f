//! How a command ended, for scripts: six exit codes, and the sentence that goes with a failure.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};

use super::quoted;
use crate::billing::RunError;
use crate::billing::orders::OrderError;
use crate::config::{ConfigErrors, SecretError};
use crate::gateway::GatewayError;
use crate::model::{IdError, MoneyError, ZoneError};
use crate::notify::letters::OverrideErrors;
use crate::rules::RuleError;
use crate::sandbox::SandboxError;
use crate::store::StoreError;
use crate::wiring::WiringError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Completed. Declines, flags and doubt that will be looked up again are business as usual.
    Done = 0,
    /// Unexpected failure.
    Failed = 1,
    /// Wrong usage or config, a key refused locally included.
    Usage = 2,
    /// Completed, but a brake stopped the run or an incident needs a person.
    Attention = 3,
    /// The book refused.
    Store = 4,
    /// The provider refused our keys.
    Provider = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// For scripts.
    pub exit: Exit,
    /// For people; empty when there is nothing to say (the reader of our output went away).
    pub sentence: String,
    /// The same with colours; `None`: it has none of its own.
    pub coloured: Option<String>,
    /// The work came to its end, and only what it said of it is lost.
    of_output: bool,
}

impl Failure {
    /// A failure of that kind.
    pub fn new(exit: Exit, sentence: impl Display) -> Self {
        Self { exit, sentence: sentence.to_string(), coloured: None, of_output: false }
    }

    /// Wrong usage or config.
    pub fn usage(sentence: impl Display) -> Self {
        Self::new(Exit::Usage, sentence)
    }

    /// Anything that nobody foresaw.
    pub fn unexpected(sentence: impl Display) -> Self {
        Self::new(Exit::Failed, sentence)
    }

    /// The same, found by a dry run: that nothing was refused yet is said first.
    #[must_use]
    pub fn of_a_dry_run(self) -> Self {
        let sentence = self.sentence.strip_prefix("error: ").unwrap_or(&self.sentence);
        Self { sentence: format!("would be refused: {sentence}"), coloured: None, ..self }
    }

    /// The same of a command that changes something: whoever takes a lost output for a failure gives it twice.
    #[must_use]
    pub fn after_a_change(self) -> Self {
        if !self.of_output {
            return self;
        }
        let sentence = format!("{}; what was asked is done: look before you repeat it", self.sentence);
        Self { sentence, ..self }
    }

    /// Writes the sentence to stderr, what it quotes cut to what people read; returns the exit.
    pub fn tell(&self) -> Exit {
        let mut stderr = anstream::stderr().lock();
        // Nobody is left to be told when stderr is gone: the exit code still speaks.
        let _ = match &self.coloured {
            Some(text) => writeln!(stderr, "{}", quoted::cut(text)),
            None if self.sentence.is_empty() => Ok(()),
            None => {
                let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
                writeln!(stderr, "{red}error{red:#}: {}", quoted::cut(&self.sentence))
            }
        };
        self.exit
    }
}

/// What showing came to, where the command has its own end already: a reader that went away does not change it.
pub fn shown(showing: Result<(), Failure>) -> Result<(), Failure> {
    showing.or_else(|failure| if failure.exit == Exit::Done { Ok(()) } else { Err(failure) })
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        let coloured = Some(errors.coloured());
        Self { coloured, ..Self::usage(errors) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            // An id that somebody chose, keys of the other kind, and an order that comes too early are refused before
            // the book is touched.
            StoreError::Exists { .. } | StoreError::WrongMode { .. } | StoreError::Unsettled { .. } => {
                Exit::Usage
            }
            _ => Exit::Store,
        };
        Self::new(exit, error)
    }
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        let exit = if matches!(error, GatewayError::Keys { .. }) { Exit::Provider } else { Exit::Failed };
        Self::new(exit, error)
    }
}

impl From<std::io::Error> for Failure {
    /// Of writing our own output: a reader that went away is no error.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::new(Exit::Done, "");
        }
        let lost = Self::unexpected(format!("the output could not be written ({error})"));
        Self { of_output: true, ..lost }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Store(store) => store.into(),
            RunError::Gateway(gateway) => gateway.into(),
            RunError::Usage(sentence) => Self::usage(sentence),
            RunError::KeysDuringRun(_) => Self::new(Exit::Provider, error),
            // Whoever does not believe the clock keeps the book shut.
            RunError::Clock(_) | RunError::Settling { .. } => Self::new(Exit::Store, error),
            RunError::Lane(_) => Self::unexpected(error),
        }
    }
}

impl From<OrderError> for Failure {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::Store(store) => store.into(),
            OrderError::Refused(_) | OrderError::Contended { .. } => Self::new(Exit::Store, error),
            OrderError::NotFound { .. } | OrderError::Rule(_) => Self::usage(error),
        }
    }
}

impl From<WiringError> for Failure {
    fn from(error: WiringError) -> Self {
        match error {
            WiringError::Store(store) => store.into(),
            WiringError::Gateway(gateway) => gateway.into(),
            WiringError::Config(errors) => errors.into(),
            // The sandbox's state lies beside the book: in use means that another program charges from this book.
            WiringError::Adopt(_) | WiringError::Sandbox(SandboxError::StateInUse { .. }) => {
                Self::new(Exit::Store, error)
            }
            // Whoever may not write it may not write the book beside it either.
            WiringError::Sandbox(SandboxError::State { path, source }) => {
                StoreError::unwritable(&path, &source).into()
            }
            WiringError::Sandbox(_) => Self::unexpected(error),
            _ => Self::usage(error),
        }
    }
}

macro_rules! usage {
    ($($error:ty),+) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::usage(error)
            }
        }
    )+};
}
usage!(SecretError, IdError, MoneyError, ZoneError, RuleError, OverrideErrors);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_have_the_codes_that_scripts_read() {
        let full = StoreError::Full { path: "x".into() };
        assert_eq!(Failure::from(full).exit as u8, 4);
        let source = std::io::ErrorKind::PermissionDenied.into();
        let state = Failure::from(WiringError::Sandbox(SandboxError::State { path: "s".into(), source }));
        assert!(
            state.exit == Exit::Store && state.sentence.starts_with("s: cannot be written ("),
            "{state:?}"
        );
        let keys = GatewayError::Keys { code: "authentication_failure".into(), message: "no".into() };
        assert_eq!(Failure::from(keys).exit as u8, 5);
        assert_eq!(Failure::from(GatewayError::RateLimited).exit as u8, 1);
        assert_eq!(Failure::from(RuleError::Refused("no".into())).exit as u8, 2);
        let gone = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let gone = Failure::from(gone);
        assert_eq!((gone.exit as u8, shown(Err(gone))), (0, Ok(())));
        let full = Failure::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!(shown(Err(full.clone())), Err(full));
    }

    #[test]
    fn a_lost_output_is_no_failed_command() {
        let lost = Failure::from(std::io::Error::from(std::io::ErrorKind::StorageFull)).after_a_change();
        let said = "; what was asked is done: look before you repeat it";
        assert!(lost.exit == Exit::Failed && lost.sentence.ends_with(said), "{lost:?}");
        let gone = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(Failure::from(gone).after_a_change(), Failure::new(Exit::Done, ""));
        let refused = Failure::usage("no");
        assert_eq!(refused.clone().after_a_change(), refused);
    }
}

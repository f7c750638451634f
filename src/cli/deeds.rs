//! Which commands change something: whoever loses the output of one must look before giving it again.
//!
//! Promises: a new command cannot be left out, since it has to be named here. Must never know: what is changed.

use super::args::Command;

/// Whether a command that came as far as its output has changed something, in the book or at the provider.
pub(super) fn changes_something(command: &Command) -> bool {
    match command {
        Command::RunNow(args) => !args.dry_run,
        Command::Import(args) => !args.is_dry_run(),
        Command::Plans(args) => args.changes_something(),
        Command::Cards(args) => args.changes_something(),
        Command::Customers(args) => args.changes_something(),
        Command::Charges(args) => args.changes_something(),
        Command::Notify(command) => command.changes_something(),
        Command::Adopt(_)
        | Command::Subscribe(_)
        | Command::Pause(_)
        | Command::Resume(_)
        | Command::Cancel(_)
        | Command::Retry(_)
        | Command::Change(_)
        | Command::Invoice(_)
        | Command::Resolve(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Reconcile(_)
        | Command::Tokens(_) => true,
        Command::Daemon(_)
        | Command::Check(_)
        | Command::Why(_)
        | Command::List(_)
        | Command::Provider(_)
        | Command::Completions(_)
        | Command::Man(_)
        | Command::Sandbox(_)
        | Command::Simulate(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::Cli;
    use super::*;

    fn changes(words: &str) -> bool {
        let words = std::iter::once("dues").chain(words.split(' '));
        changes_something(&Cli::try_parse_from(words).unwrap().command)
    }

    #[test]
    fn looks_and_trials_change_nothing() {
        for words in [
            "run-now --dry-run",
            "import in.csv --dry-run",
            "plans",
            "plans diff",
            "cards expiring",
            "customers get cust_test_1",
            "customers cards list cust_test_1",
            "charges list",
            "notify list",
            "list flags",
            "check",
        ] {
            assert!(!changes(words), "{words}");
        }
    }

    #[test]
    fn deeds_are_known_as_such() {
        for words in [
            "run-now",
            "import in.csv",
            "plans apply",
            "cards watch",
            "reconcile",
            "subscribe --customer cust_test_1 --plan p",
            "pause s1",
            "customers create",
            "customers cards delete cust_test_1 card_test_1",
            "charges reverse chrg_test_1",
            "notify send",
            "notify retry 1",
        ] {
            assert!(changes(words), "{words}");
        }
    }
}

//! A book of dues' own, made and run by the shipped program alone: `dues import`, `dues run-now --json`.
//!
//! Promises: a run whose report and whose sandbox's ledger disagree is an error, before anybody looks at its time.
//! Must never know how fast anything should be.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::{Connection, OpenFlags};
use serde::Deserialize;

use crate::Fallible;
use crate::child::{self, Cost};
use crate::sandbox::Sandbox;

/// What one period costs, in satang.
pub const PRICE: i64 = 99_000;
/// When every subscription here begins, and the instant of a run that finds its first period due.
pub const STARTS: &str = "2026-11-01";
/// See [`STARTS`].
pub const FIRST_DUE: &str = "2026-11-01T12:00:00+07:00";

/// How dues is to go to work.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Charges under way at once.
    pub in_flight: usize,
    /// `requests_per_second`, as it is written in the config.
    pub rate: &'static str,
}

/// No rate that could be felt.
pub const FREELY: Pace = Pace { in_flight: 64, rate: "1000000" };

/// A folder with a config and a book.
#[derive(Debug)]
pub struct Book {
    dues: PathBuf,
    dir: PathBuf,
}

/// What is read of a run's report.
#[derive(Debug, Clone, Deserialize)]
pub struct Report {
    /// What became of the attempts it sent.
    pub attempts: Attempts,
    /// Requests it says it made.
    pub api_calls: u64,
    /// What stopped it early.
    pub stopped_by: Option<String>,
}

/// Attempts by what became of them.
#[derive(Debug, Clone, Deserialize)]
pub struct Attempts {
    /// Money moved.
    pub succeeded: u64,
}

impl Book {
    /// A new book in an empty folder, with one subscription for each customer.
    pub fn make(
        dues: &Path,
        dir: &Path,
        api_url: &str,
        key: &str,
        customers: &[String],
        pace: Pace,
    ) -> Fallible<Self> {
        std::fs::create_dir_all(dir)?;
        let book = Self { dues: dues.to_owned(), dir: dir.to_owned() };
        book.configure(api_url, key, pace)?;
        let mut rows = String::with_capacity(customers.len() * 64 + 32);
        rows.push_str("customer,plan,starts\n");
        for customer in customers {
            writeln!(rows, "{customer},pro-monthly,{STARTS}")?;
        }
        let import = dir.join("import.csv");
        std::fs::write(&import, rows)?;
        child::run(book.command("import").arg(&import), dir)?;
        std::fs::remove_file(import)?;
        Ok(book)
    }

    /// The same for a sandbox whose customers are all to be charged.
    pub fn for_all_of(dues: &Path, dir: &Path, sandbox: &Sandbox, pace: Pace) -> Fallible<Self> {
        Self::make(dues, dir, &sandbox.api_url, &sandbox.secret_key, &sandbox.customers()?, pace)
    }

    /// Writes the config anew: another provider, another pace.
    pub fn configure(&self, api_url: &str, key: &str, pace: Pace) -> Fallible<()> {
        let Pace { in_flight, rate } = pace;
        let config = format!(
            r#"zone = "Asia/Bangkok"

[store]
path = "book.db"

[omise]
secret_key_file = "omise.key"
api_url = "{api_url}"
requests_per_second = {rate}
in_flight = {in_flight}

[brakes]
charges_per_run = 100000000

[plans.pro-monthly]
name = "Pro"
price = "990.00 THB"
every = "month"
description = "Pro, {{period_start}} to {{period_end}}"
dunning = "standard"

[dunning.standard]
retry = ["2 days", "4 days", "7 days", "7 days"]
then = "pause"
"#
        );
        std::fs::write(self.config(), config)?;
        let mut options = std::fs::OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(self.dir.join("omise.key"))?;
        Ok(file.write_all(key.as_bytes())?)
    }

    /// A command of dues on this book.
    pub fn command(&self, word: &str) -> Command {
        let mut command = Command::new(&self.dues);
        command.arg(word).arg("--config").arg(self.config());
        command
    }

    /// `dues run-now --json --at`, ready to be started.
    pub fn run_command(&self, at: &str) -> Command {
        let mut command = self.command("run-now");
        command.args(["--json", "--at", at]);
        command
    }

    /// A run to its end, with its report.
    pub fn run(&self, at: &str) -> Fallible<(Cost, Report)> {
        let cost = child::run(&mut self.run_command(at), &self.dir)?;
        let report = serde_json::from_str(&cost.stdout)?;
        Ok((cost, report))
    }

    /// A run in which each of so many subscriptions must be charged once and nothing else, by the report, by the
    /// sandbox's ledger and by its count of requests.
    pub fn run_all(&self, sandbox: &Sandbox, at: &str, due: u64) -> Fallible<(Cost, Report)> {
        let (made_before, calls_before) = (sandbox.made()?, sandbox.traffic()?.requests);
        let (cost, report) = self.run(at)?;
        let (made, calls) = (sandbox.made()?, sandbox.traffic()?.requests - calls_before);
        let charges = made.charges - made_before.charges;
        let successful = made.successful - made_before.successful;
        let sum = made.sum - made_before.sum;
        if (charges, successful, report.attempts.succeeded) != (due, due, due)
            || sum != PRICE * i64::try_from(due)?
            || calls != report.api_calls
            || report.stopped_by.is_some()
        {
            return Err(format!(
                "the counts are wrong: {due} were due; the ledger has {charges} charges, {successful} of them successful, \
                 {sum} satang, from {calls} requests; the report says {report:?}"
            )
            .into());
        }
        Ok((cost, report))
    }

    /// Durable groups of money so far, as the book counts them.
    pub fn commits(&self) -> Fallible<u64> {
        Ok(u64::try_from(self.number("SELECT commits FROM book")?)?)
    }

    /// Rows in all its tables.
    pub fn rows(&self) -> Fallible<u64> {
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let book = self.open()?;
        let names: Vec<String> =
            book.prepare(tables)?.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut sum = 0_i64;
        for name in names {
            sum += book.query_row(&format!("SELECT count(*) FROM {name}"), (), |row| row.get::<_, i64>(0))?;
        }
        Ok(u64::try_from(sum)?)
    }

    /// Bytes of the book on disk, its log included.
    pub fn bytes(&self) -> Fallible<u64> {
        let log = std::fs::metadata(self.dir.join("book.db-wal")).map_or(0, |log| log.len());
        Ok(std::fs::metadata(self.dir.join("book.db"))?.len() + log)
    }

    /// Customers whom the book has as read at that second since 1970 or later.
    pub fn customers_read_since(&self, second: u64) -> Fallible<u64> {
        let read = self.number(&format!("SELECT count(*) FROM customers WHERE read_at >= {second}"))?;
        Ok(u64::try_from(read)?)
    }

    /// Whether that job of the service was begun since it was last done.
    pub fn is_under_way(&self, job: &str) -> Fallible<bool> {
        let begun = |name: &str| format!("coalesce((SELECT began FROM jobs WHERE name = '{name}'), 0)");
        let sql = format!("SELECT {} > {}", begun(&format!("{job}.begun")), begun(job));
        Ok(self.number(&sql)? == 1)
    }

    fn number(&self, sql: &str) -> Fallible<i64> {
        Ok(self.open()?.query_row(sql, (), |row| row.get(0))?)
    }

    fn open(&self) -> Fallible<Connection> {
        Ok(Connection::open_with_flags(self.dir.join("book.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?)
    }

    fn config(&self) -> PathBuf {
        self.dir.join("dues.toml")
    }
}

//! The house under soak: the real sandbox as a process of its own, the real binary beside it, and one clock for both
//! that leaps.

use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use dues::sandbox::LedgerEntry;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Book, Child, Ended, ask, fast_folder};

/// A sandbox that does not say where it listens within this time does not start.
const LONGEST_START: Duration = Duration::from_mins(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Calendar of the book.
const ZONE: &str = "Asia/Bangkok";

/// What the house is told. Settling takes longer than a leap, so that between the two looks that call an attempt
/// absent there is more real time than any request stays under way; a call's time-out is real time.
const CONFIG: &str = r#"
zone = "Asia/Bangkok"

[store]
path = "dues.db"

[omise]
secret_key_file = "omise.key"
api_url = "http://ADDRESS"
vault_url = "http://ADDRESS"
requests_per_second = 10000
in_flight = 4
timeout = "400ms"

[doubt]
settle = "6h"

[catch_up]
hold_after = 1000

[brakes]
decline_share = 1.0

[plans.daily]
price = "35.25 THB"
every = "day"
dunning = "patient"

[plans.weekly]
price = "120.50 THB"
every = "week"
dunning = "patient"

[plans.monthly]
price = "990.00 THB"
every = "month"
dunning = "patient"

[dunning.patient]
retry = ["1 day", "1 day", "2 days", "2 days", "3 days", "3 days"]
then = "pause"
"#;

/// Folder, clock and provider.
pub struct World {
    folder: TempDir,
    clock: File,
    ahead_s: u64,
    sandbox: Child,
    addr: SocketAddr,
}

impl World {
    /// Starts the sandbox with so many paying customers and writes config and key.
    pub fn new(seed: u64, customers: u32) -> Self {
        let folder = TempDir::new_in(fast_folder()).expect("a folder for the test");
        let clock = File::create(folder.path().join("clock")).expect("a file for the clock");
        let (seed, customers) = (seed.to_string(), customers.to_string());
        let words = ["sandbox", "--json", "--fates", "paying", "--customers", &customers, "--seed", &seed];
        let sandbox = Child::start(folder.path(), &words, &[("DUES_CLOCK", "clock")]);
        let begun = Instant::now();
        let said: Value = loop {
            if let Ok(line) = serde_json::from_str(sandbox.said().trim()) {
                break line;
            }
            assert!(begun.elapsed() < LONGEST_START, "the sandbox does not say where it listens");
            std::thread::sleep(LOOK_EVERY);
        };
        let told = |name: &str| said[name].as_str().expect("told by the sandbox").to_owned();
        let address = told("api_url").trim_start_matches("http://").to_owned();
        let world = Self { folder, clock, ahead_s: 0, sandbox, addr: address.parse().expect("an address") };
        world.write("dues.toml", &CONFIG.replace("ADDRESS", &address));
        world.write("omise.key", &told("secret_key"));
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(world.path("omise.key"), owner_only).expect("a mode");
        world
    }

    /// A file of the house.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the house.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file of the test");
    }

    /// Every process of the house is so many seconds further at once.
    pub fn leap(&mut self, seconds: u64) {
        // No leap while the sandbox stands still or owes something: a request that came before it would be processed after
        // it, and be a charge of an attempt that was proved absent.
        self.control("GET", "clock", &Value::Null);
        self.ahead_s += seconds;
        self.clock.set_len(self.ahead_s).expect("the clock can be set");
    }

    /// What every process of the house takes for now.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(i64::try_from(self.ahead_s).expect("not for ever"))
    }

    /// The same, on the book's calendar.
    pub fn local_now(&self) -> Zoned {
        self.now().to_zoned(TimeZone::get(ZONE).expect("a zone that everybody has"))
    }

    /// How far all clocks have leapt, in whole days.
    pub const fn days_leapt(&self) -> u64 {
        self.ahead_s / 86_400
    }

    /// Starts the program in this house.
    pub fn start(&self, words: &[&str]) -> Child {
        let mut all = words.to_vec();
        all.extend(["--config", "dues.toml"]);
        Child::start(self.folder.path(), &all, &[("DUES_CLOCK", "clock")])
    }

    /// Runs the program in this house to its end.
    pub fn dues(&self, words: &[&str]) -> Ended {
        self.start(words).wait()
    }

    /// Rules of the sandbox that were added are in force from the next request on.
    pub fn rules(&self, rules: &Value) {
        self.control("POST", "faults", &json!({"rules": rules}));
    }

    /// The sandbox behaves from now on; returns how often each switch was played.
    pub fn behave(&self) -> Vec<(String, u64)> {
        let shown = self.control("GET", "faults", &Value::Null);
        self.control("DELETE", "faults", &Value::Null);
        let rows = shown["rules"].as_array().cloned().unwrap_or_default();
        let played = |row: &Value| {
            let on = match row["rule"]["path"].as_str() {
                Some("/charges") if row["rule"]["method"] == "GET" => " (list)",
                Some("/customers") => " (customers)",
                _ => "",
            };
            let name = row["rule"]["faults"].as_str().unwrap_or_default();
            (format!("{name}{on}"), row["applied"].as_u64().unwrap_or(0))
        };
        rows.iter().map(played).collect()
    }

    /// Ids of the seeded customers.
    pub fn customers(&self) -> Vec<String> {
        let rows = self.control("GET", "customers", &Value::Null);
        let ids = rows.as_array().into_iter().flatten().filter_map(|row| row["id"].as_str());
        ids.map(str::to_owned).collect()
    }

    /// The charges truly made.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        serde_json::from_value(self.control("GET", "ledger", &Value::Null)).expect("a ledger")
    }

    /// What the book says.
    pub fn book(&self) -> Book {
        let list = |what: &str| self.dues(&["list", what, "--json"]).expect(0).rows();
        Book {
            subscriptions: list("subscriptions"),
            invoices: list("invoices"),
            attempts: list("attempts"),
            flags: list("flags"),
        }
    }

    /// Ends the sandbox, which must not have ended by itself.
    pub fn close(mut self) {
        assert!(!self.sandbox.has_ended(), "the sandbox ended by itself");
        self.sandbox.signal(Signal::TERM);
        self.sandbox.wait().expect(0);
    }

    fn control(&self, method: &str, what: &str, body: &Value) -> Value {
        ask(self.addr, method, &format!("/__sandbox/{what}"), "", body)
    }
}

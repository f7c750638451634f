//! The first command of the README, in a folder where nothing is prepared: every figure of its report against the
//! sandbox's own ledger, then what it invites to try next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dues::sandbox::{Fates, LedgerEntry, SandboxOptions};
use jiff::{ToSpan as _, Zoned};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Child, Ended, text};

/// Of the embedded sandbox: its keys and customers follow from it.
const SEED: u64 = 1;

/// A fresh copy of `config/`.
struct Demo(TempDir);

impl Demo {
    fn fresh() -> Self {
        let folder = TempDir::new().expect("a folder");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        let to = folder.path().join("config");
        std::fs::create_dir(&to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("config/ is there") {
            let path = entry.expect("listed").path();
            if path.is_file() {
                std::fs::copy(&path, to.join(path.file_name().expect("named"))).expect("copied");
            }
        }
        Self(folder)
    }

    fn dues(&self, words: &[&str]) -> Ended {
        let mut all = words.to_vec();
        all.extend(["--config", "config/demo.toml"]);
        Child::start(self.0.path(), &all, &[]).wait().expect(0)
    }

    fn run(&self, more: &[&str]) -> Value {
        self.dues(&[&["run-now", "--json"], more].concat()).json()
    }

    /// The ledger of the embedded sandbox, from its state beside the book, while no program holds it.
    fn ledger(&self) -> Vec<LedgerEntry> {
        self.beside(dues::sandbox::Sandbox::ledger)
    }

    /// Holds the embedded sandbox's state, as a second program would.
    fn beside<T>(&self, work: impl FnOnce(&dues::sandbox::Sandbox) -> T) -> T {
        let state: PathBuf = self.0.path().join("config/demo-book/dues.db.sandbox");
        assert!(state.exists(), "the demo's provider keeps its state beside the book");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let options = SandboxOptions {
                state: Some(state),
                seed: SEED,
                customers: 200,
                fates: Fates::Mixed,
                ..SandboxOptions::default()
            };
            let sandbox = dues::sandbox::start(options).await.expect("the demo's own state");
            let found = work(&sandbox);
            sandbox.stop().await;
            found
        })
    }
}

fn count(report: &Value, part: &str, word: &str) -> u64 {
    report[part][word].as_u64().unwrap_or_else(|| panic!("no {part}.{word} in {report}"))
}

fn sums(entries: &[&LedgerEntry]) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for entry in entries {
        *sums.entry(entry.currency.to_uppercase()).or_default() += entry.amount;
    }
    sums
}

fn collected(reports: &[&Value]) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for (currency, amount) in
        reports.iter().flat_map(|report| report["collected"].as_object().expect("money"))
    {
        *sums.entry(currency.clone()).or_default() += amount.as_i64().expect("minor units");
    }
    sums
}

fn with_status<'a>(ledger: &'a [LedgerEntry], status: &str) -> Vec<&'a LedgerEntry> {
    ledger.iter().filter(|entry| entry.status == status).collect()
}

/// Nothing was sent; what was asked for is in the skipped and in the next due instant.
fn charged_nothing(report: &Value) {
    let sent = report["attempts"].as_object().expect("counts");
    assert!(sent.values().all(|many| *many == 0), "charged again: {report}");
    assert_eq!(report["invoiced"], 0);
    let skipped: u64 =
        report["skipped"].as_object().expect("reasons").values().filter_map(Value::as_u64).sum();
    assert_eq!(report["considered"].as_u64(), Some(skipped), "each is passed over for a reason: {report}");
    assert!(report["next_due_at"].is_string(), "it says when something is due: {report}");
}

/// A month from today where the demo's customers live, whose day is not that of this machine, and a day more, should
/// midnight pass meanwhile.
fn a_month_later() -> String {
    let today = Zoned::now().in_tz("Asia/Bangkok").expect("a zone that everybody has");
    today.checked_add(32.days()).expect("a month later").date().to_string()
}

#[test]
fn the_first_run_says_what_the_ledger_says() {
    let demo = Demo::fresh();
    let report = demo.run(&[]);
    let ledger = demo.ledger();
    assert_eq!((report["mode"].as_str(), report["dry_run"].as_bool()), (Some("test"), Some(false)));

    // Of two customers the provider charges the card and then says nothing.
    let (paid, doubtful) = (with_status(&ledger, "successful"), count(&report, "attempts", "in_doubt"));
    let attempts = demo.dues(&["list", "attempts", "--json"]).rows();
    let known = |entry: &&&LedgerEntry| {
        let row = attempts.iter().find(|row| text(row, "id") == text(&entry.metadata, "dues_attempt"));
        row.is_some_and(|row| text(row, "status") == "succeeded")
    };
    let known: Vec<&LedgerEntry> = paid.iter().filter(known).copied().collect();
    assert_eq!(count(&report, "attempts", "succeeded"), known.len() as u64, "{report}");
    assert_eq!(doubtful, (paid.len() - known.len()) as u64, "{report}");
    assert_eq!(collected(&[&report]), sums(&known), "{report}");
    assert!(
        doubtful > 0 && report["doubt_left"].as_u64() == Some(doubtful),
        "the demo meets silence: {report}"
    );

    let failed = with_status(&ledger, "failed");
    assert_eq!(count(&report, "attempts", "declined"), failed.len() as u64, "{report}");
    let mut codes: BTreeMap<String, u64> = BTreeMap::new();
    for entry in &failed {
        *codes.entry(entry.failure_code.clone().unwrap_or_default()).or_default() += 1;
    }
    assert_eq!(serde_json::json!(codes), report["declined_by_code"]);
    assert_eq!(
        count(&report, "attempts", "pending"),
        with_status(&ledger, "pending").len() as u64,
        "{report}"
    );
    assert_eq!(count(&report, "attempts", "rejected"), 0, "the demo sends nothing that is refused: {report}");
    let sent: u64 = report["attempts"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(sent, ledger.len() as u64, "every request made one charge: {report}");

    let flags = demo.dues(&["list", "flags", "--json"]).rows();
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for flag in &flags {
        *reasons.entry(text(flag, "reason")).or_default() += 1;
    }
    assert_eq!(serde_json::json!(reasons), report["flagged"]);
    for reason in ["no_card", "expired_card", "customer_gone"] {
        assert!(reasons.contains_key(reason), "the demo has no {reason}: {report}");
    }
    assert!(count(&report, "attempts", "pending") > 0, "the demo meets 3-D Secure: {report}");
}

#[test]
fn twice_at_one_instant_charges_nothing_and_says_why() {
    let demo = Demo::fresh();
    let at = Zoned::now().with().subsec_nanosecond(0).build().expect("now").timestamp().to_string();
    let first = demo.run(&["--at", &at]);
    let made = demo.ledger().len();
    let second = demo.run(&["--at", &at]);
    charged_nothing(&second);
    assert_eq!(count(&second, "resolved", "succeeded"), count(&first, "attempts", "in_doubt"));
    let third = demo.run(&["--at", &at]);
    charged_nothing(&third);
    let ledger = demo.ledger();
    assert_eq!(ledger.len(), made, "no charge was made");
    assert_eq!(collected(&[&first, &second, &third]), sums(&with_status(&ledger, "successful")));
    assert_eq!(third["doubt_left"], 0);
}

#[test]
fn a_month_later_and_back_again() {
    let demo = Demo::fresh();
    let later = a_month_later();
    let first = demo.run(&[]);
    let month = demo.run(&["--at", &later]);
    assert!(count(&month, "attempts", "succeeded") > 100, "{month}");
    assert!(month["invoiced"].as_u64() > first["invoiced"].as_u64(), "weeks are billed too: {month}");

    let flags = demo.dues(&["list", "flags"]).stdout;
    assert!(flags.contains("expired_card") && flags.contains("no_card"), "{flags}");
    let subscription = text(&demo.dues(&["list", "subscriptions", "--json"]).rows()[0], "id").to_owned();
    let why = demo.dues(&["why", &subscription]).stdout;
    assert!(why.contains(&subscription) && why.contains("THB"), "{why}");

    let made = demo.ledger().len();
    let back = demo.run(&[]);
    charged_nothing(&back);
    let ledger = demo.ledger();
    assert_eq!(ledger.len(), made, "going back charges nothing");
    assert_eq!(collected(&[&first, &month, &back]), sums(&with_status(&ledger, "successful")));
    let mut paid: Vec<&str> = with_status(&ledger, "successful")
        .iter()
        .map(|entry| text(&entry.metadata, "dues_invoice"))
        .collect();
    let many = paid.len();
    paid.sort_unstable();
    paid.dedup();
    assert_eq!(paid.len(), many, "no invoice was paid twice");
}

#[test]
fn two_at_once_are_refused_as_a_book_in_use() {
    let demo = Demo::fresh();
    demo.run(&[]);
    demo.beside(|_| {
        let words = ["run-now", "--config", "config/demo.toml"];
        let second = Child::start(demo.0.path(), &words, &[]).wait().expect(4);
        assert!(second.stderr.contains("in use"), "{second:#?}");
    });
}

#[test]
fn people_are_told_what_to_try_next() {
    let demo = Demo::fresh();
    let ended = demo.dues(&["run-now"]);
    for word in ["succeeded", "collected", "THB", "list flags", "why", "--at"] {
        assert!(ended.stdout.contains(word), "no `{word}` in\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "no colour outside a terminal");
}

#[test]
fn what_does_not_charge_works_beside_the_demos_service() {
    let demo = Demo::fresh();
    let config = ["--config", "config/demo.toml"];
    let service = Child::start(demo.0.path(), &[&["daemon"][..], &config].concat(), &[]);
    let begun = std::time::Instant::now();
    // The last thing before it is ready: its subscriptions are in the book.
    let ready = || {
        let words = [&["list", "subscriptions", "--json"][..], &config].concat();
        let listed = Child::start(demo.0.path(), &words, &[]).wait();
        listed.code() == 0 && listed.rows().len() == 200
    };
    while !ready() {
        assert!(begun.elapsed() < std::time::Duration::from_mins(1), "the service did not start");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let customers = demo.dues(&["customers", "list", "--json"]).rows();
    assert!(customers.len() > 150, "{} customers", customers.len());
    let later = a_month_later();
    let dry = demo.run(&["--dry-run", "--at", &later]);
    assert!(dry["considered"].as_u64() > Some(100), "{dry}");
    let watched = demo.dues(&["cards", "watch", "--json"]).json();
    assert!(watched["listed"].as_u64() > Some(150), "{watched}");
    let words = [&["reconcile", "--json"][..], &config].concat();
    let reconciled = Child::start(demo.0.path(), &words, &[]).wait();
    assert!([0, 3].contains(&reconciled.code()), "{reconciled:#?}");
    service.signal(rustix::process::Signal::TERM);
    service.wait().expect(0);
    // With it went its address: the next command runs the sandbox itself.
    assert!(!demo.0.path().join("config/demo-book/dues.db.sandbox.at").exists());
    assert_eq!(demo.dues(&["customers", "list", "--json"]).rows().len(), customers.len());
}

#[test]
fn a_first_subscription_that_cannot_be_read_stops_no_run_of_the_demo() {
    let demo = Demo::fresh();
    demo.run(&[]);
    let book = rusqlite::Connection::open(demo.0.path().join("config/demo-book/dues.db")).unwrap();
    let wrong = "INSERT INTO zones (row, name) VALUES (99, 'Mars/Tharsis'); \
        UPDATE subscriptions SET zone = 99 WHERE row = 1";
    book.execute_batch(wrong).unwrap();
    let later = (Zoned::now() + 1.month()).strftime("%Y-%m-%d").to_string();
    for more in [&["--dry-run"][..], &[]] {
        let words = [&["run-now", "--json", "--at", &later, "--config", "config/demo.toml"], more].concat();
        let report = Child::start(demo.0.path(), &words, &[]).wait().expect(3).json();
        assert!(report["considered"].as_u64().unwrap() > 100, "{report:#}");
        assert!(report["incidents"][0].as_str().unwrap().contains("Mars/Tharsis"), "{report:#}");
    }
}

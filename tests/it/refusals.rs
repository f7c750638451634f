//! What must be refused: each with its exit code, a sentence that names place, found and wanted, nothing on stdout,
//! no charge made and nothing half done.

mod disk;
mod full_disk;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{AT, PLANS, Scene, Setting};

/// A unit that takes 3 for success must fail where nothing could be asked for.
#[test]
fn a_run_that_cannot_reach_the_provider_is_no_success() {
    let scene = Scene::new(Setting::default());
    scene.run_at(AT).expect(0);
    scene.write_config("away.toml", "127.0.0.1:1".parse().unwrap());
    let report = scene.dues(&["run-now", "--json", "--at", AT, "--config", "away.toml"]).expect(1).json();
    assert_eq!((&report["stopped_by"], &report["considered"]), (&"provider_unreachable".into(), &0.into()));
}

/// One thing that somebody gets wrong.
struct Row {
    name: &'static str,
    /// What is wrong, in a scene where all was right and one run has charged.
    wrong: fn(&Scene),
    command: &'static str,
    exit: i32,
    /// Words that the sentence on stderr must have.
    says: &'static [&'static str],
}

const TABLE: &[Row] = &[
    Row {
        name: "a live key on a test book",
        wrong: |scene| scene.write_secret("omise.key", "skey_5xuyuztr2tlgs7j5b2h"),
        command: "run-now --config patient.toml",
        exit: 2,
        says: &["live", "test", "[store] path"],
    },
    Row {
        name: "a live key and a short settle",
        wrong: |scene| scene.write_secret("omise.key", "skey_5xuyuztr2tlgs7j5b2h"),
        command: "run-now",
        exit: 2,
        says: &["settle", "live", "10m"],
    },
    Row {
        name: "a public key where the secret one belongs",
        wrong: |scene| scene.write_secret("omise.key", scene.sandbox().public_key()),
        command: "run-now",
        exit: 2,
        says: &["omise.key", "public", "secret"],
    },
    Row {
        name: "no key at all in the file",
        wrong: |scene| scene.write_secret("omise.key", "hunter2"),
        command: "run-now",
        exit: 2,
        says: &["omise.key", "skey_"],
    },
    Row {
        name: "a key that the provider does not know",
        wrong: |scene| scene.write_secret("omise.key", "skey_test_5xuyuztr2tlgs7j5b2h"),
        command: "run-now",
        exit: 5,
        says: &["provider", "key", "authentication_failure"],
    },
    Row {
        name: "a key file that everybody may read",
        wrong: |scene| scene.set_mode("omise.key", 0o644),
        command: "run-now",
        exit: 2,
        says: &["omise.key", "644", "600"],
    },
    Row {
        name: "no key file",
        wrong: |scene| fs::remove_file(scene.path("omise.key")).expect("removed"),
        command: "run-now",
        exit: 2,
        says: &["omise.key"],
    },
    Row {
        name: "a book made by a newer program",
        wrong: |scene| pragma(scene, "user_version = 99"),
        command: "run-now",
        exit: 4,
        says: &["dues.db", "99", "newer"],
    },
    Row {
        name: "another program's database",
        wrong: |scene| pragma(scene, "application_id = 7"),
        command: "list invoices",
        exit: 4,
        says: &["dues.db", "wanted a dues book"],
    },
    Row {
        name: "a text where the book should be",
        wrong: |scene| {
            remove_book(scene);
            scene.write("dues.db", &"not a book at all\n".repeat(500));
        },
        command: "run-now",
        exit: 4,
        says: &["dues.db", "wanted a dues book"],
    },
    Row {
        name: "a damaged book",
        wrong: damage,
        command: "run-now",
        exit: 4,
        says: &["dues.db", "damaged", "restore"],
    },
    Row {
        name: "an old copy of the book put back by hand",
        wrong: |scene| put_old_book_back(scene),
        command: "run-now",
        exit: 4,
        says: &["dues.db", "adopt"],
    },
    Row {
        name: "a dry run on an old copy of the book",
        wrong: |scene| put_old_book_back(scene),
        command: "run-now --dry-run",
        exit: 4,
        says: &["would be refused", "dues.db", "older copy", "adopt"],
    },
    Row {
        name: "a book that was moved",
        wrong: |scene| move_book(scene),
        command: "run-now",
        exit: 4,
        says: &["found a book of host", "moved/dues.db", "adopt"],
    },
    Row {
        name: "a dry run on a book that was moved",
        wrong: |scene| move_book(scene),
        command: "run-now --dry-run",
        exit: 4,
        says: &["would be refused", "found a book of host", "adopt"],
    },
    Row {
        name: "a dry run with a price below what the account can charge",
        wrong: |scene| add_plan(scene, "19.99 THB"),
        command: "run-now --dry-run",
        exit: 2,
        says: &["would be refused", "plans.tiny.price", "19.99 THB", "20.00"],
    },
    Row {
        name: "a price below what the account can charge",
        wrong: |scene| add_plan(scene, "19.99 THB"),
        command: "run-now",
        exit: 2,
        says: &["plans.tiny.price", "19.99 THB", "20.00"],
    },
    Row {
        name: "a price above what the account can charge",
        wrong: |scene| add_plan(scene, "9000000.00 THB"),
        command: "plans apply",
        exit: 2,
        says: &["plans.tiny.price"],
    },
    Row {
        name: "a CSV with two bad lines",
        wrong: |scene| {
            scene.write("bad.csv", "customer,plan,starts\ncust_test_a,monthly,2030-11-01\ncust_test_b,yearly,2030-11-01\ncust_test_c,monthly,2030-02-30\n");
        },
        command: "import bad.csv",
        exit: 2,
        says: &["bad.csv", "3", "yearly", "4", "2030-02-30"],
    },
    Row {
        name: "a CSV that is not there",
        wrong: |_| {},
        command: "import nowhere.csv",
        exit: 2,
        says: &["nowhere.csv"],
    },
    Row { name: "an unknown subscription", wrong: |_| {}, command: "why june", exit: 2, says: &["june"] },
    Row { name: "pausing an unknown one", wrong: |_| {}, command: "pause june", exit: 2, says: &["june"] },
    Row {
        name: "an invoice id that is none",
        wrong: |_| {},
        command: "invoice void june --reason x",
        exit: 2,
        says: &["june", "invoice"],
    },
    Row {
        name: "ending an attempt that has ended",
        wrong: |_| {},
        command: "resolve may.0.1 --absent --reason x",
        exit: 2,
        says: &["may.0.1", "succeeded"],
    },
    Row {
        name: "a customer id that is none",
        wrong: |_| {},
        command: "subscribe --customer bob --plan monthly",
        exit: 2,
        says: &["bob", "cust_"],
    },
    Row {
        name: "an unknown plan",
        wrong: |_| {},
        command: "subscribe --customer cust_test_a --plan gold",
        exit: 2,
        says: &["gold", "monthly"],
    },
    Row {
        name: "an unknown zone",
        wrong: |_| {},
        command: "subscribe --customer cust_test_a --plan monthly --zone Asia/Bangkock",
        exit: 2,
        says: &["Asia/Bangkock"],
    },
    Row { name: "no instant", wrong: |_| {}, command: "run-now --at soon", exit: 2, says: &["soon", "--at"] },
    Row { name: "an unknown option", wrong: |_| {}, command: "run-now --fast", exit: 2, says: &["--fast"] },
    Row {
        name: "no config",
        wrong: |_| {},
        command: "run-now --config none.toml",
        exit: 2,
        says: &["none.toml"],
    },
    Row {
        name: "a provider's clock that is far from ours",
        wrong: |scene| scene.provider_time_passes(600),
        command: "run-now",
        exit: 4,
        says: &["clock", "nothing was charged"],
    },
    Row {
        name: "a backup over a file that exists",
        wrong: |scene| scene.write("copy.db", "precious"),
        command: "backup copy.db",
        exit: 2,
        says: &["copy.db", "exist"],
    },
];

/// A subscription that was charged for its only due period.
fn charged_once() -> Scene {
    let scene = Scene::new(Setting { customers: 1, timeout: "30s", ..Setting::default() });
    let customer = &scene.customers()[0];
    scene.import(&format!("id,customer,plan,starts\nmay,{customer},monthly,2030-11-15\n"));
    scene.write_config("patient.toml", scene.sandbox().addr());
    let patient =
        fs::read_to_string(scene.path("patient.toml")).expect("written").replace("\"1s\"", "\"10m\"");
    scene.write("patient.toml", &patient);
    fs::create_dir(scene.path("old")).expect("a folder");
    fs::copy(scene.path("dues.db"), scene.path("old/dues.db")).expect("a copy");
    scene.run_at(AT).expect(0);
    scene
}

#[test]
fn each_mistake_is_named_and_nothing_is_half_done() {
    let mut differences = Vec::new();
    for row in TABLE {
        let scene = charged_once();
        (row.wrong)(&scene);
        let (ledger, rows) = (scene.ledger(), book_rows(&scene));
        let words: Vec<&str> = row.command.split_whitespace().collect();
        let ended = scene.dues(&words);
        let told = |word: &&str| ended.stderr.to_lowercase().contains(&word.to_lowercase());
        let missing: Vec<&&str> = row.says.iter().filter(|word| !told(word)).collect();
        let mut wrong = Vec::new();
        if ended.code() != row.exit {
            wrong.push(format!("exit code {}, wanted {}", ended.code(), row.exit));
        }
        if !missing.is_empty() {
            wrong.push(format!("the sentence lacks {missing:?}"));
        }
        if ended.stderr.contains("panicked") || !ended.stdout.is_empty() {
            wrong.push(format!("stdout {:?}", ended.stdout));
        }
        if scene.ledger() != ledger {
            wrong.push("something was charged".into());
        }
        let now = book_rows(&scene);
        if now != rows {
            wrong.push(format!("the book changed from {rows:?} to {now:?}"));
        }
        if !wrong.is_empty() {
            differences.push(format!(
                "{} (dues {}):\n  {}\n  said: {}",
                row.name,
                row.command,
                wrong.join("\n  "),
                ended.stderr.trim()
            ));
        }
    }
    assert!(differences.is_empty(), "{} of {}:\n{}", differences.len(), TABLE.len(), differences.join("\n"));
}

#[test]
fn a_book_in_use_is_left_to_its_user() {
    let scene = charged_once();
    scene.charges_meet("delay_after:4000", None, None);
    let first = scene.start(&["run-now", "--json", "--at", "2030-12-15T09:00:00+07:00"], &[]);
    let begun = Instant::now();
    while scene.ledger().len() < 2 {
        assert!(begun.elapsed() < Duration::from_mins(1), "no charge was made");
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = scene.run_at("2030-12-15T09:00:00+07:00").expect(4);
    assert!(second.stderr.contains("dues.db") && second.stderr.contains("lock"), "{second:#?}");
    // What does not charge works beside it.
    scene.dues(&["list", "invoices"]).expect(0);
    scene.dues(&["pause", "may"]).expect(0);
    first.wait().expect(0);
    assert_eq!(scene.ledger().len(), 2);
}

#[test]
fn the_secret_key_is_never_printed() {
    let scene = charged_once();
    let key = scene.sandbox().secret_key().to_owned();
    let runs: &[&[&str]] =
        &[&["run-now", "-vv"], &["check"], &["check", "--json"], &["list", "events", "--json"]];
    for words in runs {
        let ended = scene.dues(words);
        assert!(
            !ended.stdout.contains(&key) && !ended.stderr.contains(&key),
            "{words:?} prints the key: {ended:#?}"
        );
    }
    for file in ["dues.db", "dues.db-wal"] {
        let bytes = fs::read(scene.path(file)).unwrap_or_default();
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "{file} holds the key");
    }
    for file in ["dues.db", "dues.db.lock", "dues.db.witness"] {
        let mode = fs::metadata(scene.path(file)).expect("a file of the book").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} may be read by others: {mode:o}");
    }
}

/// `None` where what is wrong keeps the book from being read.
fn book_rows(scene: &Scene) -> Option<Vec<Vec<Value>>> {
    ["subscriptions", "invoices", "attempts"]
        .into_iter()
        .map(|what| {
            let ended = scene.dues(&["list", what, "--json"]);
            (ended.code() == 0).then(|| ended.rows())
        })
        .collect()
}

fn pragma(scene: &Scene, words: &str) {
    let book = rusqlite::Connection::open(scene.path("dues.db")).expect("the book");
    book.execute_batch(&format!("PRAGMA {words}")).expect("set");
}

fn remove_book(scene: &Scene) {
    for name in
        ["dues.db", "dues.db-wal", "dues.db-shm", "dues.db.witness", "dues.db.lock", "dues.db.reserve"]
    {
        let _ = fs::remove_file(scene.path(name));
    }
}

/// Every page but the first is overwritten.
fn damage(scene: &Scene) {
    let mut bytes = fs::read(scene.path("dues.db")).expect("the book");
    let first_page = 4096.min(bytes.len());
    bytes[first_page..].fill(0x5a);
    fs::write(scene.path("dues.db"), bytes).expect("written");
}

fn put_old_book_back(scene: &Scene) {
    for name in ["dues.db-wal", "dues.db-shm"] {
        let _ = fs::remove_file(scene.path(name));
    }
    fs::copy(scene.path("old/dues.db"), scene.path("dues.db")).expect("a copy");
}

fn move_book(scene: &Scene) {
    fs::create_dir(scene.path("moved")).expect("a folder");
    for name in ["dues.db", "dues.db-wal", "dues.db-shm", "dues.db.witness"] {
        let _ = fs::rename(scene.path(name), scene.path(&format!("moved/{name}")));
    }
    let config = fs::read_to_string(scene.path("dues.toml")).expect("the config");
    scene.write("dues.toml", &config.replace("path = \"dues.db\"", "path = \"moved/dues.db\""));
}

fn add_plan(scene: &Scene, price: &str) {
    let config = fs::read_to_string(scene.path("dues.toml")).expect("the config");
    let plan = format!("\n[plans.tiny]\nprice = \"{price}\"\nevery = \"month\"\ndunning = \"standard\"\n");
    assert!(config.contains(PLANS));
    scene.write("dues.toml", &(config + &plan));
}

//! What is wrong is told in one sentence with the right exit code, and nothing is half done.

use std::process::Stdio;

use dues::store::ChargingLock;

use super::Shop;

#[test]
fn words_on_the_command_line() {
    let shop = Shop::new();
    shop.dues(&["plans", "apply"]).ok();
    let subscribe = ["subscribe", "--customer", "cust_test_1", "--plan", "pro-monthly"];
    let with = |more: &[&'static str]| [&subscribe[..], more].concat();
    let table: Vec<(Vec<&str>, &[&str])> = vec![
        (vec!["bill"], &["unrecognized subcommand 'bill'"]),
        (vec!["pause"], &["<SUB>"]),
        (vec!["pause", "a.b"], &["a.b", "1 to 64 letters, digits, '_' or '-'"]),
        (vec!["pause", "sub_x"], &["subscription sub_x: not in this book; `dues list subscriptions` shows"]),
        (vec!["why", "sub_x"], &["subscription sub_x: not in this book"]),
        (
            vec!["invoice", "void", "sub_x.0", "--reason", "r"],
            &["invoice sub_x.0: not in this book; `dues list invoices`"],
        ),
        (vec!["invoice", "void", "sub_x", "--reason", "r"], &["wanted SUBSCRIPTION.PERIOD"]),
        (vec!["invoice", "void", "sub_x.0"], &["--reason"]),
        (vec!["resolve", "sub_x.0.1", "--absent", "--reason", "r"], &["attempt sub_x.0.1: not in this book"]),
        (vec!["resolve", "sub_x.0.1", "--reason", "r"], &["<--charge <CHRG>|--absent>"]),
        (
            vec!["resolve", "sub_x.0.1", "--charge", "chrg_test_1", "--absent", "--reason", "r"],
            &["cannot be used with"],
        ),
        (
            vec!["resolve", "sub_x.0.1", "--absent", "--reason", " "],
            &["--reason", "found nothing but blanks"],
        ),
        (vec!["invoice", "void", "sub_x.0", "--reason", ""], &["--reason"]),
        (
            vec!["invoice", "mark-paid", "sub_x.0", "--reason", "\t"],
            &["found nothing but blanks, wanted the reason"],
        ),
        (
            vec!["invoice", "write-off", "sub_x.0", "--reason", "  "],
            &["found nothing but blanks, wanted the reason"],
        ),
        (
            vec!["subscribe", "--customer", "card_1", "--plan", "pro-monthly"],
            &["found \"card_1\", wanted an Omise customer"],
        ),
        (
            vec!["subscribe", "--customer", "cust_test_1", "--plan", "gold"],
            &["found \"gold\", wanted one of pro-monthly, team-yearly"],
        ),
        (
            with(&["--starts", "31.01.2026"]),
            &["--starts: found \"31.01.2026\", wanted a date such as 2026-11-21"],
        ),
        (with(&["--quantity", "0"]), &["wanted 1 to 1000000"]),
        (with(&["--quantity", "-1"]), &["found quantity \"-1\", wanted a whole number from 1 to 1000000"]),
        (with(&["--zone", "Asia/Bangkock"]), &["found zone \"Asia/Bangkock\", wanted an IANA name"]),
        (with(&["--card", "tok_1"]), &["found \"tok_1\", wanted an Omise card"]),
        (vec!["run-now", "--at", "tomorrow"], &["--at: found \"tomorrow\", wanted an instant such as"]),
        (vec!["run-now", "--only", "a.b"], &["found \"a.b\""]),
        (
            vec!["list", "invoices", "--status", "late"],
            &["--status: found \"late\", wanted one of open, paid"],
        ),
        (vec!["list", "bills"], &["invalid value 'bills'"]),
        (vec!["import", "nowhere.csv"], &["nowhere.csv: the file cannot be read"]),
    ];
    for (args, said) in table {
        shop.dues(&args).fails(2, said);
    }
    assert!(shop.dues(&["list", "subscriptions", "--json"]).ok().stdout.is_empty());
}

#[test]
fn a_wrong_text_is_shown_as_far_as_people_read() {
    const MOST_SAID_BYTES: usize = 1_000;
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    let long: &'static str = "x".repeat(5_000).leak();
    shop.write("zeros.csv", &"\0".repeat(100_000));
    shop.write("cells.csv", &format!("customer,plan\n{long},{long}\ncust_test_1,{long}\n"));
    for args in [
        &["import", "zeros.csv"][..],
        &["import", "cells.csv"],
        &["why", long],
        &["list", "events", "--status", long],
        &["run-now", "--at", long],
        &["subscribe", "--customer", "cust_test_1", "--plan", "pro-monthly", "--starts", long],
        &["subscribe", "--customer", "cust_test_1", "--plan", "pro-monthly", "--quantity", long],
        &[long],
    ] {
        let done = shop.dues(args);
        let said = done.stderr.len();
        assert!(said < MOST_SAID_BYTES, "{said} bytes of {:?}", done.stderr.get(..MOST_SAID_BYTES));
        done.fails(2, &[]);
    }
}

#[test]
fn check_looks_whether_the_command_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    shop.write("told", "#!/bin/sh\n");
    let told = shop.path("told");
    let mode = |mode| std::fs::set_permissions(&told, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let own = told.display().to_string();
    shop.config("[omise]", "[notify.command]\nprogram = [\"PROGRAM\"]\n[omise]");
    let mut before = "PROGRAM".to_owned();
    let mut name = |program: &str| {
        shop.config(&format!("[\"{before}\"]"), &format!("[\"{program}\"]"));
        program.clone_into(&mut before);
        shop.dues(&["check"])
    };
    for (program, is) in [
        ("/nonexistent/told", "No such file or directory"),
        ("/usr", "a folder or a device"),
        (&own, "it may not be run: Permission denied"),
        ("dues-is-told-by-nobody", "it may be run in no folder of PATH, /"),
    ] {
        let done = name(program);
        assert_eq!(done.code, 2, "{program}: {}", done.stdout);
        let said = format!("BAD   messages  [notify.command] program: found {program:?} ({is}");
        assert!(done.stdout.contains(&said) && done.stdout.contains("Not ready"), "{}", done.stdout);
    }
    mode(0o755);
    for program in [own.as_str(), "sh"] {
        let done = name(program).ok();
        assert!(done.stdout.contains(&format!("ok    messages  {program} can be run")), "{}", done.stdout);
    }
}

#[test]
fn configs_that_are_not_there_or_wrong() {
    let shop = Shop::new();
    Shop::done(&mut shop.command(&["list", "events"]))
        .fails(2, &["found no config, wanted one of config/dues.toml, /etc/dues/dues.toml"]);
    Shop::done(&mut shop.command(&["list", "events", "--config", "other.toml"]))
        .fails(2, &["other.toml: the config cannot be read"]);
    shop.config("every = \"month\"", "every = \"fortnight\"");
    shop.config("zone = \"Asia/Bangkok\"", "zone = \"Asia/Bangkock\"");
    shop.dues(&["run-now"]).fails(
        2,
        &[
            "dues.toml:1:8",
            "did you mean \"Asia/Bangkok\"?",
            "plans.pro-monthly.every: found \"fortnight\", wanted an interval",
            "^^^^^^^^^^^",
        ],
    );
    assert!(!shop.path("book").exists(), "a refused config must not make a book");
}

#[test]
fn keys_that_are_refused_here_already() {
    for (key, mode, said) in [
        ("pkey_test_canary", 0o600, "found a public key, wanted Omise's secret key"),
        ("canary", 0o600, "wanted Omise's secret key"),
        (
            "skey_test_canary123456",
            0o644,
            "found mode 0644, wanted a key that its owner alone can read; run `chmod 600",
        ),
    ] {
        let shop = Shop::new();
        shop.with_key(key, mode);
        for command in ["run-now", "check"] {
            let done = shop.dues(&[command]);
            assert_eq!(done.code, 2, "{command}: {}{}", done.stdout, done.stderr);
            let said_all = format!("{}{}", done.stdout, done.stderr);
            assert!(said_all.contains(said), "{command}: {said_all}");
            assert!(!said_all.contains("canary"), "{command}: {said_all}");
        }
        assert!(!shop.path("book").exists(), "a refused key must not make a folder or a lock");
    }
    let shop = Shop::new();
    shop.config("sandbox = true", "");
    shop.dues(&["run-now"]).fails(2, &["[omise]: found no key, wanted secret_key_file"]);
    shop.config("[omise]", "[omise]\nsecret_key_file = \"omise.key\"");
    shop.dues(&["run-now"]).fails(2, &["omise.key: the key cannot be read"]);
}

#[test]
fn beside_a_lock_its_holder_is_asked_before_the_key() {
    let shop = Shop::new();
    shop.with_key("pkey_test_canary", 0o600);
    std::fs::create_dir(shop.path("book")).unwrap();
    let lock = ChargingLock::take(&shop.path("book/dues.db")).unwrap();
    shop.dues(&["run-now"]).fails(4, &["found the charging lock held by process"]);
    drop(lock);
    shop.dues(&["run-now"]).fails(2, &["found a public key"]);
}

#[test]
fn a_credential_of_systemd_is_used_where_no_key_is_named() {
    let shop = Shop::new();
    shop.config("sandbox = true", "api_url = \"http://127.0.0.1:9\"");
    shop.write("omise_secret_key", "pkey_test_canary");
    let mut command = shop.command(&["run-now", "--config", "dues.toml"]);
    let done = Shop::done(command.env("CREDENTIALS_DIRECTORY", shop.path("")));
    assert!(!done.stderr.contains("canary"), "{}", done.stderr);
    done.fails(2, &["omise_secret_key: found a public key"]);
}

#[test]
fn check_looks_at_the_webhook_secret() {
    let shop = Shop::new();
    shop.config(
        "[omise]",
        "[web]\nlisten = \"127.0.0.1:0\"\nwebhook_secret_file = \"webhook.secret\"\n[omise]",
    );
    shop.write("webhook.secret", "Y2FuYXJ5");
    let done = shop.dues(&["check"]);
    assert_eq!(done.code, 2, "{}", done.stdout);
    assert!(done.stdout.contains("run `chmod 600 webhook.secret`"), "{}", done.stdout);
}

#[test]
fn a_live_key_beside_what_it_forbids() {
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    dues::store::Store::bind_mode(&mut open(&shop), false).unwrap();
    shop.with_key("skey_5xuy4w91xqz7d1w9u0t", 0o600);
    let done = shop.dues(&["check"]);
    assert_eq!(done.code, 2, "{}", done.stdout);
    assert!(done.stdout.contains("found a live key, wanted a test key"), "{}", done.stdout);
    shop.config("[omise]", "[doubt]\nsettle = \"1s\"\n[omise]");
    let sentence = "doubt.settle: found 1s beside a live key, wanted 10m or longer";
    let place = place(&shop, "\"1s\"");
    shop.dues(&["run-now"]).fails(2, &[sentence, &place, "settle = \"1s\"", "^^^^"]);
    let told = shop.dues(&["check"]).stdout;
    assert_eq!(told.matches(sentence).count(), 1, "{told}");
    assert!(told.contains(&place) && told.contains("provider  not asked: "), "{told}");
}

/// Where that text stands in the shop's config, as mistakes show it.
fn place(shop: &Shop, text: &str) -> String {
    let config = std::fs::read_to_string(shop.path("dues.toml")).unwrap();
    let before = config.split(text).next().unwrap();
    assert!(before.len() < config.len(), "{text} is not in\n{config}");
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1;
    format!("dues.toml:{}:{column}", before.matches('\n').count() + 1)
}

pub(super) fn open(shop: &Shop) -> dues::store::sqlite::SqliteStore {
    let options = dues::store::sqlite::OpenOptions::default();
    dues::store::sqlite::SqliteStore::open(&shop.path("book/dues.db"), options).unwrap()
}

#[test]
fn a_price_below_the_accounts_minimum_does_not_reach_the_book() {
    let shop = Shop::new();
    shop.subscribe("cust_test_1");
    shop.config("990.00 THB", "1.00 THB");
    let new = ["subscribe", "--customer", "cust_test_2", "--plan", "team-yearly"];
    let place = place(&shop, "\"1.00 THB\"");
    let sentence = "plans.pro-monthly.price: found 1.00 THB, wanted at least 20.00 THB";
    for args in [&["plans", "apply"][..], &new, &["run-now"], &["run-now", "--dry-run"]] {
        shop.dues(args).fails(2, &[sentence, &place, "price = \"1.00 THB\""]);
    }
    let done = shop.dues(&["check"]);
    assert_eq!(done.code, 2, "{}", done.stdout);
    assert!(done.stdout.contains(&place), "{}", done.stdout);
    shop.config("\"1.00 THB", "\"990.00 THB");
    let plans = shop.dues(&["plans", "--json"]).ok().rows();
    assert_eq!((plans[0]["version"].as_u64(), plans[0]["price"].as_u64()), (Some(1), Some(99_000)));
}

#[test]
fn a_book_that_can_be_nowhere_is_refused_by_all_alike() {
    for (place, said) in [
        ("dues.toml/dues.db", "found a file, wanted a folder for the book"),
        ("dues.toml/deep/er/dues.db", "found a file, wanted a folder for the book"),
        ("/proc/x/dues.db", "/proc: found a proc file system, which keeps no files of ours, wanted a folder"),
    ] {
        let shop = Shop::new();
        shop.config("book/dues.db", place);
        for command in ["run-now", "run-now --dry-run", "check", "plans apply", "customers list"] {
            let done = shop.dues(&command.split(' ').collect::<Vec<_>>());
            let all = format!("{}{}", done.stdout, done.stderr);
            assert_eq!(done.code, 4, "{place}: {command}: {all}");
            assert!(all.contains(said) && !all.contains("Ready."), "{place}: {command}: {all}");
        }
    }
    let shop = Shop::new();
    std::fs::create_dir(shop.path("book")).unwrap();
    shop.config("book/dues.db", "book");
    for command in [&["run-now"][..], &["run-now", "--dry-run"], &["plans", "apply"]] {
        shop.dues(command).fails(4, &["book: found a folder or device, wanted a dues book"]);
    }
    let mut left: Vec<_> =
        std::fs::read_dir(shop.path("")).unwrap().map(|one| one.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["book", "dues.toml"], "what is refused leaves nothing");
}

#[test]
fn books_that_cannot_be_used() {
    let shop = Shop::new();
    std::fs::create_dir(shop.path("book")).unwrap();
    shop.write("book/dues.db", "this is a letter, not a book; it is long enough to be taken for one");
    shop.dues(&["list", "events"]).fails(4, &["dues.db", "wanted a dues book"]);
    std::fs::remove_file(shop.path("book/dues.db")).unwrap();

    shop.subscribe("cust_test_1");
    let lock = ChargingLock::take(&shop.path("book/dues.db")).unwrap();
    let holder = std::process::id().to_string();
    shop.dues(&["run-now"]).fails(4, &["found the charging lock held by process", &holder]);
    shop.write("b.db", "x");
    shop.dues(&["restore", "b.db"]).fails(4, &["found the charging lock held"]);
    shop.dues(&["list", "subscriptions"]).ok();
    drop(lock);
    shop.dues(&["restore", "b.db"]).fails(4, &["b.db"]);
    shop.dues(&["backup", "b.db"]).fails(2, &["b.db exists already"]);

    let book = rusqlite::Connection::open(shop.path("book/dues.db")).unwrap();
    book.pragma_update(None, "user_version", 999).unwrap();
    drop(book);
    for args in [&["list", "events"][..], &["run-now"], &["check"]] {
        let done = shop.dues(args);
        assert_eq!(done.code, 4, "{}", done.stderr);
        let said = done.stdout + &done.stderr;
        assert!(
            said.contains("found book schema 999, wanted at most") && said.contains("install the newer dues"),
            "{said}"
        );
    }
}

#[test]
fn a_first_command_that_is_refused_leaves_no_book() {
    let shop = Shop::new();
    shop.write("bad.csv", "customer,plan\ncust_test_1,pro-monthly\ncust_test_2,gold\n");
    let refused: &[(&[&str], &str)] = &[
        (&["subscribe", "--customer", "cust_test_1", "--plan", "gold"], "plan: found \"gold\""),
        (&["subscribe", "--customer", "cust_5x1", "--plan", "pro-monthly"], "of a live account"),
        (
            &["subscribe", "--customer", "cust_test_1", "--plan", "team-yearly", "--starts", "9999-12-31"],
            "beyond the calendar",
        ),
        (&["import", "bad.csv"], "bad.csv: line 3: plan: found \"gold\""),
    ];
    for (args, said) in refused {
        shop.dues(args).fails(2, &[said]);
        assert!(!shop.path("book").exists(), "{args:?} made something");
    }
    // Every command that makes a book is refused a price that the account cannot charge.
    shop.config("990.00 THB", "1.00 THB");
    shop.write("good.csv", "customer,plan\ncust_test_1,pro-monthly\n");
    let subscribe = ["subscribe", "--customer", "cust_test_1", "--plan", "pro-monthly"];
    for args in [&subscribe[..], &["import", "good.csv"], &["plans", "apply"], &["run-now"], &["daemon"]] {
        shop.dues(args).fails(2, &["wanted at least 20.00 THB"]);
        assert!(!shop.path("book/dues.db").exists(), "{args:?} made a book");
    }
    shop.config("1.00 THB", "990.00 THB");
    shop.dues(&["import", "good.csv"]).ok();
    assert_eq!(shop.dues(&["list", "subscriptions", "--json"]).ok().rows().len(), 1);
}

#[test]
fn first_commands_side_by_side_share_one_book_with_those_that_are_refused() {
    let shop = Shop::new();
    let start = |n: usize| {
        let (customer, plan) =
            (format!("cust_test_{n}"), if n.is_multiple_of(2) { "pro-monthly" } else { "gold" });
        let args = ["subscribe", "--customer", &customer, "--plan", plan, "--config", "dues.toml"];
        let mut command = shop.command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..8).map(start).collect();
    for (n, child) in children.into_iter().enumerate() {
        let done = child.wait_with_output().unwrap();
        let wanted = if n.is_multiple_of(2) { 0 } else { 2 };
        assert_eq!(done.status.code(), Some(wanted), "{n}: {}", String::from_utf8_lossy(&done.stderr));
    }
    assert_eq!(shop.dues(&["list", "subscriptions", "--json"]).ok().rows().len(), 4);
    let plans = shop.dues(&["plans", "list", "--json"]).ok().rows();
    assert!(plans.iter().all(|plan| plan["version"] == 1), "{plans:?}");
}

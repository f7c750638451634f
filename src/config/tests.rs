//! Configs that are believed, value by value, and a table of those that are not, with what is said of each.
//!
//! `tests/golden/config/NAME.toml` is refused with exactly `NAME.txt`; `DUES_WRITE_GOLDEN=1` writes the texts
//! anew, to be read before they are committed, and passes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::*;
use crate::model::settings::{Notify, QuietHours, SmtpTls};
use crate::model::{
    Channel, Currency, Curve, EndAction, Language, MessageKind, Money, RetrySchedule, Wait, WaitUnit,
};

const PLAN: &str = "[plans.p]\nprice = \"990.00 THB\"\nevery = \"month\"\n[dunning.standard]\nretry = []\n";

fn read(text: &str) -> Result<Loaded, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dues.toml");
    std::fs::write(&path, text).unwrap();
    load(&path)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_bad_config_is_refused_with_its_golden_text() {
    let folder = root().join("tests/golden/config");
    let mut names: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml"))
        .collect();
    names.sort();
    assert!(names.len() >= 25, "found only {} bad configs", names.len());
    let mut wrong = Vec::new();
    for path in names {
        let said = load(&path).map(|_| ()).unwrap_err().to_string();
        let said = said.replace(&format!("{}/", folder.display()), "") + "\n";
        let golden = path.with_extension("txt");
        let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
        if said != wanted {
            wrong.push(format!("{}\n--- said\n{said}\n--- wanted\n{wanted}", path.display()));
        }
        if std::env::var_os("DUES_WRITE_GOLDEN").is_some() {
            std::fs::write(&golden, &said).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        std::env::var_os("DUES_WRITE_GOLDEN").is_none(),
        "written anew; read what changed, then without it"
    );
}

#[test]
fn what_is_not_uttered_has_its_default() {
    let loaded = read(&format!("zone = \"Asia/Bangkok\"\n{PLAN}")).unwrap();
    let settings = loaded.settings;
    let folder = loaded.files[0].parent().unwrap().to_owned();
    assert_eq!(settings.zone.name(), "Asia/Bangkok");
    assert_eq!(settings.store.path, folder.join("dues.db"));
    assert_eq!(settings.omise.api_url, "https://api.omise.co");
    assert!(!settings.omise.sandbox && settings.omise.key == KeySource::None);
    assert_eq!((settings.omise.rate_milli_per_s, settings.omise.in_flight), (10_000, 8));
    assert_eq!(settings.omise.timeout, SignedDuration::from_secs(90));
    assert_eq!(settings.schedule, ScheduleSettings::default());
    assert!(settings.web.is_none() && settings.letters.is_none());
    assert_eq!(settings.cards.fresh, SignedDuration::from_hours(24));
    assert_eq!(settings.cards.warn_before.len(), 3);
    assert_eq!(settings.doubt.settle, SHORTEST_SETTLE);
    assert_eq!(settings.catch_up.hold_after, 3);
    assert_eq!((settings.brakes.charges_per_run, settings.brakes.decline_share_milli), (100_000, 500));
    assert_eq!(settings.brakes.amount_per_run, BTreeMap::new());
    assert_eq!(settings.brakes.pause_file, Some(folder.join("PAUSED")));
    assert!(settings.check_key(true).is_ok());
    assert_eq!(loaded.plans[0].1.name, "p");
}

#[test]
fn windows_are_opened_where_something_says_where() {
    let of = |web: &str| read(&format!("zone = \"Asia/Bangkok\"\n[web]\n{web}{PLAN}")).unwrap().settings.web;
    assert_eq!(of(""), None);
    assert!(of("listen = \"127.0.0.1:8780\"\n").is_some());
}

#[test]
fn every_key_is_read() {
    let loaded = load(&root().join("tests/golden/config/good/every-key.toml")).unwrap();
    let folder = root().join("tests/golden/config/good");
    let settings = loaded.settings;
    assert_eq!(settings.zone.name(), "Asia/Tokyo");
    assert_eq!(settings.store.path, folder.join("book.db"));
    assert_eq!(settings.omise.key, KeySource::Env("OMISE_SECRET_KEY".into()));
    assert_eq!(settings.omise.api_url, "http://127.0.0.1:8080");
    assert_eq!(settings.omise.vault_url.as_deref(), Some("http://[::1]:8081"));
    assert_eq!((settings.omise.rate_milli_per_s, settings.omise.in_flight), (16_667, 64));
    assert_eq!(settings.omise.timeout, SignedDuration::from_millis(250));
    assert_eq!(settings.omise.return_uri.as_deref(), Some("https://shop.example/billing/return?from=dues"));
    let web = settings.web.clone().unwrap();
    assert_eq!(web.listen.to_string(), "0.0.0.0:9000");
    assert_eq!(web.webhook_secret_files, [folder.join("webhook.secret")]);
    assert_eq!(settings.schedule.billing, "0 0 * * * *");
    assert_eq!(settings.schedule.card_watch, "30 1 2 * * *");
    assert_eq!(settings.schedule.reconcile, "0 0 5 * * MON");
    assert_eq!(settings.cards.fresh, SignedDuration::from_hours(6));
    assert_eq!(settings.cards.warn_before, [30, 7].map(|days| SignedDuration::from_hours(24 * days)));
    assert_eq!(settings.doubt.settle, SignedDuration::from_mins(1));
    assert!(settings.check_key(true).is_err() && settings.check_key(false).is_ok());
    assert_eq!(settings.catch_up.hold_after, 12);
    let thb = |minor| Money::new(minor, Currency::Thb).unwrap();
    let jpy = |minor| Money::new(minor, Currency::Jpy).unwrap();
    assert_eq!(settings.brakes.charges_per_run, 7);
    assert_eq!(settings.brakes.amount_per_run, BTreeMap::from([(Currency::Thb, thb(100_050))]));
    assert_eq!(settings.brakes.amount_per_customer_per_day, BTreeMap::from([(Currency::Jpy, jpy(5_000))]));
    assert_eq!(settings.brakes.decline_share_milli, 125);
    assert_eq!(settings.brakes.pause_file, Some(folder.join("STOP")));
    assert_eq!(settings.sandbox.customers, 7);
    assert_eq!(settings.sandbox.subscriptions, Some(folder.join("demo.csv")));
    let letters = settings.letters.unwrap();
    assert_eq!((letters.merchant.as_str(), letters.support.as_str()), ("サンプル商店", "help@shop.example"));
    assert_eq!(letters.cancel.as_deref(), Some("Write to us; one word is enough."));
    assert_eq!(letters.card_update_url.as_deref(), Some("https://shop.example/account/card"));
    assert_eq!((letters.language, letters.templates), (Language::Ja, Some(folder.join("letters"))));
}

#[test]
fn every_key_of_messages_is_read() {
    let loaded = load(&root().join("tests/golden/config/good/every-key.toml")).unwrap();
    let folder = root().join("tests/golden/config/good");
    let (settings, hours) = (loaded.settings, SignedDuration::from_hours);
    assert_eq!(settings.schedule.notifications, "15 * * * * *");
    let notify = settings.notify;
    let time = |hour, minute| jiff::civil::time(hour, minute, 0, 0);
    assert_eq!(notify.quiet, Some(QuietHours { from: time(21, 0), to: time(8, 0) }));
    assert_eq!((notify.keep, notify.trial_ending), (hours(24 * 30), hours(24 * 5)));
    assert_eq!(notify.digest_at, time(6, 30));
    let email = notify.email.clone().unwrap();
    assert_eq!((email.host.as_str(), email.port, email.tls), ("smtp.shop.example", 2525, SmtpTls::Tls));
    assert_eq!(
        (email.user.as_deref(), email.password_file),
        (Some("billing"), Some(folder.join("mail.password")))
    );
    assert_eq!(email.from, "Example Shop <billing@shop.example>");
    assert_eq!(email.reply_to.as_deref(), Some("help@shop.example"));
    assert_eq!(email.merchant.as_deref(), Some("owner@shop.example"));
    assert_eq!(email.events, [MessageKind::InvoicePaid, MessageKind::Digest]);
    assert_eq!(email.timeout, SignedDuration::from_secs(5));
    let webhook = notify.webhook.clone().unwrap();
    assert_eq!(webhook.url, "https://shop.example/hooks/dues?from=dues");
    assert_eq!((webhook.secret_file, webhook.allow_private), (folder.join("hook.secret"), true));
    assert_eq!(
        (webhook.events, webhook.timeout),
        (vec![MessageKind::Declined], SignedDuration::from_secs(7))
    );
    let command = notify.command.clone().unwrap();
    assert_eq!(command.program, ["/usr/local/bin/told", "--from", "dues"]);
    assert_eq!((command.events, command.timeout), (Vec::new(), SignedDuration::from_mins(1)));
    assert!(notify.wants(MessageKind::Digest, Channel::Email) && !notify.wants_any(MessageKind::NoCard));
}

#[test]
fn nobody_is_told_anything_where_nothing_is_wished() {
    let loaded = read(&format!("zone = \"Asia/Bangkok\"\n{PLAN}")).unwrap();
    assert_eq!(loaded.settings.notify, Notify::default());
    assert!(loaded.settings.notify.is_off());
    assert_eq!(loaded.settings.schedule.notifications, "30 * * * * *");
}

#[test]
fn plans_and_policies_come_from_several_files() {
    let loaded = load(&root().join("tests/golden/config/good/every-key.toml")).unwrap();
    assert_eq!(loaded.files.len(), 3, "{:?}", loaded.files);
    let names: Vec<_> = loaded.plans.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(names, ["basic", "pro"]);
    let (basic, pro) = (&loaded.plans[0].1, &loaded.plans[1].1);
    assert_eq!((basic.name.as_str(), basic.price.to_string()), ("Basic", "59.00 THB".into()));
    assert_eq!(
        (basic.every.to_string(), basic.trial.map(|t| t.to_string())),
        ("2 weeks".into(), Some("14 days".into()))
    );
    assert_eq!(basic.description.as_deref(), Some("{plan} x{quantity}, {period_start} to {period_end}"));
    let days = |n| Wait::new(n, WaitUnit::Day).unwrap();
    let curve = Curve { first: days(1), multiplier_milli: 1_500, longest: days(7), attempts: 5 };
    assert_eq!(basic.dunning.retry, RetrySchedule::Curve(curve));
    assert_eq!((basic.dunning.at, basic.dunning.then), (None, EndAction::Cancel));
    assert_eq!(
        pro.dunning.retry,
        RetrySchedule::Ladder(vec![days(2), Wait::new(6, WaitUnit::Hour).unwrap()])
    );
    assert_eq!(pro.dunning.at.map(|at| at.to_string()), Some("09:00:00".into()));
}

#[test]
fn shipped_configs_are_believed() {
    let demo = load(&root().join("config/demo.toml")).unwrap();
    assert!(demo.settings.omise.sandbox);
    assert_eq!(demo.plans.len(), 5);
    let example = load(&root().join("config/dues.toml")).unwrap();
    assert_eq!(example.settings.omise.key, KeySource::File(root().join("config").join("omise.key")));
}

#[test]
fn the_config_for_a_test_key_is_as_careful_as_the_defaults() {
    let ready = load(&root().join("config/test-key.toml")).unwrap();
    let settings = &ready.settings;
    let careful = read(&format!("zone = \"Asia/Bangkok\"\n{PLAN}")).unwrap().settings;
    assert_eq!(settings.omise.key, KeySource::File(root().join("config/omise.key")));
    assert_eq!((settings.omise.sandbox, settings.omise.api_url.as_str()), (false, "https://api.omise.co"));
    assert_eq!(settings.omise.timeout, careful.omise.timeout);
    assert_eq!(
        (settings.omise.rate_milli_per_s, settings.omise.in_flight),
        (careful.omise.rate_milli_per_s, careful.omise.in_flight)
    );
    assert_eq!((settings.doubt, &settings.cards, settings.hasty()), (careful.doubt, &careful.cards, None));
    assert!(settings.check_key(true).is_ok() && settings.check_key(false).is_ok());
    let demo = load(&root().join("config/demo.toml")).unwrap().settings;
    assert_ne!(settings.store.path, demo.store.path, "a book of its own");
    assert_eq!(ready.plans.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["pro-monthly"]);
}

#[test]
fn the_demos_haste_does_not_reach_the_real_provider() {
    // What somebody gets who only takes the sandbox out of the demo.
    let text = std::fs::read_to_string(root().join("config/demo.toml")).unwrap();
    let real = text
        .replace("include = [\"demo-plans.toml\"]", "")
        .replace("sandbox = true", "secret_key_file = \"omise.key\"");
    let said = read(&format!("{real}{PLAN}")).unwrap_err().to_string();
    assert!(
        said.contains("omise.timeout: found \"2s\" beside https://api.omise.co, wanted \"10s\""),
        "{said}"
    );
    let patient = real.replace("timeout = \"2s\"", "timeout = \"10s\"");
    let hasty = read(&format!("{patient}{PLAN}")).unwrap().settings.hasty().unwrap();
    assert!(hasty.contains("doubt.settle: found 1s beside https://api.omise.co, wanted 10m"), "{hasty}");
    for pretend in ["sandbox = true", "secret_key_file = \"k\"\napi_url = \"http://localhost:1\""] {
        let text = real.replace("secret_key_file = \"omise.key\"", pretend);
        assert_eq!(read(&format!("{text}{PLAN}")).unwrap().settings.hasty(), None, "{pretend}");
    }
}

#[test]
fn the_example_says_what_the_defaults_are() {
    // Uncommented, every line of the example must be believed, and change nothing but where a key is given.
    let text = std::fs::read_to_string(root().join("config/dues.toml")).unwrap();
    let is_wish = |line: &str| {
        line.strip_prefix("# ").is_some_and(|rest| {
            rest.starts_with('[') || rest.split_once(" = ").is_some_and(|(key, _)| !key.contains([' ', ':']))
        })
    };
    let skipped = ["include", "declines", "secret_key_env", "return_uri"];
    let uncommented: Vec<&str> = text
        .lines()
        .map(|line| if is_wish(line) { &line[2..] } else { line })
        .filter(|line| !skipped.iter().any(|key| line.starts_with(key)))
        .collect();
    assert!(uncommented.len() > text.lines().count() - 6);
    let all = read(&uncommented.join("\n")).unwrap().settings;
    let few = read(&text).unwrap().settings;
    assert_eq!(all.omise.timeout, few.omise.timeout);
    assert_eq!(
        (all.omise.rate_milli_per_s, all.omise.in_flight),
        (few.omise.rate_milli_per_s, few.omise.in_flight)
    );
    assert_eq!((all.omise.sandbox, &all.omise.api_url), (few.omise.sandbox, &few.omise.api_url));
    assert_eq!(
        (all.schedule, all.cards, all.doubt, all.catch_up),
        (few.schedule, few.cards, few.doubt, few.catch_up)
    );
    assert_eq!((all.budgets, all.declines), (few.budgets, few.declines));
    assert_eq!(all.brakes.charges_per_run, few.brakes.charges_per_run);
    assert_eq!(all.brakes.decline_share_milli, few.brakes.decline_share_milli);
    assert!(all.web.is_some() && all.letters.is_some());
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let said = load(Path::new("/nowhere/dues.toml")).unwrap_err().to_string();
    assert!(said.starts_with("error: /nowhere/dues.toml: the config cannot be read (No such file"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let said = load(folder.path()).unwrap_err().to_string();
    assert!(said.contains("found a folder"), "{said}");
    let path = folder.path().join("latin.toml");
    std::fs::write(&path, b"zone = \"UTC\"\n# caf\xe9\n").unwrap();
    let said = load(&path).unwrap_err().to_string();
    assert!(said.contains("latin.toml: line 2: found a byte that is not UTF-8"), "{said}");
    assert_eq!(find(Some(Path::new("x.toml"))).unwrap(), Path::new("x.toml"));
}

#[test]
fn rows_of_declines_are_laid_over_the_built_in_table() {
    use crate::model::{DeclineKind, Network};
    let own = "[[declines.rows]]\ncode = \"payment_rejected\"\nkind = \"funds\"\nretries = 5\n\
        [[declines.rows]]\ncode = \"payment_rejected\"\nnetwork = \"jcb\"\nkind = \"never\"\n\
        [[declines.rows]]\nadvice_code = [\"9101\", \"9102\"]\nnot_before = \"2 days\"\n\
        [budgets]\nvisa_30_days = 20\n";
    let loaded = read(&format!("zone = \"UTC\"\n{PLAN}{own}")).unwrap();
    let table = &loaded.settings.declines;
    assert_eq!(table.rows().len(), shipped_declines().unwrap().rows().len() + 3);
    let of_code = |network| {
        let mut rows = table.rows().iter();
        let words = |row: &&crate::model::DeclineRow| {
            row.words.code.as_deref() == Some("payment_rejected") && row.words.network == network
        };
        let row = rows.find(words).unwrap();
        (row.kind, row.most_retries)
    };
    assert_eq!(of_code(None), (Some(DeclineKind::Funds), Some(5)));
    assert_eq!(of_code(Some(Network::Jcb)), (Some(DeclineKind::Never), None));
    assert_eq!(loaded.settings.budgets.visa_30_days, 20);
}

#[test]
fn rows_of_declines_may_stand_in_a_file_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let own = "[[rows]]\ncode = \"moon_phase\"\nkind = \"limit\"\n";
    std::fs::write(folder.path().join("own.toml"), own).unwrap();
    let path = folder.path().join("dues.toml");
    std::fs::write(&path, format!("zone = \"UTC\"\ndeclines = \"own.toml\"\n{PLAN}")).unwrap();
    let loaded = load(&path).unwrap();
    assert!(
        loaded.settings.declines.rows().iter().any(|row| row.words.code.as_deref() == Some("moon_phase"))
    );
    assert_eq!(loaded.files.len(), 2, "a change of it is noticed: {:?}", loaded.files);
}

#[test]
fn a_policy_may_wish_days_kinds_and_a_spread() {
    use crate::model::{DeclineKind, NewerPeriods};
    let policy = "zone = \"UTC\"\n[plans.p]\nprice = \"990.00 THB\"\nevery = \"month\"\n[dunning.standard]\n\
        retry = [\"2 days\"]\nat = \"09:00\"\nprefer = [\"last working day\", \"25\", \"1\"]\n\
        prefer_within = \"10 days\"\navoid = [\"saturday\", \"sunday\"]\nspread = \"30 minutes\"\n\
        silent = \"48 hours\"\nnewer = \"collect\"\n\
        [dunning.standard.technical]\nretry = [\"2 hours\", \"6 hours\"]\navoid = []\n\
        [dunning.standard.limit]\nbackoff = { first = \"1 day\", multiplier = 1.5, longest = \"3 days\", attempts = 2 }\n\
        at = \"00:30\"\n";
    let loaded = read(policy).unwrap();
    let dunning = &loaded.plans[0].1.dunning;
    let told = |rules: &[crate::model::DayRule]| rules.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(&dunning.days.prefer), ["last working day", "25", "1"]);
    assert_eq!(told(&dunning.days.avoid), ["saturday", "sunday"]);
    let wait = |text: &str| Some(text.parse::<Wait>().unwrap());
    assert_eq!(dunning.days.prefer_within, wait("10 days"));
    assert_eq!((dunning.spread, dunning.silent), (wait("30 minutes"), wait("48 hours")));
    assert_eq!(dunning.newer, NewerPeriods::Collect);
    assert_eq!(dunning.kinds.len(), 2);
    let hours = |n| Wait::new(n, WaitUnit::Hour).unwrap();
    assert_eq!(*dunning.waits(DeclineKind::Technical), RetrySchedule::Ladder(vec![hours(2), hours(6)]));
    assert!(dunning.days(DeclineKind::Technical).avoid.is_empty() && !dunning.days.avoid.is_empty());
    assert!(matches!(dunning.waits(DeclineKind::Limit), RetrySchedule::Curve(_)));
    assert_eq!(dunning.local_time(DeclineKind::Limit), Some(jiff::civil::time(0, 30, 0, 0)));
    assert_eq!(dunning.local_time(DeclineKind::Funds), Some(jiff::civil::time(9, 0, 0, 0)));
}

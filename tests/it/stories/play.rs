//! Plays the tables. The words of a table are explained at the head of each file of stories.

use std::cell::Cell;

use dues::omise::GetRetry;
use serde_json::{Value, json};

use crate::harness::{Book, Scene, Setting, text};

const PLANS: &str = r#"
[plans.monthly]
name = "Monthly"
price = "990.00 THB"
every = "month"
dunning = "ladder"

[plans.trial]
price = "990.00 THB"
every = "month"
trial = "14 days"
dunning = "ladder"

[plans.daily]
price = "35.25 THB"
every = "day"
dunning = "ending"

[plans.weekly]
price = "120.50 THB"
every = "week"
dunning = "ending"

[plans.curved]
price = "990.00 THB"
every = "month"
dunning = "curve"

[plans.careful]
price = "990.00 THB"
every = "month"
dunning = "careful"

[plans.beside]
price = "120.50 THB"
every = "week"
dunning = "beside"

[dunning.ladder]
retry = ["2 days", "4 days"]
at = "09:00"
then = "pause"

[dunning.ending]
retry = ["1 day"]
then = "cancel"

[dunning.curve]
backoff = { first = "1 day", multiplier = 2.0, longest = "7 days", attempts = 3 }
then = "unpaid"

[dunning.careful]
retry = ["3 days", "3 days", "3 days"]
at = "09:00"
avoid = ["saturday", "sunday"]
then = "unpaid"

[dunning.careful.funds]
retry = ["2 days", "7 days", "14 days"]
prefer = ["last working day", "25", "1"]
avoid = ["saturday", "sunday"]

[dunning.careful.technical]
retry = ["2 hours", "6 hours"]

[dunning.careful.limit]
retry = ["1 day"]
at = "00:30"
avoid = []

[dunning.beside]
retry = ["10 days", "10 days"]
at = "09:00"
then = "cancel"
newer = "collect"

[[declines.rows]]
code = "over_limit"
kind = "limit"
"#;

/// How long an answer is waited for where the bank keeps silent: long enough for all others on a busy machine.
const HASTY: &str = "2s";
/// The same where everybody answers.
const PATIENT: &str = "6s";

/// Plays every story of a file and compares each table.
pub fn play(file: &str) {
    let mut told = 0;
    let mut differences = Vec::new();
    for story in file.split("\nstory: ").skip(1) {
        told += 1;
        let written = format!("story: {}", story.trim_end());
        let played = played(&written);
        if played != written {
            differences.push(format!("--- as told\n{written}\n--- as played\n{played}"));
        }
    }
    assert!(told >= 4, "only {told} stories were found");
    assert!(
        differences.is_empty(),
        "{} of {told} stories went otherwise:\n{}",
        differences.len(),
        differences.join("\n\n")
    );
}

/// The story as it really goes, in the same words.
fn played(story: &str) -> String {
    let mut lines = story.lines();
    let title = lines.next().unwrap_or_default();
    let given = lines.next().unwrap_or_default();
    let head = lines.next().unwrap_or_default();
    let stage = Stage::set(given, if rows_of(story).contains("silence") { HASTY } else { PATIENT });
    let mut rows = vec![cells(head)];
    for line in lines {
        let row = cells(line);
        assert!(row.len() >= 2, "{title}: a row has at least an instant and what comes before it: {line}");
        stage.before(&row[1]);
        let exit = if row[0] == "-" { "-".into() } else { stage.run(&row[0]).to_string() };
        let mut shown = vec![row[0].clone(), row[1].clone(), exit];
        shown.extend(stage.standing(&row[0]));
        rows.push(shown);
    }
    format!("{title}\n{given}\n{}", aligned(&rows))
}

/// All but title and conditions.
fn rows_of(story: &str) -> &str {
    story.splitn(4, '\n').last().unwrap_or_default()
}

fn cells(line: &str) -> Vec<String> {
    line.split('|').map(|cell| cell.trim().to_owned()).collect()
}

fn aligned(rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = (0..8)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join(" | ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// One customer, one subscription called `may`.
struct Stage {
    scene: Scene,
    customer: String,
    /// Our clock is wrong.
    clock_is_wrong: Cell<bool>,
    /// The next run's look for its doubt meets switches.
    scan_is_met: Cell<bool>,
}

/// A run's first look into the list of charges compares the book with it; the second is for its doubt.
const DOUBT_LOOK: u64 = 2;

impl Stage {
    /// From a line such as `given: monthly from 2030-11-15, card 4242424242424242`; `no card` and `paid through DAY`
    /// are understood too.
    fn set(given: &str, timeout: &'static str) -> Self {
        let given = given.strip_prefix("given: ").unwrap_or_else(|| panic!("no `given: ` in {given}"));
        let scene = Scene::new(Setting { customers: 0, toml: PLANS, timeout, ..Setting::default() });
        let parts: Vec<&str> = given.split(", ").collect();
        let (plan, starts) = parts[0].split_once(" from ").expect("`PLAN from DAY`");
        let card = parts.iter().find_map(|part| part.strip_prefix("card "));
        let customer = card.map_or_else(|| scene.cardless_customer(), |number| scene.new_customer(number).0);
        scene.import(&format!("id,customer,plan,starts\nmay,{customer},{plan},{starts}\n"));
        Self { scene, customer, clock_is_wrong: Cell::new(false), scan_is_met: Cell::new(false) }
    }

    fn api(&self, method: &str, path: &str, body: &Value) -> Value {
        self.scene.ask(method, path, self.scene.sandbox().secret_key(), body)
    }

    fn before(&self, words: &str) {
        for action in words.split(';').map(str::trim).filter(|action| !matches!(*action, "" | "-")) {
            match action.split_once(' ').unwrap_or((action, "")) {
                ("bank:", switches) => self.scene.charges_meet(switches, Some(&self.customer), Some(1)),
                ("always:", switches) => self.scene.charges_meet(switches, Some(&self.customer), None),
                ("away", switches) => self.provider_is_away(switches),
                ("clock", ahead) => self.set_clock(ahead),
                ("behave", _) => self.scene.behave(),
                ("scan:", switches) => self.scan_meets(switches),
                // Until it behaves, whoever asks for a charge by its id meets that.
                ("asked:", switches) => {
                    let rule = json!({"path": "/charges/", "method": "GET", "faults": switches});
                    self.scene.ask("POST", "/__sandbox/faults", "", &rule);
                }
                ("provider", seconds) => {
                    let seconds: i64 = seconds.parse().expect("seconds");
                    self.scene.ask("POST", "/__sandbox/clock", "", &json!({"advance": seconds}));
                }
                ("card", number) => self.new_default_card(number),
                ("expire", _) => self.expire_card(),
                ("lose", _) => self.lose_cards(),
                ("leave", _) => {
                    self.api("DELETE", &format!("/customers/{}", self.customer), &Value::Null);
                }
                ("customer", verdict) => self.answer_page(verdict),
                ("dues", command) => self.command(command),
                _ => panic!("no action reads `{action}`"),
            }
        }
    }

    /// The run's exit code.
    fn run(&self, at: &str) -> i32 {
        let at = format!("{}:00+07:00", at.replace(' ', "T"));
        let wrong: &[(&str, &str)] = if self.clock_is_wrong.get() { &[("DUES_CLOCK", "clock")] } else { &[] };
        let ended = self.scene.start(&["run-now", "--json", "--at", &at], wrong).wait();
        // A clock that disagrees with the provider's keeps the book shut, and says so.
        let clock = ended.code() == 4 && ended.stderr.contains("the wall clock says");
        let away = ended.code() == 1 && ended.stdout.contains("\"stopped_by\":\"provider_unreachable\"");
        assert!(clock || away || matches!(ended.code(), 0 | 3 | 5), "{ended:#?}");
        if self.scan_is_met.take() {
            self.scan_was_met();
        }
        ended.code()
    }

    /// The next run's look for its doubt meets these at each of its tries, and no other read does.
    fn scan_meets(&self, switches: &str) {
        for nth in DOUBT_LOOK..DOUBT_LOOK + u64::from(GetRetry::default().tries_max) {
            let rule = json!({"path": "/charges", "method": "GET", "nth": nth, "faults": switches});
            self.scene.ask("POST", "/__sandbox/faults", "", &rule);
        }
        self.scan_is_met.set(true);
    }

    /// What was to meet the scan has met it, and is forgotten, so that the next run's scan is its own.
    fn scan_was_met(&self) {
        let rules = self.scene.ask("GET", "/__sandbox/faults", "", &Value::Null);
        let rules = rules["rules"].as_array().expect("rules");
        let met = rules.iter().any(|kept| kept["rule"]["nth"] == DOUBT_LOOK && kept["applied"] == 1);
        assert!(met, "no scan met its switches: {rules:#?}");
        self.scene.behave();
    }

    /// Every request meets that, reads included, until it behaves.
    fn provider_is_away(&self, switches: &str) {
        self.scene.ask("POST", "/__sandbox/faults", "", &json!({"path": "/", "faults": switches}));
    }

    /// Ours is so many hours ahead of everybody else's; `right`: it is not any more.
    fn set_clock(&self, ahead: &str) {
        self.clock_is_wrong.set(ahead != "right");
        let hours: u64 = ahead.trim_end_matches(" hours").parse().unwrap_or(0);
        let clock = std::fs::File::create(self.scene.path("clock")).expect("a file for the clock");
        clock.set_len(hours * 3_600).expect("the clock can be set");
    }

    fn new_default_card(&self, number: &str) {
        let path = format!("/customers/{}", self.customer);
        let with = self.api("PATCH", &path, &json!({"card": self.scene.new_token(number)}));
        let newest = with["cards"]["data"].as_array().and_then(|cards| cards.last()).expect("a card");
        self.api("PATCH", &path, &json!({"default_card": newest["id"]}));
    }

    fn cards(&self) -> Vec<String> {
        let customer = self.api("GET", &format!("/customers/{}", self.customer), &Value::Null);
        let cards = customer["cards"]["data"].as_array().expect("cards");
        cards.iter().map(|card| text(card, "id").to_owned()).collect()
    }

    fn expire_card(&self) {
        for card in self.cards() {
            let path = format!("/customers/{}/cards/{card}", self.customer);
            self.api("PATCH", &path, &json!({"expiration_month": 10, "expiration_year": 2030}));
        }
    }

    fn lose_cards(&self) {
        for card in self.cards() {
            self.api("DELETE", &format!("/customers/{}/cards/{card}", self.customer), &Value::Null);
        }
    }

    /// The customer approves or denies the last charge that waits for them.
    fn answer_page(&self, verdict: &str) {
        let ledger = self.scene.ledger();
        let waiting = ledger.iter().rev().find(|entry| entry.status == "pending").expect("a pending charge");
        let verdict = verdict.trim_end_matches('s');
        self.scene.ask("POST", &format!("/__sandbox/charges/{}/{verdict}", waiting.id), "", &Value::Null);
    }

    /// `INVOICE` and `ATTEMPT` stand for the latest, `CHARGE` for the latest of the ledger.
    fn command(&self, command: &str) {
        let book = Book::read(&self.scene);
        let latest = |rows: &[Value]| rows.last().map(|row| text(row, "id").to_owned()).unwrap_or_default();
        let (invoice, attempt) = (latest(&book.invoices), latest(&book.attempts));
        let charge = self.scene.ledger().last().map(|entry| entry.id.clone()).unwrap_or_default();
        let (refused, command) = match command.strip_prefix("refuses ") {
            Some(rest) => (true, rest),
            None => (false, command),
        };
        let words: Vec<String> = command
            .split_whitespace()
            .map(|word| match word {
                "INVOICE" => invoice.clone(),
                "ATTEMPT" => attempt.clone(),
                "CHARGE" => charge.clone(),
                other => other.replace('_', " "),
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ended = self.scene.dues(&words);
        assert_eq!(ended.code() != 0, refused, "{ended:#?}");
    }

    /// Latest attempt, invoices, next try (`due`: not later than the run), subscription, flags.
    fn standing(&self, at: &str) -> Vec<String> {
        let book = Book::read(&self.scene);
        let dash = || "-".to_owned();
        let latest = book.attempts.iter().max_by_key(|row| text(row, "intended_at").to_owned());
        let attempt = latest.map_or_else(dash, |row| {
            let (invoice, number) = (text(row, "invoice").trim_start_matches("may."), &row["number"]);
            let code = text(row, "failure_code");
            format!("{invoice}#{number} {} {code}", text(row, "status")).trim_end().to_owned()
        });
        let counts = |status: &str| book.invoices.iter().filter(|row| text(row, "status") == status).count();
        let invoices: Vec<String> = ["open", "paid", "void", "uncollectible"]
            .into_iter()
            .filter(|status| counts(status) > 0)
            .map(|status| format!("{} {status}", counts(status)))
            .collect();
        let next = book
            .invoices
            .iter()
            .map(|row| text(row, "next_attempt_at"))
            .filter(|next| !next.is_empty())
            .min();
        let next =
            next.map(|next| if next[..16].replace('T', " ").as_str() <= at { "due" } else { &next[..10] });
        let subscription = text(book.subscription("may"), "status").to_owned();
        let flags: Vec<&str> = book.flags.iter().map(|flag| text(flag, "reason")).collect();
        let or_dash = |words: String| if words.is_empty() { dash() } else { words };
        vec![
            attempt,
            or_dash(invoices.join(", ")),
            next.map_or_else(dash, str::to_owned),
            subscription,
            or_dash(flags.join(", ")),
        ]
    }
}

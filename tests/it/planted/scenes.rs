//! The courses that bring planted bugs to light, each judged as any other.

use std::time::Duration;

use dues::hooks::Bug;
use dues::sandbox::{Fate, Fates};
use serde_json::json;

use crate::harness::{AT, Book, Child, Ended, Expected, Scene, Setting, judge, text};

/// Far longer than a run needs to reach its charge.
const PATIENCE: Duration = Duration::from_mins(1);

/// The bug of this course, if any.
pub struct Plant(Option<Bug>);

/// What a course came to.
pub struct Found {
    /// What the judge said.
    pub faults: Vec<String>,
    /// For the story of a failed test.
    pub scene: Scene,
}

impl Plant {
    /// As shipped.
    pub const fn none() -> Self {
        Self(None)
    }

    /// With that bug.
    pub const fn of(bug: Bug) -> Self {
        Self(Some(bug))
    }

    fn variables(&self) -> Vec<(&'static str, &'static str)> {
        self.0.iter().map(|bug| ("DUES_PLANT", bug.name())).collect()
    }

    /// The program with the bug, if any.
    pub fn start(&self, scene: &Scene, words: &[&str]) -> Child {
        scene.start(words, &self.variables())
    }

    /// A run at that instant, which may end with something for a person.
    #[track_caller]
    pub fn run(&self, scene: &Scene, at: &str) -> Ended {
        let ended = self.start(scene, &["run-now", "--json", "--at", at]).wait();
        assert!(matches!(ended.code(), 0 | 3), "{ended:#?}");
        ended
    }
}

/// One subscription with one due period of 990.00 THB.
fn one_due() -> (Scene, Expected) {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let customer = &scene.customers()[0];
    scene.import(&format!("id,customer,plan,starts\nmay,{customer},monthly,2030-11-15\n"));
    (scene, Expected::default().with("may", &["2030-11-15"], 99_000))
}

fn judged(scene: Scene, expected: &Expected) -> Found {
    let faults = judge(&scene.ledger(), &Book::read(&scene), expected);
    Found { faults, scene }
}

/// Killed when the provider has charged and nothing is kept yet; then runs until all is settled. The list shows the
/// charge only after the next run, which could refuse a book that lacks it: what is kept before the request must do.
pub fn killed_before_the_answer_is_kept(plant: &Plant) -> Found {
    let (scene, expected) = one_due();
    scene.ask("POST", "/__sandbox/settings", "", &json!({"list_delay_ms": 20_000}));
    let mut variables = plant.variables();
    variables.push(("DUES_KILL_AT", "answer.after_read"));
    assert!(scene.start(&["run-now", "--at", AT], &variables).wait().killed());
    for _ in 0..3 {
        scene.provider_time_passes(15);
        plant.run(&scene, AT);
    }
    judged(scene, &expected)
}

/// The provider charges, then answers 500.
pub fn an_error_after_the_charge(plant: &Plant) -> Found {
    let (scene, expected) = one_due();
    scene.charges_meet("status_after:500", None, Some(1));
    for _ in 0..2 {
        plant.run(&scene, AT);
        scene.provider_time_passes(15);
    }
    judged(scene, &expected)
}

/// The provider charges, then closes the connection.
pub fn silence_after_the_charge(plant: &Plant) -> Found {
    let (scene, expected) = one_due();
    scene.charges_meet("close_after", None, Some(1));
    for _ in 0..3 {
        plant.run(&scene, AT);
        scene.provider_time_passes(15);
    }
    judged(scene, &expected)
}

/// A soft decline, and its retry three days later.
pub fn a_retry_after_a_decline(plant: &Plant) -> Found {
    let (scene, expected) = one_due();
    scene.charges_meet("decline:insufficient_fund", None, Some(1));
    plant.run(&scene, AT);
    plant.run(&scene, "2030-11-24T12:00:00+07:00");
    judged(scene, &expected)
}

/// 31 January, monthly, all periods missed until April.
pub fn months_from_the_thirty_first(plant: &Plant) -> Found {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let customer = &scene.customers()[0];
    scene.import(&format!("id,customer,plan,starts\nmay,{customer},monthly,2030-01-31\n"));
    plant.run(&scene, "2030-04-15T12:00:00+07:00");
    let expected = Expected::default().with("may", &["2030-01-31", "2030-02-28", "2030-03-31"], 99_000);
    judged(scene, &expected)
}

/// The period began on Friday; the first run since is on Monday.
pub fn a_run_three_days_late(plant: &Plant) -> Found {
    let (scene, expected) = one_due();
    plant.run(&scene, "2030-11-18T09:00:00+07:00");
    judged(scene, &expected)
}

/// The customer's only card expired years ago.
pub fn an_expired_card(plant: &Plant) -> Found {
    let scene = Scene::new(Setting { customers: 200, fates: Fates::Mixed, ..Setting::default() });
    let seeded = scene.sandbox().customers();
    let expired = &seeded.iter().find(|customer| customer.fate == Fate::ExpiredCard).expect("seeded").id;
    scene.import(&format!("id,customer,plan,starts\nmay,{expired},monthly,2030-11-15\n"));
    plant.run(&scene, AT);
    let untouchable = std::iter::once(expired.clone()).collect();
    judged(scene, &Expected { untouchable, ..Expected::default().with("may", &["2030-11-15"], 99_000) })
}

/// Nothing happened between two runs.
pub fn two_runs_at_one_instant(plant: &Plant) -> Found {
    let (scene, expected) = one_due();
    plant.run(&scene, AT);
    plant.run(&scene, AT);
    judged(scene, &expected)
}

/// Refused as stolen; then a run every few days for a month.
pub fn a_stolen_card_and_a_month(plant: &Plant) -> Found {
    let (scene, expected) = one_due();
    scene.charges_meet("decline:stolen_or_lost_card", None, None);
    for at in [AT, "2030-11-24T09:00:00+07:00", "2030-12-01T09:00:00+07:00", "2030-12-12T09:00:00+07:00"] {
        plant.run(&scene, at);
    }
    judged(scene, &expected)
}

/// The default card is refused for good, another one is saved, the policy would try it, and the customer was not asked.
pub fn a_second_card_that_nobody_agreed_to(plant: &Plant) -> Found {
    let scene = Scene::new(Setting { customers: 0, toml: BACKED_UP, ..Setting::default() });
    let (customer, card) = scene.new_customer("4242424242424242");
    let (path, key) = (format!("/customers/{customer}"), scene.sandbox().secret_key().to_owned());
    let token = scene.new_token("5555555555554444");
    scene.ask("PATCH", &path, &key, &serde_json::json!({ "card": token }));
    scene.ask("PATCH", &path, &key, &serde_json::json!({ "default_card": card }));
    scene.import(&format!("id,customer,plan,starts\nmay,{customer},backed,2030-11-15\n"));
    scene.charges_meet("decline:stolen_or_lost_card", Some(&customer), Some(1));
    plant.run(&scene, AT);
    let mut found = judged(scene, &Expected::default().with("may", &["2030-11-15"], 99_000));
    for entry in found.scene.ledger().iter().filter(|entry| entry.card != card) {
        found.faults.push(format!("uncalled for: {} on {}, which nobody agreed to", entry.id, entry.card));
    }
    found
}

const BACKED_UP: &str = r#"
[plans.backed]
price = "990.00 THB"
every = "month"
dunning = "standard"

[dunning.standard]
retry = ["2 days"]
backup_card = true
then = "pause"
"#;

/// One charge of a price that a hundredth of would pass for a price too.
pub fn one_plain_charge(plant: &Plant) -> Found {
    let scene = Scene::new(Setting { customers: 1, toml: DEAR, ..Setting::default() });
    let customer = &scene.customers()[0];
    scene.import(&format!("id,customer,plan,starts\nmay,{customer},dear,2030-11-15\n"));
    plant.run(&scene, AT);
    judged(scene, &Expected::default().with("may", &["2030-11-15"], 490_000))
}

const DEAR: &str = r#"
[plans.dear]
price = "4900.00 THB"
every = "month"
dunning = "standard"

[dunning.standard]
retry = ["2 days"]
then = "pause"
"#;

/// `dues cancel` between a declined charge and its answer: both must stand in the end.
pub fn a_cancel_while_the_answer_is_on_its_way(plant: &Plant) -> Found {
    let (scene, expected) = one_due();
    scene.charges_meet("decline:insufficient_fund,delay_after:3000", None, Some(1));
    let child = plant.start(&scene, &["run-now", "--json", "--at", AT]);
    wait_for_a_charge(&scene);
    scene.dues(&["cancel", "may"]).expect(0);
    child.wait().expect(0);
    let mut found = judged(scene, &expected);
    let status = text(Book::read(&found.scene).subscription("may"), "status").to_owned();
    if status != "canceled" {
        found.faults.push(format!("overwritten: canceled while an answer was on its way, now {status}"));
    }
    found
}

#[track_caller]
fn wait_for_a_charge(scene: &Scene) {
    let begun = std::time::Instant::now();
    while scene.ledger().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "no charge was made");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Another program holds the book's write lock while an answer comes in: its result waits for the lock, no more.
pub fn a_result_while_another_program_writes(plant: &Plant) -> Found {
    /// The charge is made at once and answered after this, …
    const ANSWERED_AFTER: &str = "delay_after:1500";
    /// … well within the time for which the lock is held.
    const HELD: Duration = Duration::from_millis(2_500);
    let (scene, expected) = one_due();
    scene.charges_meet(ANSWERED_AFTER, None, Some(1));
    let other = rusqlite::Connection::open(scene.path("dues.db")).expect("the book");
    let run = plant.start(&scene, &["run-now", "--json", "--at", AT]);
    wait_for_a_charge(&scene);
    other.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    std::thread::sleep(HELD);
    other.execute_batch("ROLLBACK").expect("given back");
    let run = run.wait();
    let mut found = judged(scene, &expected);
    if run.code() != 0 || run.stderr.contains("locked") {
        found.faults.push(format!("refused: {run:?}"));
    }
    found
}

const CAREFUL: &str = r#"
[plans.monthly]
price = "990.00 THB"
every = "month"
dunning = "standard"

[dunning.standard]
retry = ["2 days", "2 days", "2 days", "2 days", "2 days"]
at = "09:00"
then = "pause"

[budgets]
visa_30_days = 2
"#;

/// Declined every time, under a policy that would try six times and a budget of two.
pub fn a_card_declined_past_its_budget(plant: &Plant) -> Found {
    let scene = Scene::new(Setting { customers: 1, toml: CAREFUL, ..Setting::default() });
    let customer = &scene.customers()[0];
    scene.import(&format!("id,customer,plan,starts\nmay,{customer},monthly,2030-11-15\n"));
    scene.charges_meet("decline:insufficient_fund", None, None);
    plant.run(&scene, AT);
    plant.run(&scene, "2030-11-23T09:00:00+07:00");
    plant.run(&scene, "2030-11-25T09:00:00+07:00");
    scene.dues(&["retry", "may"]).expect(0);
    plant.run(&scene, "2030-12-10T09:00:00+07:00");
    let tried = scene.ledger().len();
    let expected = Expected::default().with("may", &["2030-11-15"], 99_000);
    let mut found = judged(scene, &expected);
    if tried > 2 {
        found.faults.push(format!("over budget: {tried} tries of a card that was allowed two"));
    }
    found
}

/// Declined, and canceled before the retry comes.
pub fn a_cancel_between_two_tries(plant: &Plant) -> Found {
    let (scene, expected) = one_due();
    scene.charges_meet("decline:insufficient_fund", None, None);
    plant.run(&scene, AT);
    plant.start(&scene, &["cancel", "may"]).wait().expect(0);
    for at in ["2030-11-23T12:00:00+07:00", "2030-12-02T12:00:00+07:00", "2031-01-20T12:00:00+07:00"] {
        plant.run(&scene, at);
    }
    let tried = scene.ledger().len();
    let mut found = judged(scene, &expected);
    if tried > 1 {
        found.faults.push(format!("after cancel: {tried} tries, wanted the one before it"));
    }
    found
}

/// A second run while nobody knows what became of the first one's request; then runs until somebody does.
pub fn a_run_beside_a_doubt(plant: &Plant) -> Found {
    let (scene, expected) = one_due();
    scene.charges_meet("close_before", None, Some(1));
    plant.run(&scene, AT);
    let beside = plant.run(&scene, AT);
    for _ in 0..3 {
        scene.provider_time_passes(15);
        plant.run(&scene, AT);
    }
    let mut found = judged(scene, &expected);
    let incidents = beside.json()["incidents"].to_string();
    if incidents.contains("the book refused a write") {
        found.faults.push(format!("beside: a second attempt beside one that had not ended: {incidents}"));
    }
    found
}

/// A customer whose default becomes a stolen card while what was read of them is still fresh.
pub fn a_stolen_card_that_nobody_had_read(plant: &Plant) -> Found {
    let scene = Scene::new(Setting { customers: 0, toml: DAILY, ..Setting::default() });
    let (customer, _) = scene.new_customer("4242424242424242");
    scene.import(&format!("id,customer,plan,starts\nmay,{customer},daily,2030-11-20\n"));
    plant.run(&scene, "2030-11-20T10:00:00+07:00");
    let (path, key) = (format!("/customers/{customer}"), scene.sandbox().secret_key().to_owned());
    let token = scene.new_token("4111111111130012");
    let changed = scene.ask("PATCH", &path, &key, &serde_json::json!({ "card": token }));
    let cards = changed["cards"]["data"].as_array().expect("cards");
    let stolen = text(cards.last().expect("the new card"), "id").to_owned();
    scene.ask("PATCH", &path, &key, &serde_json::json!({ "default_card": stolen }));
    plant.run(&scene, "2030-11-21T09:00:00+07:00");
    let mut found = judged(scene, &Expected::default().with("may", &["2030-11-20", "2030-11-21"], 9_900));
    let tries = found.scene.ledger().iter().filter(|entry| entry.card == stolen).count();
    if tries != 1 {
        found.faults.push(format!("after never: {tries} tries of {stolen}, wanted 1"));
    }
    found
}

const DAILY: &str = r#"
[plans.daily]
price = "99.00 THB"
every = "day"
dunning = "standard"

[dunning.standard]
retry = ["2 days"]
then = "pause"
"#;

/// A run that is told to die at the first point there is.
pub fn killed_at_once() -> Ended {
    let (scene, _) = one_due();
    scene.start(&["run-now", "--at", AT], &[("DUES_KILL_AT", "epoch.before_commit")]).wait()
}

//! Ticks carry no meaning: doubled, lost and late ones, and both changes of the clock, give one book; and those that come
//! after the shutdown are stopped by the gate that all of them go through, though the service still listens.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dues::billing::import::Import;
use dues::billing::webhooks::Doorbell;
use dues::billing::{Billing, BillingSettings, RatePerSecond};
use dues::clock::Clock;
use dues::config::shipped_declines;
use dues::daemon::schedule::Gate;
use dues::daemon::{Desk, EndedBadly, Job, Order, Pulse, Reload, Timetable, Wishes};
use dues::gateway::webhooks::Secrets;
use dues::gateway::{Access, OmiseGateway};
use dues::model::settings::{Brakes, Budgets, Cards, CatchUp, Doubt, ThreeDs};
use dues::model::{DunningPolicy, EndAction, PlanKey, PlanTerms, RetrySchedule, Zone};
use dues::sandbox::{Fates, Sandbox, SandboxOptions};
use dues::store::sqlite::SqliteStore;
use dues::store::{Filter, Lane, LaneOptions, Store as _};
use dues::web::{Phase, Standing};
use dues::wiring::Post;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::webhooks::OLD;
use crate::harness::ask;

/// Longer than this and the service hangs.
const LONGEST: Duration = Duration::from_mins(2);
pub(super) const CUSTOMERS: u32 = 4;
/// A tick that is let through is heard within a fraction of this.
const UNHEARD: Duration = Duration::from_millis(200);

/// A wall clock that stands still until it is moved.
pub(super) struct Hand(pub(super) AtomicI64, pub(super) AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(self.1.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// A service under test, with everything it is told in our hands.
pub(super) struct Service {
    pub(super) sandbox: Sandbox,
    pub(super) billing: Billing,
    pub(super) clock: Arc<Hand>,
    pub(super) lane: Lane,
    pub(super) ticks: mpsc::Sender<()>,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) doorbell: Arc<Doorbell>,
    stop: CancellationToken,
    pub(super) standing: watch::Receiver<Standing>,
    pub(super) served: JoinHandle<Result<(), EndedBadly>>,
}

/// What must not depend on ticks: invoices with their periods and fates, and the charges truly made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) invoices: Vec<String>,
    pub(super) charged: Vec<(String, i64)>,
}

fn plan() -> (PlanKey, PlanTerms) {
    let retry = RetrySchedule::Ladder(vec!["1 day".parse().unwrap()]);
    let dunning = DunningPolicy::plain("standard".into(), retry, None, EndAction::Pause);
    let terms = PlanTerms {
        name: "Daily".into(),
        price: "120.00 THB".parse().unwrap(),
        every: "day".parse().unwrap(),
        trial: None,
        description: None,
        dunning,
    };
    (PlanKey::parse("daily").unwrap(), terms)
}

fn settings(zone: &Zone) -> BillingSettings {
    BillingSettings {
        zone: zone.clone(),
        cards: Cards {
            fresh: SignedDuration::from_hours(24),
            warn_before: Vec::new(),
            renewals_ahead: 1,
            try_expired: false,
        },
        doubt: Doubt { settle: SignedDuration::from_secs(1) },
        three_ds: ThreeDs { remind: Vec::new(), give_up: SignedDuration::from_hours(24) },
        declines: Arc::new(shipped_declines().expect("the built-in table")),
        budgets: Budgets::default(),
        catch_up: CatchUp { hold_after: 30 },
        brakes: Brakes {
            charges_per_run: 1_000,
            amount_per_run: std::collections::BTreeMap::new(),
            amount_per_customer_per_day: std::collections::BTreeMap::new(),
            decline_share_milli: 1_000,
            pause_file: None,
        },
        in_flight: 2,
        rate: RatePerSecond(1_000_000_000),
        timeout: SignedDuration::from_secs(5),
        prices: Vec::new(),
    }
}

impl Service {
    /// A book of daily subscriptions in that zone that begin at `at`, and the service over it, which has made its
    /// first run when this returns.
    async fn start(zone: &str, at: &str) -> Self {
        let reload: Reload = Box::new(|| Box::pin(async { Err("no config in this test".to_owned()) }));
        Self::over(SqliteStore::in_memory().unwrap(), zone, at, reload).await
    }

    /// The same over that book, and with that config.
    pub(super) async fn over(mut store: SqliteStore, zone: &str, at: &str, reload: Reload) -> Self {
        let (zone, at): (Zone, Timestamp) = (zone.parse().unwrap(), at.parse().unwrap());
        let options =
            SandboxOptions { customers: CUSTOMERS, fates: Fates::Paying, ..SandboxOptions::default() };
        let sandbox = dues::sandbox::start(options).await.unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(at.as_millisecond()), AtomicI64::new(1_000_000)));
        set_provider_clock(&sandbox, at).await;
        store.apply_plans(&[plan()], at).unwrap();
        let start = zone.at(at).date();
        let ids = sandbox.customers().into_iter().map(|customer| customer.id);
        let rows: Vec<String> = ids.map(|id| format!("{id},daily,{start}")).collect();
        let csv = format!("customer,plan,starts\n{}\n", rows.join("\n"));
        let plans = store.plans().unwrap();
        Import::new(csv.as_bytes(), plans, zone.clone(), at).carry_out(&mut store, &mut |_| {}).unwrap();
        let (api_url, vault_url) = (sandbox.api_url(), sandbox.vault_url());
        let access = Access {
            secret_key: sandbox.secret_key(),
            api_url: &api_url,
            vault_url: Some(&vault_url),
            timeout: None,
            connections: None,
            return_uri: Some("https://shop.example/back"),
        };
        let gateway = Arc::new(OmiseGateway::open(&access).unwrap());
        let (pulse, stop) = (Arc::new(Pulse::default()), CancellationToken::new());
        let billing = Billing {
            lane: Lane::start(Box::new(store), LaneOptions::default()),
            gateway,
            clock: clock.clone(),
            settings: Arc::new(settings(&zone)),
            watch: pulse.clone(),
            meters: Arc::default(),
            stop: stop.clone(),
            paused: Arc::new(|| false),
        };
        let words = [
            (Job::Billing, "0 */5 * * * *"),
            (Job::CardWatch, "0 30 3 * * *"),
            (Job::Reconcile, "0 15 4 * * *"),
            (Job::Notifications, "30 * * * * *"),
            (Job::Housekeeping, "0 45 2 * * *"),
        ];
        let (lane, shared) = (billing.lane.clone(), billing.clone());
        let post = Post::silent(billing.clone());
        let wishes =
            Wishes { billing, timetable: Timetable::new(zone, &words).unwrap(), backups: None, post };
        let (ticks, ticked) = mpsc::channel(1);
        let (orders, ordered) = mpsc::channel(4);
        let (told, standing) = watch::channel(Standing::default());
        let secrets = Secrets::parse([OLD]).unwrap();
        let (doorbell, rings) = Doorbell::hang(&shared, secrets).await.unwrap();
        let desk = Desk::new(wishes, ticked, ordered, reload, pulse, told);
        let served = tokio::spawn(desk.with_doorbell(doorbell.clone(), rings).serve());
        let billing = shared;
        let mut service =
            Self { sandbox, billing, clock, lane, ticks, orders, doorbell, stop, standing, served };
        service.rests(1).await;
        service
    }

    /// Waits until so many ticks were heard and nothing is under way.
    pub(super) async fn rests(&mut self, considered: u64) {
        let quiet =
            |s: &Standing| s.phase == Phase::Serving && s.considered >= considered && s.busy.is_none();
        tokio::time::timeout(LONGEST, self.standing.wait_for(quiet))
            .await
            .expect("the service moves")
            .unwrap();
    }

    /// Time passes for us and for the provider.
    pub(super) async fn pass(&self, span: SignedDuration) {
        set_provider_clock(&self.sandbox, self.clock.now() + span).await;
        self.passes_here(span);
    }

    /// Time passes for us. The provider's clock is set before: once the steady clock has moved by more than a minute and a
    /// half, the very next beat, which comes every second, asks what is due without any tick.
    pub(super) fn passes_here(&self, span: SignedDuration) {
        let ms = i64::try_from(span.as_millis()).unwrap();
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
        self.clock.1.fetch_add(ms, Ordering::SeqCst);
    }

    /// From now on requests of that kind meet this.
    pub(super) async fn meets(&self, method: &'static str, path: &'static str, faults: &'static str) {
        let addr = self.sandbox.addr();
        let rule = json!({"path": path, "method": method, "faults": faults});
        tokio::task::spawn_blocking(move || ask(addr, "POST", "/__sandbox/faults", "", &rule)).await.unwrap();
    }

    /// From now on no request meets anything.
    pub(super) async fn behaves(&self) {
        let addr = self.sandbox.addr();
        let forget = move || ask(addr, "DELETE", "/__sandbox/faults", "", &serde_json::Value::Null);
        tokio::task::spawn_blocking(forget).await.unwrap();
    }

    /// One tick, heard and acted upon.
    pub(super) async fn tick(&mut self) {
        let considered = self.standing.borrow().considered;
        Gate::over(self.ticks.clone()).tick();
        self.rests(considered + 1).await;
    }

    /// Ticks until one was acted upon by clocks that are believed. Where ticks are lost a beat looks without them, and what it
    /// began may see the test move one clock after the other.
    async fn settles(&mut self) {
        loop {
            let believed = self.standing.borrow().clock_trouble.is_none();
            self.tick().await;
            if believed && self.standing.borrow().clock_trouble.is_none() {
                return;
            }
        }
    }

    pub(super) async fn outcome(&self) -> Outcome {
        let rows =
            self.lane.run(|store| store.list_invoices(&Filter::default(), 0, 1_000)).await.unwrap().unwrap();
        let mut invoices: Vec<_> = rows
            .iter()
            .map(|row| {
                let i = &row.invoice;
                let period = format!("{} {}..{}", i.id.index, i.period.start, i.period.end);
                format!("{} {period} {} {:?}", row.customer, i.amount, i.status)
            })
            .collect();
        invoices.sort();
        let mut charged: Vec<_> = self
            .sandbox
            .ledger()
            .into_iter()
            .map(|entry| (entry.customer.unwrap_or_default(), entry.amount))
            .collect();
        charged.sort();
        Outcome { invoices, charged }
    }

    /// Shuts the gate, ticks on as the library would while the service still listens and a day more is due, stops it, and
    /// tells what came of it all.
    pub(super) async fn stop(mut self) -> Outcome {
        let before = self.outcome().await;
        let considered = self.standing.borrow().considered;
        let gate = Gate::over(self.ticks.clone());
        gate.shut();
        // The wall clock alone: by the steady one a beat would find the tick overdue, and look without it.
        let day = SignedDuration::from_hours(24);
        set_provider_clock(&self.sandbox, self.clock.now() + day).await;
        self.clock.0.fetch_add(i64::try_from(day.as_millis()).unwrap(), Ordering::SeqCst);
        for _ in 0..3 {
            gate.tick();
        }
        let unheard = tokio::time::timeout(UNHEARD, self.standing.wait_for(|s| s.considered > considered))
            .await
            .is_err();
        assert!(unheard, "a tick after the gate was shut was heard");
        self.stop.cancel();
        self.orders.send(Order::Stop).await.unwrap();
        let served = std::mem::replace(&mut self.served, tokio::spawn(async { Ok(()) }));
        tokio::time::timeout(LONGEST, served).await.expect("it stops").unwrap().unwrap();
        let outcome = self.outcome().await;
        assert_eq!(before, outcome, "a tick after the gate was shut did something");
        self.lane.close().await;
        self.sandbox.stop().await;
        outcome
    }
}

pub(super) async fn set_provider_clock(sandbox: &Sandbox, now: Timestamp) {
    let addr = sandbox.addr();
    let body = json!({"set": now.to_string()});
    tokio::task::spawn_blocking(move || ask(addr, "POST", "/__sandbox/clock", "", &body)).await.unwrap();
}

const STEP: SignedDuration = SignedDuration::from_hours(3);
/// Two and a half days.
const STEPS: u32 = 20;

/// How ticks come, step by step.
#[derive(Clone, Copy, Debug)]
enum Ticking {
    Plain,
    Doubled,
    /// In the middle of the work that an earlier one began.
    Burst,
    Lost,
    Late,
}

async fn days_of(zone: &str, from: &str, ticking: Ticking) -> Outcome {
    let mut service = Service::start(zone, from).await;
    for step in 1..=STEPS {
        match ticking {
            Ticking::Plain => {
                service.pass(STEP).await;
                service.tick().await;
            }
            Ticking::Doubled => {
                service.pass(STEP).await;
                service.tick().await;
                service.tick().await;
            }
            Ticking::Burst => {
                service.pass(STEP).await;
                for _ in 0..5 {
                    // One that finds no place says the same as the one that has it.
                    Gate::over(service.ticks.clone()).tick();
                    tokio::task::yield_now().await;
                }
                service.tick().await;
            }
            Ticking::Lost => {
                service.pass(STEP).await;
                if step % 5 == 0 {
                    service.settles().await;
                }
            }
            Ticking::Late => {
                let late = SignedDuration::from_mins(17);
                service.pass(if step == 1 { STEP + late } else { STEP }).await;
                service.tick().await;
            }
        }
    }
    service.stop().await
}

async fn all_ticking_gives_one_book(zone: &str, from: &str, periods: usize) {
    let plain = days_of(zone, from, Ticking::Plain).await;
    assert_eq!(plain.invoices.len(), periods * CUSTOMERS as usize, "{plain:#?}");
    assert_eq!(plain.charged.len(), plain.invoices.len(), "{plain:#?}");
    for ticking in [Ticking::Doubled, Ticking::Burst, Ticking::Lost, Ticking::Late] {
        assert_eq!(days_of(zone, from, ticking).await, plain, "{ticking:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ticks_carry_no_meaning_where_an_hour_is_left_out() {
    all_ticking_gives_one_book("America/New_York", "2026-03-07T05:00:00Z", 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ticks_carry_no_meaning_where_an_hour_comes_twice() {
    all_ticking_gives_one_book("America/New_York", "2026-10-31T04:00:00Z", 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jumped_clock_charges_nobody_until_the_provider_agrees() {
    let mut service = Service::start("Asia/Bangkok", "2026-11-20T17:00:00Z").await;
    let before = service.outcome().await;
    // Our wall clock alone jumps two days ahead.
    let two_days = 2 * 24 * 3_600_000;
    service.clock.0.fetch_add(two_days, Ordering::SeqCst);
    service.tick().await;
    assert_eq!(service.outcome().await, before);
    let trouble = service.standing.borrow().clock_trouble.clone();
    assert!(trouble.is_some_and(|why| why.contains("jumped forward")));
    // It was the truth after all: the provider says the same.
    set_provider_clock(&service.sandbox, service.clock.now()).await;
    service.tick().await;
    service.tick().await;
    assert!(service.standing.borrow().clock_trouble.is_none());
    let after = service.stop().await;
    assert_eq!(after.invoices.len(), 3 * CUSTOMERS as usize, "{after:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_apart_from_the_provider_s_is_not_believed_until_it_agrees() {
    let mut service = Service::start("Asia/Bangkok", "2026-11-20T17:00:00Z").await;
    let before = service.outcome().await;
    // Ours does not jump: the provider's alone says something else.
    let day = SignedDuration::from_hours(24);
    set_provider_clock(&service.sandbox, service.clock.now() + day * 3).await;
    service.passes_here(day);
    service.tick().await;
    assert_eq!(service.outcome().await, before, "charged by a wrong clock");
    let trouble = |service: &Service| service.standing.borrow().clock_trouble.clone();
    assert!(trouble(&service).is_some_and(|why| why.contains("the provider's says")));
    service.tick().await;
    assert!(trouble(&service).is_some(), "nothing has changed");
    set_provider_clock(&service.sandbox, service.clock.now()).await;
    service.tick().await;
    assert_eq!(trouble(&service), None, "the provider agrees");
    service.tick().await;
    let after = service.stop().await;
    assert_eq!(after.invoices.len(), 2 * CUSTOMERS as usize, "{after:#?}");
}

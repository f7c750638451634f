//! The merchant's day, and what is forgotten: looks that no event leads to, moved by days.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::gather;
use crate::billing::{Billing, BillingSettings, RatePerSecond, Unwatched};
use crate::clock::Clock;
use crate::gateway::{Access, OmiseGateway};
use crate::model::settings::{Brakes, Cards, CatchUp, CommandWishes, Doubt, Notify};
use crate::model::{MessageKind, MessageMark, OutboxRow, Zone};
use crate::store::conformance::samples::{begin, charge_once, fill};
use crate::store::sqlite::SqliteStore;
use crate::store::{Filter, Lane, LaneOptions};

/// A wall clock that stands still until it is moved.
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn steady(&self) -> Duration {
        Duration::ZERO
    }
}

fn billing(store: SqliteStore, clock: Arc<Hand>) -> Billing {
    let access = Access {
        secret_key: "skey_test_12345",
        api_url: "http://127.0.0.1:9",
        vault_url: None,
        timeout: None,
        connections: None,
        return_uri: None,
    };
    let settings = BillingSettings {
        zone: Zone::parse("Asia/Bangkok").unwrap(),
        cards: Cards {
            fresh: SignedDuration::ZERO,
            warn_before: Vec::new(),
            renewals_ahead: 0,
            try_expired: false,
        },
        doubt: Doubt { settle: SignedDuration::ZERO },
        catch_up: CatchUp { hold_after: 3 },
        brakes: Brakes {
            charges_per_run: 1,
            amount_per_run: std::collections::BTreeMap::new(),
            amount_per_customer_per_day: std::collections::BTreeMap::new(),
            decline_share_milli: 0,
            pause_file: None,
        },
        in_flight: 1,
        rate: RatePerSecond(1_000),
        timeout: SignedDuration::from_secs(1),
        prices: Vec::new(),
        declines: Arc::new(crate::config::shipped_declines().unwrap()),
        budgets: crate::model::settings::Budgets::default(),
        three_ds: crate::model::settings::ThreeDs { remind: Vec::new(), give_up: SignedDuration::ZERO },
    };
    Billing {
        lane: Lane::start(Box::new(store), LaneOptions::default()),
        gateway: Arc::new(OmiseGateway::open(&access).unwrap()),
        clock,
        settings: Arc::new(settings),
        watch: Arc::new(Unwatched),
        stop: CancellationToken::new(),
        paused: Arc::new(|| false),
        meters: Arc::default(),
    }
}

fn wishes() -> Notify {
    let command = CommandWishes {
        program: vec!["true".into()],
        events: vec![MessageKind::Digest],
        timeout: SignedDuration::from_secs(1),
    };
    Notify { command: Some(command), ..Notify::default() }
}

async fn rows(billing: &Billing) -> Vec<OutboxRow> {
    billing.lane.run(|store| store.list_messages(&Filter::default(), 0, 100)).await.unwrap().unwrap()
}

/// What each digest says was paid, by day.
async fn days(billing: &Billing) -> Vec<(String, u64)> {
    let digest = |row: OutboxRow| row.message.and_then(|message| message.facts.digest);
    let all = rows(billing).await.into_iter().filter_map(digest);
    all.map(|digest| (digest.day.to_string(), digest.paid)).collect()
}

#[tokio::test]
async fn each_day_has_its_digest_once_and_missed_days_are_made_up_for() {
    let mut store = SqliteStore::in_memory().unwrap();
    fill(&mut store, 4);
    let epoch = begin(&mut store);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let clock = Arc::new(Hand(AtomicI64::new(at("2026-01-01T05:00:00Z").as_second())));
    let moved = |text: &str| clock.0.store(at(text).as_second(), Ordering::SeqCst);
    let billing = billing(store, clock.clone());
    gather(&billing, &wishes()).await.unwrap();
    assert_eq!(days(&billing).await, []);
    let pay = |n: u32, when: &str| {
        let (billing, when) = (billing.clone(), at(when));
        async move { billing.lane.run(move |store| charge_once(store, n, epoch, when)).await.unwrap() }
    };
    pay(0, "2026-01-01T06:00:00Z").await;
    pay(1, "2026-01-02T06:00:00Z").await;
    // Half an hour before the hour of the digest, in Bangkok; then at it, twice.
    moved("2026-01-01T23:30:00Z");
    gather(&billing, &wishes()).await.unwrap();
    assert_eq!(days(&billing).await, []);
    moved("2026-01-02T00:00:00Z");
    gather(&billing, &wishes()).await.unwrap();
    gather(&billing, &wishes()).await.unwrap();
    assert_eq!(days(&billing).await, [("2026-01-01".to_owned(), 1)]);
    // Three days without the service.
    pay(2, "2026-01-04T06:00:00Z").await;
    moved("2026-01-05T03:00:00Z");
    gather(&billing, &wishes()).await.unwrap();
    let all = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"].map(str::to_owned);
    assert_eq!(days(&billing).await, all.into_iter().zip([1, 1, 0, 1]).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_told_long_ago_is_forgotten_and_nothing_else_is_kept_of_it() {
    let mut store = SqliteStore::in_memory().unwrap();
    fill(&mut store, 1);
    let epoch = begin(&mut store);
    charge_once(&mut store, 0, epoch, "2026-01-01T06:00:00Z".parse().unwrap());
    let clock = Arc::new(Hand(AtomicI64::new(1_767_250_800)));
    let billing = billing(store, clock.clone());
    let mut wanted = wishes();
    if let Some(command) = &mut wanted.command {
        command.events = vec![MessageKind::InvoicePaid];
    }
    gather(&billing, &wanted).await.unwrap();
    let now = billing.clock.now();
    billing.lane.run(move |store| store.mark_message(1, &MessageMark::Sent, now)).await.unwrap().unwrap();
    for (days, left) in [(89, 1), (91, 0)] {
        clock.0.store(now.as_second() + days * 86_400, Ordering::SeqCst);
        gather(&billing, &wanted).await.unwrap();
        assert_eq!(rows(&billing).await.len(), left, "after {days} days");
    }
}

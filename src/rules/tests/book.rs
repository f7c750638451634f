//! One subscription's rows in memory, which take transitions as strictly as the real book: versions are tested,
//! unfinished attempts are alone, what has ended stays.

use std::sync::Arc;

use jiff::Timestamp;

use super::kit::{bangkok, card, circumstances, ladder, plan, terms};
use crate::model::{
    AttemptId, AttemptStatus, BackupCard, CardId, CardWarning, Change, ChargeOrder, ChargeOutcome,
    CustomerSnapshot, CustomerState, EndAction, EventKind, FlagReason, Hold, IdempotencyKey, InvoiceId,
    InvoiceStatus, NewEvent, OpenInvoice, PlanTerms, PlanVersionId, Quantity, Reversal, SkipReason, Snapshot,
    Subscription, SubscriptionId, SubscriptionStatus, Transition, Version,
};
use crate::rules::{Circumstances, Prepared, PreparedCharge, calendar, conclude, prepare};

/// What one look at a due subscription came to.
#[derive(Debug)]
pub(super) enum Look {
    Charge(Box<PreparedCharge>),
    Skipped(SkipReason),
}

/// One subscription's rows.
#[derive(Clone, Debug)]
pub(super) struct Book {
    /// All invoices, closed ones too.
    pub rows: Snapshot,
    pub skipped: Vec<(u32, u32, SkipReason)>,
    pub told: Vec<CardWarning>,
    pub noted: Vec<Reversal>,
    pub events: Vec<NewEvent>,
    /// Reads of the customer that decisions asked for.
    pub reads: usize,
    /// All attempts in the order of sending, each with the default card at that moment.
    pub charged: Vec<(AttemptId, Option<CardId>)>,
    pub circumstances: Circumstances,
}

impl Book {
    /// A subscription that starts on that day in Bangkok, whose customer has one good card.
    pub fn new(starts: &str, terms: PlanTerms) -> Self {
        let starts: jiff::civil::Date = starts.parse().unwrap();
        let anchor = terms.trial.map_or(starts, |trial| calendar::add(starts, trial, 1).unwrap());
        let at = bangkok().start_of(starts).unwrap();
        let mut customer = CustomerSnapshot::unread("cust_test_1".parse().unwrap());
        customer.state = CustomerState::Present;
        customer.default_card = Some("card_test_1".parse().unwrap());
        customer.cards = vec![card("card_test_1", (12, 2060))];
        let subscription = Subscription {
            id: SubscriptionId::parse("sub_1").unwrap(),
            customer: customer.id.clone(),
            plan: PlanVersionId(1),
            status: if terms.trial.is_some() {
                SubscriptionStatus::Trialing
            } else {
                SubscriptionStatus::Active
            },
            quantity: Quantity::ONE,
            zone: bangkok(),
            starts,
            anchor,
            anchor_at: None,
            anchor_index: 0,
            next_index: 0,
            card: None,
            backup: BackupCard::No,
            cancel_at: None,
            pause: None,
            ended_at: None,
            wake_at: Some(bangkok().start_of(anchor).unwrap()),
            created_at: at,
            metadata: None,
            version: Version::FIRST,
        };
        let rows = Snapshot {
            subscription,
            plan: plan(1, terms),
            customer,
            invoices: Vec::new(),
            flags: Vec::new(),
            declines: Vec::new(),
        };
        Self {
            rows,
            skipped: Vec::new(),
            told: Vec::new(),
            noted: Vec::new(),
            events: Vec::new(),
            reads: 0,
            charged: Vec::new(),
            circumstances: circumstances(at),
        }
    }

    pub fn monthly(starts: &str) -> Self {
        Self::new(starts, terms("month", ladder(&["2 days", "4 days"], EndAction::Pause)))
    }

    /// Sets every clock.
    pub fn go_to(&mut self, at: Timestamp) {
        let c = &mut self.circumstances;
        (c.at, c.budget_now, c.wire.wall_at) = (at, at, at);
        c.wire.provider_now = Some(at);
        c.wire.provider_seen = Some(at);
    }

    /// What a run loads: open invoices alone.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = self.rows.clone();
        snapshot.invoices.retain(|open| open.invoice.status == InvoiceStatus::Open);
        first_ones(&mut snapshot);
        snapshot
    }

    /// The same with one invoice that may be closed.
    pub fn snapshot_of(&self, attempt: &AttemptId) -> Snapshot {
        let mut snapshot = self.rows.clone();
        snapshot
            .invoices
            .retain(|open| open.invoice.status == InvoiceStatus::Open || open.invoice.id == attempt.invoice);
        snapshot
    }

    pub fn is_due(&self) -> bool {
        self.rows.subscription.wake_at.is_some_and(|wake| wake <= self.circumstances.at)
    }

    pub fn prepare(&self, confirmed: bool) -> Prepared {
        let compose = |order: &ChargeOrder| -> Arc<str> { format!("{order:?}").into() };
        prepare(&self.snapshot(), &self.circumstances, &compose, confirmed).unwrap()
    }

    /// One look as a run makes it: reads the customer when asked to, commits what was decided.
    pub fn look(&mut self) -> Look {
        let mut prepared = self.prepare(false);
        if matches!(prepared, Prepared::ConfirmCustomer(_)) {
            self.read_customer();
            prepared = self.prepare(true);
        }
        match prepared {
            Prepared::Charge(charge) => {
                self.apply(&charge.transition);
                let id = &charge.request.attempt;
                self.check_request(&charge);
                self.charged.push((id.clone(), self.rows.customer.default_card.clone()));
                assert_eq!(
                    open_only(&charge.after),
                    self.snapshot(),
                    "what follows {id} is what is in the book"
                );
                Look::Charge(charge)
            }
            Prepared::Settle { transition, skipped } => {
                self.apply(&transition);
                Look::Skipped(skipped)
            }
            Prepared::ConfirmCustomer(reason) => panic!("asked twice for {reason:?}"),
        }
    }

    /// What is sent is what is stored, and what the invoice says.
    fn check_request(&self, charge: &PreparedCharge) {
        let request = &charge.request;
        let open = self.rows.invoices.iter().find(|o| o.invoice.id == request.attempt.invoice).unwrap();
        let attempt = open.attempts.iter().find(|a| a.id == request.attempt).unwrap();
        let intent = attempt.intent.as_ref().unwrap();
        assert_eq!(attempt.status, AttemptStatus::Intended);
        assert_eq!(request.key, attempt.key, "the key sent is the key stored");
        let derived = IdempotencyKey::derive(self.circumstances.installation, &request.attempt);
        assert_eq!(request.key, derived);
        assert_eq!(request.amount, open.invoice.amount, "the amount sent is the invoice's");
        assert_eq!((&request.body, &request.card), (&intent.body, &intent.named_card));
        assert!(request.body.contains(&request.amount.minor().to_string()), "{}", request.body);
        assert!(open.invoice.period.start <= self.circumstances.at, "charged before it is due");
        let intents = charge.transition.changes.iter().filter(|c| matches!(c, Change::InsertAttempt(_)));
        assert_eq!(intents.count(), 1, "one intent");
        let guarded = |c: &Change| matches!(c, Change::UpdateSubscription(_));
        assert!(charge.transition.changes.iter().any(guarded), "a change of the subscription is noticed");
    }

    pub fn read_customer(&mut self) {
        self.reads += 1;
        self.rows.customer.read_at = Some(self.circumstances.at);
        self.rows.customer.version = self.rows.customer.version.next();
    }

    pub fn conclude(&mut self, attempt: &AttemptId, outcome: &ChargeOutcome) {
        let transition = conclude(&self.snapshot_of(attempt), attempt, outcome, &self.circumstances).unwrap();
        self.apply(&transition);
    }

    pub fn flag(&self) -> Option<FlagReason> {
        assert!(self.rows.flags.len() <= 1, "{:?}", self.rows.flags);
        self.rows.flags.first().map(|flag| flag.reason)
    }

    pub fn happened(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }

    pub fn apply(&mut self, transition: &Transition) {
        for change in &transition.changes {
            self.change(change);
        }
        for open in &self.rows.invoices {
            let count = |f: fn(AttemptStatus) -> bool| open.attempts.iter().filter(|a| f(a.status)).count();
            assert!(count(|s| !s.is_final()) <= 1, "two unfinished attempts: {open:?}");
            assert!(count(|s| s == AttemptStatus::Succeeded) <= 1, "two successes: {open:?}");
        }
        self.events.extend(transition.events.iter().cloned());
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::UpdateSubscription(row) => {
                assert_eq!(row.version, self.rows.subscription.version);
                self.rows.subscription = row.clone();
                self.rows.subscription.version = row.version.next();
            }
            Change::InsertInvoice(row) => {
                assert!(self.rows.invoices.iter().all(|open| open.invoice.id != row.id), "{} again", row.id);
                assert!(row.amount.minor() > 0);
                let plan = self.rows.plan.clone();
                self.rows.invoices.push(OpenInvoice { invoice: row.clone(), plan, attempts: Vec::new() });
            }
            Change::UpdateInvoice(row) => {
                let old = &mut self.open(&row.id).invoice;
                assert_eq!(row.version, old.version);
                *old = row.clone();
                old.version = row.version.next();
            }
            Change::InsertAttempt(row) => {
                let open = self.open(&row.id.invoice);
                assert_eq!(row.id.number as usize, open.attempts.len() + 1);
                open.attempts.push(row.clone());
            }
            Change::UpdateAttempt { attempt, from } => {
                let open = self.open(&attempt.id.invoice);
                let old = open.attempts.iter_mut().find(|a| a.id == attempt.id).unwrap();
                assert_eq!(old.status, *from);
                assert!(!old.status.is_final(), "{old:?} had ended");
                *old = attempt.clone();
            }
            Change::SkipPeriods { from, to, reason, .. } => self.skipped.push((*from, *to, *reason)),
            Change::UpdateCustomer(row) => {
                assert_eq!(row.version, self.rows.customer.version);
                self.rows.customer = row.clone();
                self.rows.customer.version = row.version.next();
            }
            Change::RaiseFlag(flag) => self.rows.flags.push(flag.clone()),
            Change::ClearFlags { reason, .. } => {
                self.rows.flags.retain(|flag| reason.is_some_and(|reason| flag.reason != reason));
            }
            Change::NoteReversal(seen) => self.noted.push(seen.clone()),
            Change::WarnCard { warning, .. } => {
                assert!(!self.told.contains(warning), "told twice: {warning:?}");
                self.told.push(warning.clone());
            }
            Change::RecordDecline { decline, .. } => self.rows.declines.push(decline.clone()),
            Change::InsertSubscription(_) => panic!("a second subscription"),
        }
    }

    fn open(&mut self, id: &InvoiceId) -> &mut OpenInvoice {
        self.rows.invoices.iter_mut().find(|open| open.invoice.id == *id).unwrap()
    }
}

/// Those that one look loads: the oldest that can be collected, then the oldest on hold; in the order of their periods.
fn first_ones(snapshot: &mut Snapshot) {
    let waits = |open: &OpenInvoice| open.invoice.hold == Some(Hold::CatchUp);
    snapshot.invoices.sort_by_key(|open| (waits(open), open.invoice.id.index));
    snapshot.invoices.truncate(Snapshot::MOST_OPEN_INVOICES);
    snapshot.invoices.sort_by_key(|open| open.invoice.id.index);
}

fn open_only(after: &Snapshot) -> Snapshot {
    let mut after = after.clone();
    after.invoices.retain(|open| open.invoice.status == InvoiceStatus::Open);
    first_ones(&mut after);
    after
}

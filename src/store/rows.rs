//! What goes in and out of the book beside transitions and snapshots.

use jiff::Timestamp;

use super::StoreError;
use crate::model::{
    Attempt, BillingPeriod, CardId, CardSnapshot, ChargeId, CustomerGlance, CustomerId, CustomerSnapshot,
    CustomerState, Epoch, Flag, FlagReason, Installation, Invoice, Money, PlanKey, PlanVersionId, SkipReason,
    Snapshot, Subscription, SubscriptionId, Zone,
};

/// What the book says of itself.
#[derive(Clone, Debug)]
pub struct BookFacts {
    /// Its own name.
    pub installation: Installation,
    /// Bound to live (`true`) or test keys; `None`: not bound yet.
    pub livemode: Option<bool>,
    /// Bound to this host; `None`: not bound yet.
    pub host: Option<HostBinding>,
    /// The book's zone; `None`: none was set yet.
    pub zone: Option<Zone>,
    /// The last process that charged.
    pub epoch: Epoch,
    /// When it was made.
    pub created_at: Timestamp,
    /// `user_version` of its schema.
    pub schema: i64,
    /// Runs so far.
    pub runs: i64,
    /// Counts every durable commit that charges; a copy that is older than its witness counts fewer.
    pub commits: i64,
    /// The newest provider time, in whole seconds, up to which the book has every charge of its own; `None`: no run was
    /// made from it.
    pub provider_seen: Option<Timestamp>,
}

/// What tells one host from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostBinding {
    /// `/etc/machine-id`, or the host's name where there is none.
    pub machine: String,
    /// The book's absolute path.
    pub path: String,
}

/// What is due and not flagged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DueNow {
    /// Subscriptions.
    pub count: u64,
    /// Since when the oldest of them is due; `None`: none is.
    pub since: Option<Timestamp>,
}

/// A subscription that could not be read.
#[derive(Debug)]
pub struct Unreadable {
    /// Its place in the list.
    pub row: i64,
    /// What was found and wanted: `StoreError::Nonsense`.
    pub error: StoreError,
    /// Its id and its customer's; `None`: these cannot be read either.
    pub whose: Option<(SubscriptionId, CustomerId)>,
    /// Reasons of its standing flags.
    pub flags: Vec<FlagReason>,
    /// It wakes at some instant, so far as that can be told: a run will meet it.
    pub wakes: bool,
}

impl Unreadable {
    /// Whether a flag that it cannot be charged stands already.
    pub fn is_flagged(&self) -> bool {
        self.flags.contains(&FlagReason::Unchargeable)
    }
}

/// A page of subscriptions, in whatever form they were asked for.
#[derive(Debug)]
pub struct SubscriptionPage<T> {
    /// Those that could be read, in the order of the book.
    pub rows: Vec<T>,
    /// Those that could not, in the same order.
    pub unreadable: Vec<Unreadable>,
    /// The place of the last one, read or not; `None`: there was none.
    pub last: Option<i64>,
}

impl<T> SubscriptionPage<T> {
    /// A page of nobody.
    pub const fn empty() -> Self {
        Self { rows: Vec::new(), unreadable: Vec::new(), last: None }
    }

    /// How many there were, read or not.
    pub const fn len(&self) -> usize {
        self.rows.len() + self.unreadable.len()
    }

    /// Whether there was none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A page of due subscriptions.
#[derive(Debug, Default)]
pub struct DuePage {
    /// Those that could be read.
    pub rows: Vec<(DueCursor, Snapshot)>,
    /// Those that could not.
    pub unreadable: Vec<Unreadable>,
    /// Where the page ended; `None`: it is empty.
    pub last: Option<DueCursor>,
}

impl DuePage {
    /// How many places of the page were taken, read or not.
    pub const fn len(&self) -> usize {
        self.rows.len() + self.unreadable.len()
    }

    /// Whether nothing was due.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where a page of due subscriptions ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DueCursor {
    /// `wake_at` of the last one seen, in seconds since 1970.
    pub wake_at: i64,
    /// Its row in the book.
    pub row: i64,
}

/// What was read of one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomerReading {
    /// Which.
    pub id: CustomerId,
    /// `Present` or `Gone`.
    pub state: CustomerState,
    /// `None`: none.
    pub default_card: Option<CardId>,
    /// All cards that were read.
    pub cards: Vec<CardSnapshot>,
    /// On the billing clock.
    pub read_at: Timestamp,
}

/// What readings came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Customers that are in the book.
    pub known: u64,
    /// Of those who were present before: who is read otherwise now, in state, cards or default, as they were before.
    pub changed: Vec<CustomerSnapshot>,
}

/// A page of customers at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlancePage {
    /// Those who have a subscription that has not ended.
    pub customers: Vec<CustomerGlance>,
    /// All customers of the page, those without one too.
    pub seen: u64,
    /// The row of the last of these; `None`: there is no customer any more.
    pub last: Option<i64>,
}

/// A subscription to be made by an import.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Given by the file; `None`: the book counts one. Where it is `None`, `subscription.id` is ignored.
    pub id: Option<SubscriptionId>,
    /// The row to be.
    pub subscription: Subscription,
    /// Periods `0..next_index` were billed elsewhere: noted as skipped when more than none.
    pub billed_elsewhere: u32,
}

/// How many living subscriptions use a plan version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageCount {
    /// The version.
    pub plan: PlanVersionId,
    /// The plan.
    pub key: PlanKey,
    /// 1, 2, 3… within the plan.
    pub version: u32,
    /// Subscriptions that have not ended.
    pub subscriptions: u64,
}

/// A plan of the config against the book's newest version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanChange {
    /// Not in the book yet.
    New,
    /// Differs from the book's newest.
    Changed,
    /// The same.
    Same,
    /// In the book, no longer in the config.
    Absent,
}

/// A run asked for by `run-now` beside a live daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunRequest {
    /// Its number; 0 while it is not in the book.
    pub id: i64,
    /// The billing instant asked for; `None`: the daemon's own now.
    pub at: Option<Timestamp>,
    /// Only this subscription or customer.
    pub only: Option<String>,
    /// At most this many charges.
    pub limit: Option<u64>,
}

/// How far a run is that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunProgress {
    /// The part under way, a word.
    pub part: String,
    /// Its steps so far.
    pub done: u64,
    /// All its steps; `None`: they cannot be counted.
    pub total: Option<u64>,
}

/// Where a run stands that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunState {
    /// Somebody works on it, or did.
    pub taken: bool,
    /// It is over.
    pub ended: bool,
    /// What it came to, as JSON; `None`: it is not over, or it was given up.
    pub report: Option<String>,
    /// How far it is; `None`: it has not begun.
    pub progress: Option<RunProgress>,
}

/// What a list is narrowed to. All `None`: everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this customer.
    pub customer: Option<CustomerId>,
    /// Of this subscription.
    pub subscription: Option<SubscriptionId>,
    /// With this status word (for flags: reason; for events: kind; for customers: state).
    pub status: Option<String>,
    /// Flags that have ended too.
    pub ended: bool,
}

/// A subscription for people.
#[derive(Clone, Debug)]
pub struct SubscriptionRow {
    /// Its place in the list.
    pub row: i64,
    /// The subscription.
    pub subscription: Subscription,
    /// Its plan's name.
    pub plan: PlanKey,
    /// The version within the plan.
    pub plan_version: u32,
    /// Of the last invoice opened; `None`: none yet.
    pub period: Option<BillingPeriod>,
    /// Reasons of its standing flags.
    pub flags: Vec<FlagReason>,
}

/// An invoice for people.
#[derive(Clone, Debug)]
pub struct InvoiceRow {
    /// Its place in the list.
    pub row: i64,
    /// The invoice.
    pub invoice: Invoice,
    /// Of the subscription.
    pub customer: CustomerId,
    /// Of the subscription; `None`: the book names one that no calendar knows.
    pub zone: Option<Zone>,
    /// How many attempts it had.
    pub attempts: u32,
    /// Whether one of them was declined.
    pub declined: bool,
    /// The charge that paid it; `None`: none.
    pub charge: Option<ChargeId>,
    /// When the customer was last charged for a missed period; `None`: never.
    pub caught_up_at: Option<Timestamp>,
    /// When a run next looks at the subscription; `None`: by itself never.
    pub wake_at: Option<Timestamp>,
}

/// An attempt for people.
#[derive(Clone, Debug)]
pub struct AttemptRow {
    /// Its place in the list.
    pub row: i64,
    /// The attempt.
    pub attempt: Attempt,
}

/// Attempts with a charge, of a stretch of the book.
#[derive(Clone, Debug)]
pub struct ChargedPage {
    /// Those that were wanted.
    pub rows: Vec<AttemptRow>,
    /// The place of the last one gone through, wanted or not; `None`: the book has no more.
    pub next: Option<i64>,
}

/// A customer for people.
#[derive(Clone, Debug)]
pub struct CustomerRow {
    /// Their place in the list.
    pub row: i64,
    /// What was last read.
    pub customer: CustomerSnapshot,
    /// How many subscriptions that have not ended.
    pub subscriptions: u64,
}

/// Where a page of flags by money at risk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RiskCursor {
    /// The number of the currency in the book.
    pub currency: i64,
    /// Minor units at risk.
    pub minor: i64,
    /// The flag's row in the book.
    pub row: i64,
}

/// A flag with the money behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlagAtRisk {
    /// Its place in the list.
    pub cursor: RiskCursor,
    /// The flag.
    pub flag: Flag,
    /// Open invoices and the next period, first in the currency of the subscription's plan, then what is open in
    /// others; zero for a flag that has ended.
    pub at_risk: Vec<Money>,
}

/// Where a page of ending cards ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndingCursor {
    /// The card's last month, counted by the book.
    pub month: i64,
    /// The subscription's row in the book.
    pub row: i64,
}

/// A card that ends, and a subscription that it pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndingCard {
    /// Its place in the list.
    pub cursor: EndingCursor,
    /// Which subscription.
    pub subscription: SubscriptionId,
    /// Whose.
    pub customer: CustomerId,
    /// The subscription's own card, or the default.
    pub card: CardSnapshot,
}

/// Periods that were never billed and never will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedPeriods {
    /// First index.
    pub from: u32,
    /// First index not skipped.
    pub to: u32,
    /// Why.
    pub reason: SkipReason,
    /// Noted then, on the billing clock.
    pub at: Timestamp,
}

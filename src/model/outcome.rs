//! What can be asked of the bank and every way the world can answer.

use std::sync::Arc;

use jiff::Timestamp;

use super::{AttemptId, CardId, ChargeId, CustomerId, IdempotencyKey, Installation, Money, words};

/// One charge to be sent, exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeRequest {
    /// Which attempt this is.
    pub attempt: AttemptId,
    /// Of which book.
    pub installation: Installation,
    /// Sent as `Idempotency-Key`.
    pub key: IdempotencyKey,
    /// Exactly what is sent: JSON. Durable before it leaves.
    pub body: Arc<str>,
    /// What the answer must echo.
    pub amount: Money,
    /// What the answer must echo.
    pub customer: CustomerId,
    /// What the answer must echo, if a card was named.
    pub card: Option<CardId>,
}

/// What a charge is to say, before the gateway puts it into the provider's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeOrder {
    /// Which attempt this is.
    pub attempt: AttemptId,
    /// Of which book.
    pub installation: Installation,
    /// How much.
    pub amount: Money,
    /// From whom.
    pub customer: CustomerId,
    /// A card of theirs; `None`: their default at that very moment.
    pub card: Option<CardId>,
    /// For people; the gateway adds the attempt id.
    pub description: String,
}

/// Every way the world can answer a charge. Silence is an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The money moved.
    Succeeded {
        /// Which charge.
        charge: ChargeId,
        /// The card that paid; `None` when the answer shows none.
        card: Option<CardId>,
    },
    /// The bank said no.
    Declined(Decline),
    /// 3-D Secure or in flight: poll, never charge beside it.
    Pending {
        /// Which charge.
        charge: ChargeId,
        /// The card; `None` when the answer shows none.
        card: Option<CardId>,
        /// Where the customer must act; `None`: in flight.
        authorize_uri: Option<Arc<str>>,
    },
    /// The provider refused the request; no charge was made.
    Rejected(Rejected),
    /// Provably never left us.
    NotSent(NotSent),
    /// Nobody knows.
    NoAnswer(NoAnswer),
}

/// The bank's no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    /// The failed charge; `None` when the refusal came as an error object.
    pub charge: Option<ChargeId>,
    /// The card that was refused; `None` when the answer shows none.
    pub card: Option<CardId>,
    /// The provider's `failure_code`, verbatim.
    pub code: Arc<str>,
    /// The provider's `failure_message`, for people only.
    pub message: Option<Arc<str>>,
    /// `merchant_advice`, verbatim; `None` when absent.
    pub advice: Option<Arc<str>>,
    /// `merchant_advice_code`, verbatim; `None` when absent.
    pub advice_code: Option<Arc<str>>,
}

words! {
    /// What a decline means for the next step.
    DeclineKind {
        /// Too little money or too low a limit: pay days help.
        Funds = "funds",
        /// The issuer refused without a reason.
        Issuer = "issuer",
        /// Something on the way failed.
        Technical = "technical",
        /// A velocity or amount limit.
        Limit = "limit",
        /// Another card is needed.
        NewCard = "new_card",
        /// The customer must act.
        Customer = "customer",
        /// This card must never be tried again.
        Never = "never",
        /// Ours to fix.
        Ours = "ours",
    }
}

impl DeclineKind {
    /// The coarse reading: soft, hard, customer, ours.
    pub const fn class(self) -> DeclineClass {
        match self {
            Self::Funds | Self::Issuer | Self::Technical | Self::Limit => DeclineClass::Soft,
            Self::NewCard | Self::Never => DeclineClass::Hard,
            Self::Customer => DeclineClass::Customer,
            Self::Ours => DeclineClass::Ours,
        }
    }
}

words! {
    /// The coarse reading of a decline.
    DeclineClass {
        /// May work later.
        Soft = "soft",
        /// Will not work with this card.
        Hard = "hard",
        /// The customer must act.
        Customer = "customer",
        /// Ours to fix.
        Ours = "ours",
    }
}

words! {
    /// Whose duty a rejection is.
    RejectedWhy {
        /// The request itself: waits for a person.
        Request = "request",
        /// The customer or the card is gone: one fresh read decides.
        Source = "source",
        /// The keys: the whole run stops and nothing counts.
        Keys = "keys",
    }
}

/// A refusal with a genuine error object: no charge was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Whose duty.
    pub why: RejectedWhy,
    /// The provider's code, verbatim.
    pub code: Arc<str>,
    /// For people, with the request id where there was one.
    pub message: Arc<str>,
}

/// A request of which provably no byte left, or which the provider provably did not process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSent {
    /// For people.
    pub reason: Arc<str>,
    /// The provider was reached and asked for patience (429).
    pub rate_limited: bool,
    /// The wait that it named, in seconds; `None`: none named.
    pub retry_after_s: Option<u64>,
}

/// Silence, or an answer that cannot be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// For people.
    pub reason: Arc<str>,
    /// An answer came that contradicts the request: a person should know.
    pub alarm: bool,
}

/// A charge as the provider's own list shows it, for looking up and reconciling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeSeen {
    /// At Omise.
    pub charge: ChargeId,
    /// In provider time.
    pub created_at: Timestamp,
    /// Minor units; `None` when the currency is none of ours.
    pub amount: Option<Money>,
    /// `None`: charged without a customer.
    pub customer: Option<CustomerId>,
    /// `None`: not shown.
    pub card: Option<CardId>,
    /// What became of it.
    pub status: SeenStatus,
    /// `dues_installation` of its metadata; `None`: not of any dues.
    pub installation: Option<Arc<str>>,
    /// `dues_invoice` of its metadata.
    pub invoice: Option<Arc<str>>,
    /// `dues_attempt` of its metadata.
    pub attempt: Option<Arc<str>>,
    /// Whether its description holds a dues attempt id.
    pub description: Option<Arc<str>>,
    /// Minor units given back, zero or more.
    pub refunded_minor: i64,
    /// Whether a dispute is attached.
    pub disputed: bool,
}

/// What the provider says became of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeenStatus {
    /// The money moved.
    Successful,
    /// The bank said no.
    Failed(Decline),
    /// 3-D Secure or in flight, with the page where the customer must act.
    Pending(Option<Arc<str>>),
    /// Not completed in time, or taken back before capture: no money moved.
    Ended(Arc<str>),
    /// A word that we do not know.
    Unknown(Arc<str>),
}

//! A charge, and the refunds of it.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::lenient::{Expandable, instant, integer, integer_or_null, number_text, or_default};
use super::words::words;
use super::{Card, Customer, List, Metadata};

words! {
    /// What became of a charge. Trust this word, not the flags beside it: recorded successes have an
    /// `expired_at`, recorded failures have `expired: true`.
    ChargeStatus {
        /// Not decided: the customer must act (`authorize_uri`), or it is not captured yet, or in flight.
        Pending = "pending",
        /// Paid.
        Successful = "successful",
        /// Declined; `failure_code` says why. The HTTP status of a decline is 200.
        Failed = "failed",
        /// Not completed in time; for cards seven days.
        Expired = "expired",
        /// Authorized once, given back before capture.
        Reversed = "reversed",
    }
}

/// A charge. A declined one is a charge too, with status `failed` and HTTP status 200; some guides show
/// declines as errors, recorded answers do not.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "the API's own flags, kept under the API's names")]
pub struct Charge {
    /// Always `charge`.
    pub object: String,
    /// `chrg_…`.
    pub id: String,
    /// True for live data.
    #[serde(default, deserialize_with = "or_default")]
    pub livemode: bool,
    /// Path of this charge.
    #[serde(default)]
    pub location: Option<String>,
    /// What became of it.
    pub status: ChargeStatus,
    /// Amount in the smallest unit of `currency`: satang for THB, yen for JPY.
    #[serde(deserialize_with = "integer")]
    pub amount: i64,
    /// Three upper-case letters; compare without regard to case.
    pub currency: String,
    /// Amount in the account's own currency, which differs under conversion. `None` in old answers.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub funding_amount: Option<i64>,
    /// The account's own currency. `None` in old answers.
    #[serde(default)]
    pub funding_currency: Option<String>,
    /// Amount held by a pre-authorization. `None` in some answers.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub authorized_amount: Option<i64>,
    /// Amount captured of it. `None` in some answers.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub captured_amount: Option<i64>,
    /// Amount given back, in `currency`.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub refunded_amount: Option<i64>,
    /// What remains after fees, in the smallest funding unit. Filled even for failures.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub net: Option<i64>,
    /// Fee, in the smallest funding unit. Filled even for failures.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub fee: Option<i64>,
    /// Tax on the fee, in the smallest funding unit.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub fee_vat: Option<i64>,
    /// Rates the fee was computed by. `None` in old answers.
    #[serde(default)]
    pub transaction_fees: Option<TransactionFees>,
    /// The card charged, as it was then. `None` for other payment methods.
    #[serde(default)]
    pub card: Option<Expandable<Card>>,
    /// The customer charged. `None` when a token was charged directly.
    #[serde(default)]
    pub customer: Option<Expandable<Customer>>,
    /// The payment source, for methods other than cards.
    #[serde(default)]
    pub source: Option<Value>,
    /// The Omise schedule that made this charge. `None` for all others.
    #[serde(default)]
    pub schedule: Option<Value>,
    /// The balance entry, `trxn_…`. `None` until money moved.
    #[serde(default)]
    pub transaction: Option<Value>,
    /// The dispute about it. `None` without one.
    #[serde(default)]
    pub dispute: Option<Value>,
    /// Refunds made of it, first page.
    #[serde(default, deserialize_with = "or_default")]
    pub refunds: List<Refund>,
    /// `None` when never given.
    #[serde(default)]
    pub description: Option<String>,
    /// Free data.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// Why it failed: a word of an open set. `None` unless the status is `failed`.
    #[serde(default)]
    pub failure_code: Option<String>,
    /// A sentence for people beside the code.
    #[serde(default)]
    pub failure_message: Option<String>,
    /// The card network's advice after a decline, as a sentence.
    #[serde(default)]
    pub merchant_advice: Option<String>,
    /// The same as a code, for accounts that asked for it.
    #[serde(default, deserialize_with = "number_text")]
    pub merchant_advice_code: Option<String>,
    /// Where the customer must go to approve. Stays set after a success: only together with status
    /// `pending` does it mean that the customer must act.
    #[serde(default)]
    pub authorize_uri: Option<String>,
    /// Where the customer comes back to.
    #[serde(default)]
    pub return_uri: Option<String>,
    /// True once the bank reserved the money.
    #[serde(default, deserialize_with = "or_default")]
    pub authorized: bool,
    /// True once the money moved.
    #[serde(default, deserialize_with = "or_default")]
    pub paid: bool,
    /// False for a charge that is only to be authorized at first.
    #[serde(default, deserialize_with = "or_default")]
    pub capture: bool,
    /// True while it can be captured.
    #[serde(default, deserialize_with = "or_default")]
    pub capturable: bool,
    /// True once it was reversed.
    #[serde(default, deserialize_with = "or_default")]
    pub reversed: bool,
    /// True while it can be reversed.
    #[serde(default, deserialize_with = "or_default")]
    pub reversible: bool,
    /// True while it can be refunded.
    #[serde(default, deserialize_with = "or_default")]
    pub refundable: bool,
    /// True once it was voided.
    #[serde(default, deserialize_with = "or_default")]
    pub voided: bool,
    /// True once it expired; also seen on failures.
    #[serde(default, deserialize_with = "or_default")]
    pub expired: bool,
    /// When it was made. `None` when the answer holds no readable date.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
    /// When it was paid. `None` until then.
    #[serde(default, deserialize_with = "instant")]
    pub paid_at: Option<Timestamp>,
    /// When it was authorized. `None` until then.
    #[serde(default, deserialize_with = "instant")]
    pub authorized_at: Option<Timestamp>,
    /// When it expires unless completed; for cards seven days after creation.
    #[serde(default, deserialize_with = "instant")]
    pub expires_at: Option<Timestamp>,
    /// When it expired or would have; also set on successes.
    #[serde(default, deserialize_with = "instant")]
    pub expired_at: Option<Timestamp>,
    /// When it was reversed. `None` unless it was.
    #[serde(default, deserialize_with = "instant")]
    pub reversed_at: Option<Timestamp>,
}

impl Charge {
    /// Where the customer must go now, if the charge waits for them: 3-D Secure not passed yet.
    pub fn customer_must_act(&self) -> Option<&str> {
        self.authorize_uri.as_deref().filter(|_| self.status == ChargeStatus::Pending)
    }
}

/// Rates of a charge's fee, in percent, as text: they are shown, never computed with.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TransactionFees {
    /// Flat part.
    #[serde(default, deserialize_with = "number_text")]
    pub fee_flat: Option<String>,
    /// Rate, such as `3.65`.
    #[serde(default, deserialize_with = "number_text")]
    pub fee_rate: Option<String>,
    /// Tax rate on the fee.
    #[serde(default, deserialize_with = "number_text")]
    pub vat_rate: Option<String>,
}

/// Money given back of a charge.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Refund {
    /// Always `refund`.
    pub object: String,
    /// `rfnd_…`.
    pub id: String,
    /// True for live data.
    #[serde(default, deserialize_with = "or_default")]
    pub livemode: bool,
    /// Path of this refund.
    #[serde(default)]
    pub location: Option<String>,
    /// The charge it belongs to.
    #[serde(default)]
    pub charge: Option<Expandable<Charge>>,
    /// Amount in the smallest unit of `currency`.
    #[serde(deserialize_with = "integer")]
    pub amount: i64,
    /// Three upper-case letters.
    pub currency: String,
    /// Amount in the account's own currency.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub funding_amount: Option<i64>,
    /// The account's own currency.
    #[serde(default)]
    pub funding_currency: Option<String>,
    /// True when the charge was voided instead: the customer never sees it on a statement.
    #[serde(default, deserialize_with = "or_default")]
    pub voided: bool,
    /// Recorded: `closed`. An open set.
    #[serde(default)]
    pub status: Option<String>,
    /// Free data.
    #[serde(default, deserialize_with = "or_default")]
    pub metadata: Metadata,
    /// The balance entry. `None` until money moved.
    #[serde(default)]
    pub transaction: Option<Value>,
    /// When it was made. `None` when the answer holds no readable date.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

super::api_object!(Charge => "charge", id);
super::api_object!(Refund => "refund", id);

//! The merchant's account: who it is, what it may do, what it holds.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::lenient::{instant, integer, integer_or_null, or_default};

/// The account that the key belongs to.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Account {
    /// Always `account`.
    pub object: String,
    /// `account_…` (or `acct_…` in old answers).
    pub id: String,
    /// The team it belongs to. `None` in old answers.
    #[serde(default)]
    pub team: Option<String>,
    /// True when the key used is a live one.
    #[serde(default, deserialize_with = "or_default")]
    pub livemode: bool,
    /// Path of the account.
    #[serde(default)]
    pub location: Option<String>,
    /// Two letters, such as `TH`. `None` in old answers.
    #[serde(default)]
    pub country: Option<String>,
    /// The currency it is settled in.
    #[serde(default)]
    pub currency: Option<String>,
    /// The merchant's own address.
    #[serde(default)]
    pub email: Option<String>,
    /// Currencies it may charge.
    #[serde(default, deserialize_with = "or_default")]
    pub supported_currencies: Vec<String>,
    /// The account's default API version: that of webhook bodies.
    #[serde(default)]
    pub api_version: Option<String>,
    /// Where webhooks go. `None` when not set.
    #[serde(default)]
    pub webhook_uri: Option<String>,
    /// When it was created. `None` when the answer holds no readable date.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

/// Money in the account, in the smallest unit of its currency.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Balance {
    /// Always `balance`.
    pub object: String,
    /// True for live data.
    #[serde(default, deserialize_with = "or_default")]
    pub livemode: bool,
    /// Path of the balance.
    #[serde(default)]
    pub location: Option<String>,
    /// Three upper-case letters.
    pub currency: String,
    /// All of it.
    #[serde(deserialize_with = "integer")]
    pub total: i64,
    /// What could be paid out now.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub transferable: Option<i64>,
    /// What is held back as a reserve.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub reserve: Option<i64>,
    /// What is held for other reasons.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub on_hold: Option<i64>,
    /// When this was computed. `None` when the answer holds no readable date.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

/// What the account may do: limits, payment methods, banks.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Capability {
    /// Always `capability`.
    pub object: String,
    /// Path of the capability.
    #[serde(default)]
    pub location: Option<String>,
    /// Two letters, such as `TH`.
    #[serde(default)]
    pub country: Option<String>,
    /// Banks, by code.
    #[serde(default, deserialize_with = "or_default")]
    pub banks: Vec<String>,
    /// The account's own limits. They differ between accounts: never hard-code them.
    #[serde(default, deserialize_with = "or_default")]
    pub limits: CapabilityLimits,
    /// Ways to pay.
    #[serde(default, deserialize_with = "or_default")]
    pub payment_methods: Vec<PaymentMethod>,
    /// Wallets that tokens can come from.
    #[serde(default, deserialize_with = "or_default")]
    pub tokenization_methods: Vec<String>,
    /// True when the merchant pays the interest of instalments.
    #[serde(default, deserialize_with = "or_default")]
    pub zero_interest_installments: bool,
}

impl Capability {
    /// True when a card in this currency can be charged, by the account's own list of methods.
    pub fn charges_cards_in(&self, currency: &str) -> bool {
        self.payment_methods
            .iter()
            .filter(|method| method.name == "card")
            .any(|method| method.currencies.iter().any(|known| known.eq_ignore_ascii_case(currency)))
    }
}

/// Limits of amounts, in the smallest unit of the account's currency.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct CapabilityLimits {
    /// Of one charge.
    #[serde(default, deserialize_with = "or_default")]
    pub charge_amount: AmountLimits,
    /// Of one transfer.
    #[serde(default, deserialize_with = "or_default")]
    pub transfer_amount: AmountLimits,
    /// Of one instalment.
    #[serde(default, deserialize_with = "or_default")]
    pub installment_amount: AmountLimits,
}

/// A lowest and a highest amount, both inclusive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct AmountLimits {
    /// Lowest. `None` when there is none.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub min: Option<i64>,
    /// Highest. `None` when there is none.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub max: Option<i64>,
}

/// One way to pay.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PaymentMethod {
    /// Such as `card`.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Currencies it takes.
    #[serde(default, deserialize_with = "or_default")]
    pub currencies: Vec<String>,
    /// Card networks, for `card`. Empty for the others.
    #[serde(default, deserialize_with = "or_default")]
    pub card_brands: Vec<String>,
    /// Months, for instalments. Empty for the others.
    #[serde(default)]
    pub installment_terms: Option<Vec<Value>>,
    /// Who provides it. `None` when not told.
    #[serde(default)]
    pub provider: Option<String>,
}

super::api_object!(Account => "account", id);
super::api_object!(Balance => "balance");
super::api_object!(Capability => "capability");

//! The wishes that rooms share, as typed values. A room's own settings live in that room.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::SignedDuration;

use super::{Currency, Language, Money};

mod notify;

pub use notify::{CommandWishes, EmailWishes, Notify, QuietHours, SmtpTls, WebhookWishes};

/// Wishes about cards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cards {
    /// An older snapshot is read again before it is believed.
    pub fresh: SignedDuration,
    /// How long before a card's end its customer is warned, longest first.
    pub warn_before: Vec<SignedDuration>,
    /// A card that ends before so many renewals to come is told of; 0: renewals are not looked at.
    pub renewals_ahead: u32,
    /// An expired card is tried once per period all the same: some issuers go on honouring the old month.
    pub try_expired: bool,
}

/// Wishes about doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Between two empty scans, and between the send deadline and the first of them.
    pub settle: SignedDuration,
}

/// Wishes about charges that wait for their customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreeDs {
    /// How long after the charge its customer is reminded, shortest first.
    pub remind: Vec<SignedDuration>,
    /// How long after the charge it is ended.
    pub give_up: SignedDuration,
}

/// Wishes about periods missed while the house was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatchUp {
    /// More missed periods than this wait for `dues resume`.
    pub hold_after: u32,
}

/// How often a card may be tried, where the network leaves room to be more careful than it asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Declines of one Visa card in 30 days after which it rests; 1 to [`Budgets::MOST_VISA_30_DAYS`].
    pub visa_30_days: u32,
}

impl Budgets {
    /// What Visa itself allows.
    pub const MOST_VISA_30_DAYS: u32 = 20;
    /// What Visa allowed until 2025, and many banks still expect.
    pub const DEFAULT_VISA_30_DAYS: u32 = 15;
}

impl Default for Budgets {
    fn default() -> Self {
        Self { visa_30_days: Self::DEFAULT_VISA_30_DAYS }
    }
}

/// What stops a run before it does harm. `None` and absent currencies: no such brake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brakes {
    /// Charges sent in one run.
    pub charges_per_run: u64,
    /// Sum sent in one run, by currency.
    pub amount_per_run: BTreeMap<Currency, Money>,
    /// Sum sent to one customer in one day of the book's zone, by currency.
    pub amount_per_customer_per_day: BTreeMap<Currency, Money>,
    /// Share of new declines among the last `DECLINE_WINDOW` answers, in thousandths, above which the run stops.
    pub decline_share_milli: u32,
    /// While it exists nothing is charged; `None`: no such file.
    pub pause_file: Option<PathBuf>,
}

impl Brakes {
    /// Why one customer can never be charged that amount under these caps of a day; `None`: they can, on some day.
    pub fn day_refuses(caps: &BTreeMap<Currency, Money>, amount: Money) -> Option<String> {
        let most = caps.get(&amount.currency()).filter(|most| amount.minor() > most.minor())?;
        Some(format!(
            "found {amount}, wanted at most {most}, which is all that one customer may be charged in a day; raise \
             amount_per_customer_per_day under [brakes]"
        ))
    }

    /// Answers over which the share of declines is judged, once there are as many.
    pub const DECLINE_WINDOW: usize = 200;
}

/// Wishes about letters: who writes, and what readers can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letters {
    /// Who writes, for people.
    pub merchant: String,
    /// Whom customers ask: a mailbox, a page or words.
    pub support: String,
    /// How customers cancel: a page or words; `None`: they ask.
    pub cancel: Option<String>,
    /// The page where customers change their card; `None`: they ask.
    pub card_update_url: Option<String>,
    /// What is written in where nothing else is known.
    pub language: Language,
    /// The folder with the merchant's own templates; `None`: none.
    pub templates: Option<PathBuf>,
}

/// What the account may charge, as the provider's capability endpoint says.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AccountLimits {
    /// The account's own currency, in which the limits are; `None`: not said.
    pub currency: Option<Currency>,
    /// Smallest charge in minor units; `None`: not said.
    pub least_minor: Option<i64>,
    /// Largest charge in minor units; `None`: not said.
    pub most_minor: Option<i64>,
    /// Currencies that cards of this account can be charged in; empty: not said.
    pub currencies: Vec<Currency>,
}

impl AccountLimits {
    /// Why an amount cannot be charged by this account; `None`: it can, as far as the limits say.
    ///
    /// The limits are in the account's own currency, so only amounts of that currency are held against them.
    pub fn refuses(&self, amount: Money) -> Option<String> {
        let currency = amount.currency();
        if !self.currencies.is_empty() && !self.currencies.contains(&currency) {
            let known: Vec<_> = self.currencies.iter().map(|c| c.word()).collect();
            return Some(format!(
                "found {amount}, wanted a currency this account charges: {}",
                known.join(" ")
            ));
        }
        if self.currency.is_some_and(|own| own != currency) {
            return None;
        }
        let least = self.least_minor.filter(|least| amount.minor() < *least);
        let most = self.most_minor.filter(|most| amount.minor() > *most);
        let bound =
            |minor: i64| Money::new(minor, currency).map_or_else(|_| minor.to_string(), |m| m.to_string());
        match (least, most) {
            (Some(least), _) => {
                Some(format!("found {amount}, wanted at least {}, the account's minimum", bound(least)))
            }
            (_, Some(most)) => {
                Some(format!("found {amount}, wanted at most {}, the account's maximum", bound(most)))
            }
            (None, None) => None,
        }
    }
}

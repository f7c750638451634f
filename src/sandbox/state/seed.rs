//! Customers to begin with: the same ones for the same seed, with a stated spread of fates.
//!
//! Promises: the spread over every two hundred customers is the table below, so that a demonstration can
//! say beforehand what will happen. Must never know what is billed.

use serde::{Deserialize, Serialize};

use super::ids::mix;
use super::world::World;
use crate::sandbox::objects::cards::Card;
use crate::sandbox::objects::customers::Customer;
use crate::sandbox::objects::events::{self, Subject};
use crate::sandbox::objects::{customers, testcards};

/// 2020-01-01T00:00:00Z: seeded customers were made from here on, one a second, long before any test's now.
const FIRST_MS: u64 = 1_577_836_800_000;

/// What was arranged for a seeded customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Its default card pays.
    Paying,
    /// Declined for now: low funds.
    InsufficientFund,
    /// Declined for now: the chain failed.
    FailedProcessing,
    /// Declined for now: the issuer refused.
    PaymentRejected,
    /// Declined for good.
    StolenOrLostCard,
    /// Declined for good.
    InvalidAccountNumber,
    /// Declined for good.
    FailedFraudCheck,
    /// Has no card at all.
    NoCard,
    /// Its only card expired long ago.
    ExpiredCard,
    /// Was destroyed: a read answers 404.
    Deleted,
    /// Its charges wait for the customer to authorise them.
    #[serde(rename = "3ds")]
    ThreeDs,
    /// Its charges are made, and then the connection is closed without an answer.
    CloseAfter,
}

/// How many of every two hundred customers have each fate.
pub const SPREAD: [(Fate, usize); 12] = [
    (Fate::Paying, 150),
    (Fate::InsufficientFund, 12),
    (Fate::FailedProcessing, 6),
    (Fate::PaymentRejected, 6),
    (Fate::StolenOrLostCard, 4),
    (Fate::InvalidAccountNumber, 4),
    (Fate::FailedFraudCheck, 3),
    (Fate::NoCard, 5),
    (Fate::ExpiredCard, 4),
    (Fate::Deleted, 2),
    (Fate::ThreeDs, 2),
    (Fate::CloseAfter, 2),
];
const ROUND: usize = 200;
/// Shares no factor with [`ROUND`], so stepping by it visits every slot once and mixes the fates.
const STEP: usize = 73;

impl Fate {
    /// The switch its metadata carries; `None` when its card alone brings the fate about.
    pub fn switch(self) -> Option<&'static str> {
        match self {
            Self::ThreeDs => Some("3ds"),
            Self::CloseAfter => Some("close_after"),
            _ => None,
        }
    }

    fn decline(self) -> Option<&'static str> {
        Some(match self {
            Self::InsufficientFund => "insufficient_fund",
            Self::FailedProcessing => "failed_processing",
            Self::PaymentRejected => "payment_rejected",
            Self::StolenOrLostCard => "stolen_or_lost_card",
            Self::InvalidAccountNumber => "invalid_account_number",
            Self::FailedFraudCheck => "failed_fraud_check",
            _ => return None,
        })
    }

    fn of(turn: usize) -> Self {
        let mut slot = (turn % ROUND) * STEP % ROUND;
        for (fate, count) in SPREAD {
            if slot < count {
                return fate;
            }
            slot -= count;
        }
        Self::Paying
    }
}

/// Which customers a sandbox starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fates {
    /// Every fate, by [`SPREAD`].
    Mixed,
    /// All of them pay.
    Paying,
}

/// A seeded customer, as `GET /__sandbox/customers` lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SeededCustomer {
    /// The customer id, readable or not.
    pub id: String,
    /// What was arranged for it.
    pub fate: Fate,
}

/// Makes `count` customers. Meant for an empty world, so that their ids follow from the seed alone.
pub fn plant(world: &mut World, count: u32, fates: Fates) {
    let many = usize::try_from(count).unwrap_or(0);
    world.customers.reserve(many);
    world.cards.reserve(many);
    for turn in 0..many {
        let fate = match fates {
            Fates::Mixed => Fate::of(turn),
            Fates::Paying => Fate::Paying,
        };
        let at = FIRST_MS + 1000 * turn as u64;
        let place = world.customers.add(at, blank(fate, turn));
        if !matches!(fate, Fate::NoCard | Fate::Deleted) {
            let card = world.cards.add(at, card_for(world.seed, fate, turn, place));
            let customer = world.customers.change(place);
            customer.cards.push(card);
            customer.default_card = Some(card);
        }
        if fate == Fate::Deleted {
            customers::destroy(world, place);
        }
    }
}

fn blank(fate: Fate, turn: usize) -> Customer {
    Customer {
        email: Some(format!("customer-{}@example.com", turn + 1).into()),
        description: None,
        metadata: None,
        fate: Some(fate),
        cards: Vec::with_capacity(usize::from(!matches!(fate, Fate::NoCard | Fate::Deleted))),
        default_card: None,
        deleted: false,
    }
}

fn card_for(seed: u64, fate: Fate, turn: usize, owner: u32) -> Card {
    let number = fate
        .decline()
        .and_then(|code| testcards::declining(code, turn))
        .unwrap_or_else(|| testcards::paying(turn));
    let (brand, temper) =
        testcards::identify(number).unwrap_or((testcards::Brand::Visa, testcards::Temper::Pays));
    let chance = mix(seed ^ turn as u64);
    // Far enough away that years may pass in a test before any of these cards expires.
    let year = if fate == Fate::ExpiredCard { 2021 } else { 2045 + u16::try_from(chance % 5).unwrap_or(0) };
    Card {
        owner: Some(owner),
        brand,
        temper,
        last_digits: number[number.len() - 4..].parse().unwrap_or(0),
        fingerprint: chance,
        name: None,
        month: 1 + u8::try_from((chance >> 8) % 12).unwrap_or(0),
        year,
        address: None,
        deleted: false,
    }
}

/// A customer's new default card, which pays: what a customer leaves behind who entered another one. The old card
/// stays saved.
pub fn renew_card(world: &mut World, customer: u32) -> u32 {
    let turn = world.cards.len();
    let now = world.now_ms();
    let card = card_for(world.seed, Fate::Paying, turn, customer);
    let card = world.cards.add(now, card);
    let owner = world.customers.change(customer);
    owner.cards.push(card);
    owner.default_card = Some(card);
    events::tell(world, "customer.update.card", Subject::Customer(customer));
    card
}

/// Every seeded customer with its fate, destroyed ones included.
pub fn list(world: &World) -> Vec<SeededCustomer> {
    (0..u32::try_from(world.customers.len()).unwrap_or(u32::MAX))
        .filter_map(|place| {
            let fate = world.customers.at(place).fate?;
            Some(SeededCustomer { id: world.customers.name(place), fate })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn two_hundred_customers_meet_every_fate_as_stated() {
        let mut counts = BTreeMap::new();
        for turn in 0..ROUND {
            *counts.entry(Fate::of(turn)).or_insert(0) += 1;
        }
        assert_eq!(counts, SPREAD.into_iter().collect());
    }
}

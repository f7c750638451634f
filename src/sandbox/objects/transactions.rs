//! The account's money movements: one line per captured charge and per refund.
//!
//! Promises: every line names what caused it. Must never know why.

use serde::{Deserialize, Serialize};

use super::charges;
use super::currency::{self, Currency};
use crate::sandbox::state::shelf::Record;
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// Towards the account or away from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Credit,
    Debit,
}

/// One movement of money, in the account's currency.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transaction {
    pub direction: Direction,
    pub key: Box<str>,
    pub amount: i64,
    /// Id of the charge or refund behind it.
    pub origin: Box<str>,
}

impl Record for Transaction {
    const PREFIX: &'static str = "trxn";
    const NAME: &'static str = "transaction";
}

/// What the API shows of a transaction.
#[derive(Serialize)]
pub struct TransactionView<'a> {
    object: &'static str,
    id: String,
    livemode: bool,
    location: String,
    currency: &'static str,
    amount: i64,
    direction: Direction,
    key: &'a str,
    origin: &'a str,
    transferable_at: String,
    created_at: String,
}

/// The transaction at this place, as the API shows it.
pub fn view(world: &World, place: u32) -> TransactionView<'_> {
    let transaction = world.transactions.at(place);
    let id = world.transactions.name(place);
    let made = world.transactions.id(place).seconds();
    TransactionView {
        object: "transaction",
        livemode: false,
        location: format!("/transactions/{id}"),
        currency: Currency::ACCOUNT.code(),
        amount: transaction.amount,
        direction: transaction.direction,
        key: &transaction.key,
        origin: &transaction.origin,
        // Money rests a week before it may leave.
        transferable_at: time::show(made + charges::LIFETIME_SECONDS),
        created_at: time::show(made),
        id,
    }
}

/// Books a movement: what a charge brings is net of fees.
pub fn book(
    world: &mut World,
    direction: Direction,
    key: &'static str,
    amount: i64,
    currency: Currency,
    origin: String,
) -> u32 {
    let gross = currency.in_account_currency(amount);
    let (fee, vat) = currency::fees(gross);
    let amount = if direction == Direction::Credit { gross - fee - vat } else { gross };
    let now = world.now_ms();
    world.balance += if direction == Direction::Credit { amount } else { -amount };
    let transaction = Transaction { direction, key: key.into(), amount, origin: origin.into() };
    world.transactions.add(now, transaction)
}

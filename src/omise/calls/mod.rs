//! The calls, one file per resource. Each group is a small value borrowed from the client.

mod account;
mod cards;
mod charges;
mod customers;
mod events;
mod paging;
mod refunds;
mod rows;
mod schedules;
mod search;
mod tokens;

pub use cards::{CardUpdate, Cards};
pub use charges::{ChargeUpdate, Charges, NewCharge, RecurringReason, TransactionIndicator};
pub use customers::{CustomerUpdate, Customers, NewCustomer};
pub use events::Events;
pub use paging::{ListQuery, Order, PAGE_MAX};
pub use refunds::NewRefund;
pub use rows::Rows;
pub use schedules::Schedules;
pub use search::SearchQuery;
pub use tokens::{NewToken, Tokens};

/// The body of a change that takes no parameters: `{}`.
fn no_body() -> serde_json::Map<String, serde_json::Value> {
    serde_json::Map::new()
}

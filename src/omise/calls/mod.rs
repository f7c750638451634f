//! The calls, one file per resource. Each group is a small value borrowed from the client.

mod account;
mod charges;
mod customers;
mod paging;

pub use charges::Charges;
pub use customers::Customers;
pub use paging::{ListQuery, Order};

//! The envelope of a search.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::lenient::or_default;
use super::words::words;

words! {
    /// What is searched.
    SearchScope {
        /// Account history.
        Audit = "audit",
        /// Charges.
        Charge = "charge",
        /// Omise schedules of charges.
        ChargeSchedule = "charge_schedule",
        /// Customers.
        Customer = "customer",
        /// Disputes.
        Dispute = "dispute",
        /// Events.
        Event = "event",
        /// Payment links.
        Link = "link",
        /// Linked accounts.
        LinkedAccount = "linked_account",
        /// Requests as Omise logged them.
        LogEntry = "log_entry",
        /// Receipts.
        Receipt = "receipt",
        /// Recipients of transfers.
        Recipient = "recipient",
        /// Refunds.
        Refund = "refund",
        /// Sub-merchants.
        SubMerchant = "sub_merchant",
        /// Transfers.
        Transfer = "transfer",
        /// Omise schedules of transfers.
        TransferSchedule = "transfer_schedule",
        /// Balance entries.
        Transaction = "transaction",
    }
}

/// One page of a search. The index behind it lags and can be away (503 `search_unavailable`): what it does
/// not show may exist all the same. A page past the last one is empty, not an error.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Search<T> {
    /// Always `search`.
    pub object: String,
    /// The rows of this page.
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
    /// This page, from 1.
    #[serde(default, deserialize_with = "or_default")]
    pub page: u64,
    /// Rows to a page: 30 when not asked for.
    #[serde(default, deserialize_with = "or_default")]
    pub per_page: u64,
    /// Rows found.
    #[serde(default, deserialize_with = "or_default")]
    pub total: u64,
    /// Pages they make.
    #[serde(default, deserialize_with = "or_default")]
    pub total_pages: u64,
    /// The filters in force; the API gives every value back as a string.
    #[serde(default, deserialize_with = "or_default")]
    pub filters: Map<String, Value>,
    /// The text searched for.
    #[serde(default, deserialize_with = "or_default")]
    pub query: String,
    /// What was searched. `None` when not told.
    #[serde(default)]
    pub scope: Option<SearchScope>,
    /// `chronological` or `reverse_chronological`.
    #[serde(default)]
    pub order: Option<String>,
}

impl<T> crate::omise::ApiObject for Search<T> {
    const OBJECT: &'static str = "search";
    fn object(&self) -> &str {
        &self.object
    }
}

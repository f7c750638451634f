//! Something that happened at Omise, as kept in its list of events and sent to webhooks.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::lenient::{instant, integer_or_null, or_default};

/// An event. Its `data` is rendered in the account's default API version, not in the one this client asks
/// for: take ids from it and fetch the object itself.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Event {
    /// Always `event`.
    pub object: String,
    /// `evnt_…`.
    pub id: String,
    /// True for live data.
    #[serde(default, deserialize_with = "or_default")]
    pub livemode: bool,
    /// Path of this event.
    #[serde(default)]
    pub location: Option<String>,
    /// What happened, such as `charge.create`. An open set; there is no `charge.failed`.
    pub key: String,
    /// The object it happened to. `None` in some lists of a charge's events.
    #[serde(default)]
    pub data: Option<Value>,
    /// Attempts to tell the merchant's webhook.
    #[serde(default, deserialize_with = "or_default")]
    pub webhook_deliveries: Vec<WebhookDelivery>,
    /// When it happened. `None` when the answer holds no readable date.
    #[serde(default, deserialize_with = "instant")]
    pub created_at: Option<Timestamp>,
}

/// One attempt to deliver an event to a webhook.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct WebhookDelivery {
    /// `whdl_…`.
    #[serde(default, deserialize_with = "or_default")]
    pub id: String,
    /// Where it was sent.
    #[serde(default)]
    pub uri: Option<String>,
    /// HTTP status the receiver answered. `None` when it did not.
    #[serde(default, deserialize_with = "integer_or_null")]
    pub status: Option<i64>,
    /// Why it failed. `None` when it did not.
    #[serde(default)]
    pub error: Option<Value>,
    /// As the API prints it: `2025-03-20 09:24:15 UTC`, another form than every other date has.
    #[serde(default)]
    pub created_at: Option<String>,
}

super::api_object!(Event => "event", id);

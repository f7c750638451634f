//! The envelope of a list.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{instant, or_default};

/// One page of a list, as every collection answers.
///
/// Pages are cut by `offset` and `limit` out of the rows whose `created_at` lies between `from` and `to`.
/// To read a whole collection use the streams, which hold `to` still while they read.
///
/// Source: answers recorded by Omise's PHP client in March 2025, and the machine-readable description.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct List<T> {
    /// Always `list`.
    pub object: String,
    /// The rows of this page.
    #[serde(default = "Vec::new")]
    pub data: Vec<T>,
    /// The page size in force: 20 when not asked for, 100 at most.
    #[serde(default, deserialize_with = "or_default")]
    pub limit: u64,
    /// Rows before this page.
    #[serde(default, deserialize_with = "or_default")]
    pub offset: u64,
    /// Rows in the whole window, not only in this page.
    #[serde(default, deserialize_with = "or_default")]
    pub total: u64,
    /// Path of the collection. `None` in lists that no path leads to.
    #[serde(default)]
    pub location: Option<String>,
    /// `chronological` or `reverse_chronological`. `None` in some recorded answers.
    #[serde(default)]
    pub order: Option<String>,
    /// Start of the window.
    #[serde(default, deserialize_with = "instant")]
    pub from: Option<Timestamp>,
    /// End of the window.
    #[serde(default, deserialize_with = "instant")]
    pub to: Option<Timestamp>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            object: "list".to_owned(),
            data: Vec::new(),
            limit: 0,
            offset: 0,
            total: 0,
            location: None,
            order: None,
            from: None,
            to: None,
        }
    }
}

impl<T> crate::omise::ApiObject for List<T> {
    const OBJECT: &'static str = "list";
    fn object(&self) -> &str {
        &self.object
    }
}

//! What the book says, read through the program's own lists.

use serde_json::Value;

use super::scene::Scene;

/// Every row of every list.
pub struct Book {
    pub subscriptions: Vec<Value>,
    pub invoices: Vec<Value>,
    pub attempts: Vec<Value>,
    pub flags: Vec<Value>,
}

impl Book {
    /// Asks the program.
    #[track_caller]
    pub fn read(scene: &Scene) -> Self {
        Self {
            subscriptions: scene.list("subscriptions"),
            invoices: scene.list("invoices"),
            attempts: scene.list("attempts"),
            flags: scene.list("flags"),
        }
    }

    /// Only invoices and attempts.
    #[track_caller]
    pub fn of_money(scene: &Scene) -> Self {
        Self {
            subscriptions: Vec::new(),
            invoices: scene.list("invoices"),
            attempts: scene.list("attempts"),
            flags: Vec::new(),
        }
    }

    /// The subscription with that id.
    #[track_caller]
    pub fn subscription(&self, id: &str) -> &Value {
        self.subscriptions
            .iter()
            .find(|row| text(row, "id") == id)
            .unwrap_or_else(|| panic!("no subscription {id}"))
    }

    /// Invoices of that subscription, oldest first.
    pub fn invoices_of<'a>(&'a self, subscription: &'a str) -> impl Iterator<Item = &'a Value> {
        self.invoices.iter().filter(move |row| text(row, "subscription") == subscription)
    }
}

/// A text field; empty when absent or null.
pub fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

//! Whether an id is of the kind of account that a book is made for: test keys know no live customers, live keys no test
//! ones, and either would only be noticed when the first charge is due.
//!
//! Must never know: where the id was written.

use crate::model::{CardId, CustomerId};

/// Refuses ids of the other kind. `livemode`: of the book, or of the keys it will be bound to; `None`: nobody knows yet,
/// so nothing is refused.
///
/// # Errors
/// A sentence for each that names the column or option, what was found and what was wanted.
pub fn refuse_other_kind(
    livemode: Option<bool>,
    customer: Option<&CustomerId>,
    card: Option<&CardId>,
) -> Result<(), String> {
    let Some(live) = livemode else { return Ok(()) };
    let mut wrong = Vec::new();
    if let Some(id) = customer.filter(|id| id.is_test() == live) {
        wrong.push(sentence("customer", id.as_str(), live));
    }
    if let Some(id) = card.filter(|id| id.is_test() == live) {
        wrong.push(sentence("card", id.as_str(), live));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

fn sentence(what: &str, found: &str, live: bool) -> String {
    let (other, own, form) = if live { ("test", "live", "") } else { ("live", "test", "test_") };
    let start = if what == "card" { "card_" } else { "cust_" };
    format!(
        "{what}: found {found}, which is of a {other} account, wanted a {own} one, such as {start}{form}5xuy4w91xqz7d1w9u0t: \
         this book is one of {own} keys"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(live: Option<bool>, customer: &str, card: &str) -> Option<String> {
        let (customer, card) = (CustomerId::parse(customer).unwrap(), CardId::parse(card).unwrap());
        refuse_other_kind(live, Some(&customer), Some(&card)).err()
    }

    #[test]
    fn ids_of_the_other_kind_are_refused_and_named() {
        let (live, test) = (("cust_5x1", "card_5x1"), ("cust_test_5x1", "card_test_5x1"));
        assert_eq!(said(Some(true), live.0, live.1), None);
        assert_eq!(said(Some(false), test.0, test.1), None);
        assert_eq!(said(None, live.0, test.1), None);
        let both = said(Some(false), live.0, live.1).unwrap();
        assert!(
            both.contains("customer: found cust_5x1, which is of a live account, wanted a test one"),
            "{both}"
        );
        assert!(both.contains("; card: found card_5x1"), "{both}");
        let card = said(Some(true), live.0, test.1).unwrap();
        assert!(
            card.starts_with("card: found card_test_5x1, which is of a test account, wanted a live one"),
            "{card}"
        );
    }
}

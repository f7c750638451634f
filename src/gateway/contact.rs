//! Where a customer is reached: their address, and the language that their metadata names.

use crate::model::{Contact, CustomerId, Language};
use crate::omise::Customer;

/// The metadata key of the language: `en`, `th`, `ja`, or one of them with a country such as `th-TH`.
const LANGUAGE: &str = "language";

/// `None`: another customer, one who is deleted, or one without an address.
pub(super) fn of(customer: &Customer, wanted: &CustomerId) -> Option<Contact> {
    let email = customer.email.as_deref().map(str::trim).filter(|email| !email.is_empty())?;
    if customer.deleted || customer.id != wanted.as_str() {
        return None;
    }
    let language = customer.metadata.get(LANGUAGE).and_then(serde_json::Value::as_str).and_then(language);
    Some(Contact { email: email.to_owned(), language })
}

fn language(text: &str) -> Option<Language> {
    let first = text.trim().split(['-', '_']).next()?.to_ascii_lowercase();
    Language::from_word(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &serde_json::Value) -> Option<Contact> {
        let customer: Customer = serde_json::from_value(json.clone()).unwrap();
        of(&customer, &CustomerId::parse("cust_test_1").unwrap())
    }

    #[test]
    fn an_address_and_a_language_are_read_and_nothing_is_guessed() {
        let mut customer = serde_json::json!({
            "object": "customer", "id": "cust_test_1", "email": " may@example.com ",
            "metadata": { "language": "th-TH" },
        });
        let contact = read(&customer).unwrap();
        assert_eq!((contact.email.as_str(), contact.language), ("may@example.com", Some(Language::Th)));
        customer["metadata"]["language"] = "fr".into();
        assert_eq!(read(&customer).unwrap().language, None);
        for (key, value) in [("email", "".into()), ("id", "cust_test_2".into()), ("deleted", true.into())] {
            let mut other = customer.clone();
            other[key] = value;
            assert_eq!(read(&other), None, "{key}");
        }
    }
}

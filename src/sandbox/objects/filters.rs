//! What a search looks for: words and filters, and whether a record fits them.
//!
//! Promises: an unknown filter or a value that makes no sense is refused, also where nothing is found; amounts are main units, amounts and dates may be ranges, words match by their beginnings
//! without regard to case. Must never know pages.

use super::charges::{Charge, Status};
use super::currency::Currency;
use super::error::ApiError;
use super::params::Params;
use super::{charging, refunds};
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// What is looked for.
pub struct Question {
    pub words: Vec<String>,
    pub filters: Vec<(String, String)>,
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

impl Question {
    pub fn read(params: &Params) -> Self {
        let filters = params.group("filters");
        let names: Vec<String> = filters.0.keys().cloned().collect();
        let pairs = names.into_iter().filter_map(|name| filters.text(&name).map(|value| (name, value)));
        Self { words: words(&params.text("query").unwrap_or_default()).collect(), filters: pairs.collect() }
    }

    /// Every word asked for begins a word of these texts.
    fn spoken_in<'a>(&self, texts: impl Iterator<Item = &'a str>) -> bool {
        let known: Vec<String> = texts.flat_map(words).collect();
        self.words.iter().all(|word| known.iter().any(|other| other.starts_with(word.as_str())))
    }

    /// Refuses filters that this scope does not have, and values that they cannot be, however little there is to
    /// find.
    pub fn check(&self, scope: &str) -> Result<(), ApiError> {
        for (name, value) in &self.filters {
            let fits = match kind_of(scope, name) {
                Some(Kind::Amount) => amounts(value, 0, Currency::ACCOUNT.code()).is_some(),
                Some(Kind::Date) => dates(value, 0).is_some(),
                Some(Kind::Truth) => yes(value, true).is_some(),
                Some(Kind::Word) => true,
                None => false,
            };
            if !fits {
                let message = format!("filter `{name}` cannot be `{value}`");
                return Err(ApiError::unprocessable("invalid_filter", message));
            }
        }
        Ok(())
    }

    fn all(&self, test: impl Fn(&str, &str) -> Option<bool>) -> bool {
        self.filters.iter().all(|(name, value)| test(name, value) == Some(true))
    }

    pub fn fits_charge(&self, world: &World, place: u32) -> bool {
        let charge = world.charges.at(place);
        let created = world.charges.id(place).seconds();
        let card = world.cards.at(charge.card);
        let filters = self.all(|name, value| charge_filter(world, charge, created, name, value));
        let id = world.charges.name(place);
        let customer = charge.customer.map(|customer| world.customers.name(customer)).unwrap_or_default();
        let code = Some(charge.currency.code());
        let texts = [charge.description.as_deref(), card.name.as_deref(), code, Some(&id), Some(&customer)];
        filters && self.spoken_in(texts.into_iter().flatten())
    }

    pub fn fits_customer(&self, world: &World, place: u32) -> bool {
        let created = world.customers.id(place).seconds();
        let filters = self.all(|name, value| (name == "created").then(|| dates(value, created))?);
        let customer = world.customers.at(place);
        let id = world.customers.name(place);
        let texts = [customer.email.as_deref(), customer.description.as_deref(), Some(&id)];
        filters && self.spoken_in(texts.into_iter().flatten())
    }

    pub fn fits_schedule(&self, world: &World, place: u32) -> bool {
        let schedule = world.schedules.at(place);
        let created = world.schedules.id(place).seconds();
        let filters = self.all(|name, value| match name {
            "created" => dates(value, created),
            "amount" => amounts(value, schedule.amount, schedule.currency.code()),
            _ => None,
        });
        let (id, customer) = (world.schedules.name(place), world.customers.name(schedule.customer));
        let texts = [Some(id.as_str()), Some(customer.as_str()), schedule.description.as_deref()];
        filters && self.spoken_in(texts.into_iter().flatten())
    }

    pub fn fits_event(&self, world: &World, place: u32) -> bool {
        let created = world.events.id(place).seconds();
        let filters = self.all(|name, value| match name {
            "created" => dates(value, created),
            "key" => Some(*value == *world.events.at(place).key),
            _ => None,
        });
        let (id, key) = (world.events.name(place), &world.events.at(place).key);
        filters && self.spoken_in([id.as_str(), &**key].into_iter())
    }

    pub fn fits_transaction(&self, world: &World, place: u32) -> bool {
        let transaction = world.transactions.at(place);
        let created = world.transactions.id(place).seconds();
        let filters = self.all(|name, value| match name {
            "created" => dates(value, created),
            "amount" => amounts(value, transaction.amount, Currency::ACCOUNT.code()),
            _ => None,
        });
        let id = world.transactions.name(place);
        filters && self.spoken_in([id.as_str(), &*transaction.origin].into_iter())
    }

    pub fn fits_refund(&self, world: &World, place: u32) -> bool {
        let refund = world.refunds.at(place);
        let created = world.refunds.id(place).seconds();
        let currency = world.charges.at(refund.charge).currency.code();
        let filters = self.all(|name, value| match name {
            "created" => dates(value, created),
            "amount" => amounts(value, refund.amount, currency),
            _ => None,
        });
        let (id, charge) = (world.refunds.name(place), world.charges.name(refund.charge));
        filters && self.spoken_in([id.as_str(), charge.as_str()].into_iter())
    }
}

/// What a filter's value is.
enum Kind {
    Amount,
    Date,
    Truth,
    Word,
}

/// The filters of each scope. Those of charges and customers are documented; the others' are what their objects have.
fn kind_of(scope: &str, name: &str) -> Option<Kind> {
    match (scope, name) {
        (_, "created") => Some(Kind::Date),
        ("charge" | "charge_schedule" | "refund" | "transaction", "amount") | ("charge", "refund_amount") => {
            Some(Kind::Amount)
        }
        (
            "charge",
            "authorized" | "capture" | "captured" | "customer_present" | "disputed" | "is_installment"
            | "refunded" | "reversed" | "safe" | "scheduled" | "voided",
        ) => Some(Kind::Truth),
        (
            "charge",
            "acquirer_reference_number"
            | "capture_id"
            | "card_last_digits"
            | "currency"
            | "failure_code"
            | "installment_terms"
            | "source_of_fund"
            | "source_type"
            | "status",
        )
        | ("event", "key") => Some(Kind::Word),
        _ => None,
    }
}

fn charge_filter(world: &World, charge: &Charge, created: i64, name: &str, value: &str) -> Option<bool> {
    let refunded = refunds::total(world, charge);
    let code = charge.currency.code();
    match name {
        "amount" => amounts(value, charge.amount, code),
        "refund_amount" => amounts(value, refunded, code),
        "created" => dates(value, created),
        "currency" => Some(value.eq_ignore_ascii_case(code)),
        "status" => Some(value == charging::word(charge.status)),
        "failure_code" => Some(charge.failure.as_ref().is_some_and(|failure| failure.code == value)),
        "card_last_digits" => Some(value == format!("{:04}", world.cards.at(charge.card).last_digits)),
        "source_of_fund" => Some(value == "card"),
        "authorized" => yes(value, charge.authorized),
        "capture" => yes(value, charge.capture),
        "captured" => yes(value, charge.status == Status::Successful),
        "refunded" => yes(value, refunded > 0),
        "reversed" => yes(value, charge.status == Status::Reversed),
        "scheduled" => yes(value, charge.schedule.is_some()),
        // No charge here ever is any of these.
        "customer_present" | "disputed" | "is_installment" | "safe" | "voided" => yes(value, false),
        // The other filters that `kind_of` knows are of what no charge here ever has.
        _ => None,
    }
}

fn yes(value: &str, truth: bool) -> Option<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Some(truth),
        "false" | "no" | "off" | "0" => Some(!truth),
        _ => None,
    }
}

/// `1000`, `1000.50` or `1000..2000`, in main units.
fn amounts(value: &str, amount: i64, currency: &str) -> Option<bool> {
    let (low, high) = value.split_once("..").unwrap_or((value, value));
    let low = subunits(low, currency)?;
    let high = subunits(high, currency)?;
    Some((low..=high).contains(&amount))
}

fn subunits(main: &str, currency: &str) -> Option<i64> {
    let (whole, part) = main.trim().split_once('.').unwrap_or((main.trim(), ""));
    let whole: i64 = whole.parse().ok()?;
    if currency == "JPY" {
        return part.is_empty().then_some(whole);
    }
    let part: i64 = match part.len() {
        0 => 0,
        1 | 2 => format!("{part:0<2}").parse().ok()?,
        _ => return None,
    };
    whole.checked_mul(100)?.checked_add(part)
}

/// A day, or a range of days or instants, in UTC.
fn dates(value: &str, at: i64) -> Option<bool> {
    const DAY_SECONDS: i64 = 24 * 60 * 60;
    let (low, high) = value.split_once("..").unwrap_or((value, value));
    let start = time::read(low.trim())?.as_second();
    let end = time::read(high.trim())?.as_second();
    let end = if high.contains('T') { end } else { end + DAY_SECONDS - 1 };
    Some((start..=end).contains(&at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, value: &str) -> Question {
        Question { words: Vec::new(), filters: vec![(name.to_owned(), value.to_owned())] }
    }

    #[test]
    fn filters_are_checked_by_name_and_value_before_anything_is_looked_at() {
        for (scope, name, value) in [
            ("charge", "amount", "990.50..1000"),
            ("charge", "captured", "yes"),
            ("charge", "capture_id", "anything"),
            ("customer", "created", "2026-03-01..2026-03-02"),
            ("event", "key", "charge.create"),
        ] {
            assert!(asked(name, value).check(scope).is_ok(), "{scope} {name} {value}");
        }
        for (scope, name, value) in [
            ("charge", "moon", "1"),
            ("charge", "customer", "cust_test_1"),
            ("charge", "amount", "many"),
            ("charge", "captured", "perhaps"),
            ("charge", "created", "yesterday"),
            ("customer", "email", "a@b.test"),
            ("refund", "status", "closed"),
        ] {
            assert!(asked(name, value).check(scope).is_err(), "{scope} {name} {value}");
        }
    }

    #[test]
    fn amounts_are_main_units_and_may_be_ranges() {
        assert_eq!(amounts("1000", 100_000, "THB"), Some(true));
        assert_eq!(amounts("1000..2000", 150_050, "THB"), Some(true));
        assert_eq!(amounts("990.5", 99_050, "THB"), Some(true));
        assert_eq!(amounts("1000", 1000, "JPY"), Some(true));
        assert_eq!(amounts("many", 1, "THB"), None);
    }

    #[test]
    fn a_range_of_days_has_both_its_days() {
        let noon = time::read("2026-03-02T12:00:00Z").expect("instant").as_second();
        assert_eq!(dates("2026-03-01..2026-03-02", noon), Some(true));
        assert_eq!(dates("2026-03-01", noon), Some(false));
    }
}

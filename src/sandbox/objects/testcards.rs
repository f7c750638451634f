//! Omise's published test cards and what each of them does when it is charged.
//!
//! Promises: a failing card attaches like any other and fails when charged, as published. Must never know
//! what a customer is.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Card schemes, spelled as the API spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Brand {
    Visa,
    MasterCard,
    #[serde(rename = "JCB")]
    Jcb,
    #[serde(rename = "American Express")]
    Amex,
    Discover,
    #[serde(rename = "Diners Club")]
    Diners,
    UnionPay,
}

/// What happens when the card is charged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Temper {
    Pays,
    /// The bank says no, with this failure code.
    Declines(Cow<'static, str>),
    /// Its 3-D Secure step cannot begin: the charge fails.
    EnrolmentFails,
    /// Its 3-D Secure step ends in failure.
    ValidationFails,
    /// Declined, and the amount is the merchant advice code.
    Advises,
}

/// Failure codes by the last four digits that published cards end in, Visa, `MasterCard`, JCB in turn.
const DECLINES: [(&str, [&str; 3]); 7] = [
    ("insufficient_fund", ["4111111111140011", "5555551111110011", "3530111111190011"]),
    ("stolen_or_lost_card", ["4111111111130012", "5555551111100012", "3530111111180012"]),
    ("failed_processing", ["4111111111120013", "5555551111190013", "3530111111170013"]),
    ("payment_rejected", ["4111111111110014", "5555551111180014", "3530111111160014"]),
    ("failed_fraud_check", ["4111111111190016", "5555551111160016", "3530111111140016"]),
    ("invalid_account_number", ["4111111111180017", "5555551111150017", "3530111111130017"]),
    ("invalid_security_code", ["4111111111160001", "5555551111130001", "3530111111110001"]),
];

/// The declining cards of the other schemes.
const OTHER_DECLINES: [(&str, &str); 9] = [
    ("insufficient_fund", "6250947000000014"),
    ("stolen_or_lost_card", "6250947000000022"),
    ("failed_processing", "6250947000000030"),
    ("payment_rejected", "6250947000000048"),
    ("failed_fraud_check", "6250947000000055"),
    ("invalid_account_number", "6250947000000063"),
    ("failed_processing", "377138160000009"),
    ("failed_processing", "6447032400001111005"),
    ("failed_processing", "36021042111108"),
];

const ENROLMENT: [&str; 4] = ["4111111111150002", "5555551111120002", "3530111111100002", "6250947000000071"];
const VALIDATION: [&str; 3] = ["4111111111140003", "5555551111110003", "3530111111190003"];
const ADVISING: &str = "4111111111170018";

/// Published paying cards; the discover and the two long ones need not pass the check digit.
const PAYING: [&str; 10] = [
    "4242424242424242",
    "4111111111111111",
    "5555555555554444",
    "5454545454545454",
    "3530111333300000",
    "3566111111111113",
    "378282246310005",
    "6447032400000000001",
    "36021042000004",
    "6250947000000006",
];

/// A number that pays, for seeding.
pub fn paying(turn: usize) -> &'static str {
    PAYING[turn % 6]
}

/// A number that the bank refuses with this code, for seeding; `None` for a code no card gives.
pub fn declining(code: &str, turn: usize) -> Option<&'static str> {
    DECLINES.iter().find(|(name, _)| *name == code).map(|(_, cards)| cards[turn % 3])
}

/// Scheme and conduct of a number. `None`: not a card number at all.
pub fn identify(number: &str) -> Option<(Brand, Temper)> {
    if !(12..=19).contains(&number.len()) || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let brand = brand(number)?;
    Some((brand, temper(number)?))
}

fn brand(number: &str) -> Option<Brand> {
    let two: u32 = number.get(..2)?.parse().ok()?;
    Some(match two {
        34 | 37 => Brand::Amex,
        35 => Brand::Jcb,
        30 | 36 | 38 | 39 => Brand::Diners,
        40..=49 => Brand::Visa,
        22..=27 | 51..=55 => Brand::MasterCard,
        62 => Brand::UnionPay,
        60 | 64 | 65 => Brand::Discover,
        _ => return None,
    })
}

fn temper(number: &str) -> Option<Temper> {
    let refused = DECLINES
        .iter()
        .find(|(_, cards)| cards.contains(&number))
        .map(|(code, _)| *code)
        .or_else(|| OTHER_DECLINES.iter().find(|(_, card)| *card == number).map(|(code, _)| *code));
    if let Some(code) = refused {
        return Some(Temper::Declines(Cow::Borrowed(code)));
    }
    if ENROLMENT.contains(&number) {
        return Some(Temper::EnrolmentFails);
    }
    if VALIDATION.contains(&number) {
        return Some(Temper::ValidationFails);
    }
    if number == ADVISING {
        return Some(Temper::Advises);
    }
    (PAYING.contains(&number) || passes_check_digit(number)).then_some(Temper::Pays)
}

/// The check digit every real card number carries.
fn passes_check_digit(number: &str) -> bool {
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(turn, byte)| {
            let digit = u32::from(byte - b'0');
            if turn % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// What the API says about a failure code. Only two of these texts are on record; the rest say the same
/// in like words, and no client should look at them.
pub fn failure_message(code: &str) -> String {
    match code {
        "insufficient_fund" => "insufficient funds in the account or the card has reached the credit limit",
        "failed_fraud_check" => "failed fraud check",
        "stolen_or_lost_card" => "card is stolen or lost",
        "failed_processing" => "payment processing failed",
        "payment_rejected" => "payment was rejected by issuer",
        "invalid_account_number" => "the account number is not valid",
        "invalid_security_code" => "the security code is invalid",
        "expired_card" => "card is expired",
        other => return format!("the charge failed: {other}"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_card_has_its_published_conduct() {
        for number in PAYING {
            assert_eq!(identify(number).map(|found| found.1), Some(Temper::Pays), "{number}");
        }
        for (code, cards) in DECLINES {
            for number in cards {
                let wanted = Some(Temper::Declines(Cow::Borrowed(code)));
                assert_eq!(identify(number).map(|found| found.1), wanted, "{number}");
            }
        }
        assert_eq!(identify("5555551111160016").map(|found| found.0), Some(Brand::MasterCard));
        assert_eq!(identify("36021042111108").map(|found| found.0), Some(Brand::Diners));
    }

    #[test]
    fn mistyped_numbers_are_no_cards() {
        assert_eq!(identify("4242424242424241"), None);
        assert_eq!(identify("42424242"), None);
        assert_eq!(identify("4242 4242 4242 4242"), None);
    }
}

//! How a bank's "no" is read: one table from the provider's failure code to what it means for the next step.
//!
//! The set of codes is open: one that is not in the table is a technical failure that is tried once more, and
//! the event says that the code is unknown. Advice that says not to retry overrules the code.
//! Must never know: the dunning policy.

use crate::model::{Decline, DeclineKind};

/// What one failure code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// For the next step.
    pub kind: DeclineKind,
    /// Retries of one invoice after this code, whatever the policy would allow; `None`: the policy alone decides.
    pub most_retries: Option<u32>,
    /// Whether a bank answered at all, so that it counts towards the card's budget.
    pub counts: bool,
    /// Whether the code is in the table.
    pub known: bool,
}

/// Code, kind, most retries, whether it counts as a bank's answer.
type Row = (&'static str, DeclineKind, Option<u32>, bool);

const TABLE: &[Row] = &[
    // Soft: may work later.
    ("insufficient_fund", DeclineKind::Funds, None, true),
    ("insufficient_balance", DeclineKind::Funds, None, true),
    // An issuer that gives no reason rarely changes its mind more than once or twice.
    ("payment_rejected", DeclineKind::Issuer, Some(2), true),
    ("failed_processing", DeclineKind::Technical, None, true),
    ("timeout", DeclineKind::Technical, None, true),
    ("internal_error", DeclineKind::Technical, Some(1), true),
    // Hard: not with this card. What a person may still overrule is `NewCard`, the rest is `Never`.
    ("expired_card", DeclineKind::NewCard, Some(0), true),
    ("failed_fraud_check", DeclineKind::NewCard, Some(0), true),
    // A saved card has no security code to correct: the card must be entered again.
    ("invalid_security_code", DeclineKind::NewCard, Some(0), true),
    ("stolen_or_lost_card", DeclineKind::Never, Some(0), true),
    ("invalid_account_number", DeclineKind::Never, Some(0), true),
    ("invalid_account", DeclineKind::Never, Some(0), true),
    // The customer must act.
    ("payment_cancelled", DeclineKind::Customer, Some(0), true),
    ("missing_3ds_fields", DeclineKind::Customer, Some(0), true),
    ("expired", DeclineKind::Customer, Some(0), false),
    ("expired_charge", DeclineKind::Customer, Some(0), false),
    // Ours, or our operator's, to look at.
    ("confirmed_amount_mismatch", DeclineKind::Ours, Some(0), true),
    ("reversed", DeclineKind::Ours, Some(0), false),
];

/// Words of advice that forbid another try of this card, in lower case with plain spaces.
const NEVER_AGAIN: &[&str] = &["do not retry", "don't retry", "do not try again", "do not attempt again"];
/// Words of advice that ask for the customer.
const CUSTOMER_MUST_ACT: &[&str] = &["additional authentication", "additional customer authentication"];
/// Retries after a code that nobody has told us about.
const RETRIES_OF_UNKNOWN: u32 = 1;

/// Reads a decline: the advice first, then the code.
pub fn read(decline: &Decline) -> Reading {
    let by_code = of_code(&decline.code);
    let advice = decline.advice.as_deref().unwrap_or("").to_lowercase().replace(['_', '-'], " ");
    let says = |words: &[&str]| words.iter().any(|word| advice.contains(word));
    if says(NEVER_AGAIN) {
        Reading { kind: DeclineKind::Never, most_retries: Some(0), ..by_code }
    } else if says(CUSTOMER_MUST_ACT) && by_code.kind != DeclineKind::Never {
        Reading { kind: DeclineKind::Customer, most_retries: Some(0), ..by_code }
    } else {
        by_code
    }
}

fn of_code(code: &str) -> Reading {
    TABLE.iter().find(|row| row.0 == code).map_or(
        Reading {
            kind: DeclineKind::Technical,
            most_retries: Some(RETRIES_OF_UNKNOWN),
            counts: true,
            known: false,
        },
        |&(_, kind, most_retries, counts)| Reading { kind, most_retries, counts, known: true },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DeclineClass;

    fn decline(code: &str, advice: Option<&str>) -> Decline {
        Decline {
            charge: None,
            card: None,
            code: code.into(),
            message: None,
            advice: advice.map(Into::into),
            advice_code: None,
        }
    }

    #[test]
    fn codes_are_read_by_the_table() {
        for (code, class) in [
            ("insufficient_fund", DeclineClass::Soft),
            ("timeout", DeclineClass::Soft),
            ("stolen_or_lost_card", DeclineClass::Hard),
            ("expired_card", DeclineClass::Hard),
            ("failed_fraud_check", DeclineClass::Hard),
            ("payment_cancelled", DeclineClass::Customer),
            ("reversed", DeclineClass::Ours),
        ] {
            assert_eq!(read(&decline(code, None)).kind.class(), class, "{code}");
        }
    }

    #[test]
    fn every_code_stands_once_and_hard_ones_are_never_retried() {
        for (place, row) in TABLE.iter().enumerate() {
            assert!(TABLE[..place].iter().all(|other| other.0 != row.0), "{} stands twice", row.0);
            assert!(row.1.class() == DeclineClass::Soft || row.2 == Some(0), "{} is not soft", row.0);
        }
    }

    #[test]
    fn an_unknown_code_is_tried_once_more_and_says_so() {
        let reading = read(&decline("moon_phase", None));
        assert_eq!((reading.kind, reading.most_retries), (DeclineKind::Technical, Some(1)));
        assert!(!reading.known);
    }

    #[test]
    fn advice_overrules_the_code() {
        let stop = read(&decline("payment_rejected", Some("Do not retry with the same card.")));
        assert_eq!((stop.kind, stop.most_retries), (DeclineKind::Never, Some(0)));
        let ask = read(&decline("payment_rejected", Some("Additional customer authentication required")));
        assert_eq!(ask.kind, DeclineKind::Customer);
        let quiet = read(&decline("payment_rejected", Some("try again later")));
        assert_eq!(quiet.kind, DeclineKind::Issuer);
    }
}

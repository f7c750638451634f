//! A charge as the provider's own list shows it, read as an outcome: for polls and look-ups.

use crate::model::{ChargeOutcome, ChargeSeen, Decline, NoAnswer, SeenStatus};

/// What became of that charge. One that ended without money moving, unfinished by the customer or taken back, is a
/// decline under the provider's own word, which the table of codes reads.
pub fn outcome_of(seen: &ChargeSeen) -> ChargeOutcome {
    let (charge, card) = (seen.charge.clone(), seen.card.clone());
    match &seen.status {
        SeenStatus::Successful => ChargeOutcome::Succeeded { charge, card },
        SeenStatus::Failed(decline) => ChargeOutcome::Declined(decline.clone()),
        SeenStatus::Pending(authorize_uri) => {
            ChargeOutcome::Pending { charge, card, authorize_uri: authorize_uri.clone() }
        }
        SeenStatus::Ended(word) => ChargeOutcome::Declined(Decline {
            charge: Some(charge),
            card,
            code: word.clone(),
            message: None,
            advice: None,
            advice_code: None,
        }),
        SeenStatus::Unknown(word) => ChargeOutcome::NoAnswer(NoAnswer {
            reason: format!("charge {charge} has the status {word:?}, which is none we know").into(),
            alarm: true,
        }),
    }
}

//! `dues resolve`: a person says what became of an attempt that no look could settle.
//!
//! Promises: a charge pays one attempt, the one whose marks it carries if it carries any; one that was not asked for as it
//! was made still ends its attempt, with an incident that says both sums, and nothing is ever charged beside it.
//! Must never know: how a charge is read.

use jiff::Timestamp;
use serde_json::json;

use super::refused;
use crate::model::{
    Attempt, AttemptId, AttemptStatus, ChargeSeen, EventKind, Installation, InvoiceStatus, SeenStatus,
    Snapshot, Transition,
};
use crate::rules::conclude::{Case, ended_by_person, with_case};
use crate::rules::{Circumstances, RuleError, doubt, outcome_of};

/// The attempt became this charge, which was just read at the provider. `booked`: another attempt that the book has with
/// the same charge.
///
/// Refused unless the charge has ended and either carries this attempt's marks, whatever its amount and customer, or
/// carries no marks, is of the attempt's customer and amount, and is no other attempt's.
pub fn resolve_charge(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    seen: &ChargeSeen,
    booked: Option<&AttemptId>,
    reason: &str,
    c: &Circumstances,
) -> Result<Transition, RuleError> {
    with_case(snapshot, attempt, c, |case| {
        must_be_manual(case)?;
        let marked = is_marked(case.attempt(), seen, c.installation);
        if !marked {
            must_be_nobody_elses(case.attempt(), seen, booked, c.installation)?;
            must_fit(case.attempt(), seen)?;
        }
        must_have_ended(seen)?;
        let amiss = amiss(case.attempt(), seen, booked);
        let was_open = case.open().invoice.status == InvoiceStatus::Open;
        ended_by_person(case, &outcome_of(seen))?;
        let mut data = json!({ "charge": seen.charge, "reason": reason });
        if let Some(amiss) = amiss {
            data["mismatch"] = amiss.as_str().into();
            if case.attempt().status == AttemptStatus::Succeeded {
                money_is_amiss(case, seen, &amiss, was_open);
            }
        }
        tell(case, c.at, data);
        Ok(true)
    })
}

/// The attempt never became a charge: its invoice is due again at once. Refused where a look found a charge that carries
/// its marks: then it did become one.
pub fn resolve_absent(
    snapshot: &Snapshot,
    attempt: &AttemptId,
    reason: &str,
    c: &Circumstances,
) -> Result<Transition, RuleError> {
    with_case(snapshot, attempt, c, |case| {
        must_be_manual(case)?;
        if let Some(charge) = doubt::carried(case.attempt()) {
            return refused(format!(
                "attempt {attempt} is not absent: charge {charge} carries its marks, and calling it absent would charge the \
                 invoice again; {}",
                way_out(case.attempt())
            ));
        }
        case.end(AttemptStatus::Absent);
        case.due_again();
        tell(case, c.at, json!({ "absent": true, "reason": reason }));
        Ok(true)
    })
}

/// How a person ends this attempt, which waits for nobody else.
pub(in crate::rules) fn way_out(attempt: &Attempt) -> String {
    let id = &attempt.id;
    doubt::carried(attempt).map_or_else(
        || match &attempt.charge {
            // It was pending: it is there, or it is not any more.
            Some(charge) => format!(
                "end it with `dues resolve {id} --charge {charge} --reason TEXT` once that charge has ended at the provider, or \
                 with `--absent` if it is gone there or, by a status that nobody knows, took no money"
            ),
            None => format!(
                "end it with `dues resolve {id} --charge CHRG --reason TEXT`, or with `--absent` if it never became a charge"
            ),
        },
        |charge| {
            format!(
                "end it with `dues resolve {id} --charge {charge} --reason TEXT`, which takes the charge as it is and raises \
                 an incident if it moved another sum"
            )
        },
    )
}

fn must_be_manual(case: &Case) -> Result<(), RuleError> {
    let attempt = case.attempt();
    match attempt.status {
        AttemptStatus::Manual => Ok(()),
        status if status.is_final() => refused(format!("attempt {} has ended as {status}", attempt.id)),
        status => refused(format!(
            "attempt {} is {status}: it is looked up by itself, and by `dues run-now`; a person decides only once it \
             is manual",
            attempt.id
        )),
    }
}

/// The attempt that a charge names, if it can be read.
fn named(seen: &ChargeSeen) -> Option<AttemptId> {
    seen.attempt.as_deref()?.parse().ok()
}

fn is_of(seen: &ChargeSeen, book: Installation) -> bool {
    seen.installation.as_deref() == Some(book.to_string().as_str())
}

/// Whether the charge says that it is this very attempt's.
fn is_marked(attempt: &Attempt, seen: &ChargeSeen, book: Installation) -> bool {
    is_of(seen, book) && named(seen).as_ref() == Some(&attempt.id)
}

/// A charge pays one attempt: not the one of another invoice, or of another book, that it was made for.
fn must_be_nobody_elses(
    attempt: &Attempt,
    seen: &ChargeSeen,
    booked: Option<&AttemptId>,
    book: Installation,
) -> Result<(), RuleError> {
    let (charge, id) = (&seen.charge, &attempt.id);
    let other = named(seen).filter(|_| is_of(seen, book));
    let owner = if let Some(other) = other {
        format!("was made for attempt {other}")
    } else if let Some(whose) = seen.installation.as_deref().filter(|_| !is_of(seen, book)) {
        format!("was made by another book of dues, installation {whose}")
    } else if let Some(other) = booked {
        format!("is the charge of attempt {other} in this book")
    } else {
        return Ok(());
    };
    refused(format!(
        "charge {charge} {owner}, and one charge pays one invoice; find the charge of attempt {id} itself, then {}",
        way_out(attempt)
    ))
}

fn must_fit(attempt: &Attempt, seen: &ChargeSeen) -> Result<(), RuleError> {
    if doubt::echoes(seen, attempt) {
        return Ok(());
    }
    let amount = seen.amount.map_or_else(|| "an unreadable amount".to_owned(), |a| a.to_string());
    let customer = seen.customer.as_ref().map_or("no customer", |id| id.as_str());
    refused(format!(
        "charge {}: found {amount} of {customer}, wanted {} of {}; it carries no marks of attempt {}",
        seen.charge, attempt.amount, attempt.customer, attempt.id
    ))
}

fn must_have_ended(seen: &ChargeSeen) -> Result<(), RuleError> {
    match &seen.status {
        SeenStatus::Successful | SeenStatus::Failed(_) | SeenStatus::Ended(_) => Ok(()),
        SeenStatus::Pending(_) => {
            refused(format!("charge {} is still pending; wait until it has ended", seen.charge))
        }
        SeenStatus::Unknown(word) => {
            refused(format!("charge {} has the status {word:?}, which is none we know", seen.charge))
        }
    }
}

/// What is wrong with a charge that is taken all the same; `None`: nothing.
fn amiss(attempt: &Attempt, seen: &ChargeSeen, booked: Option<&AttemptId>) -> Option<String> {
    let differs = (!doubt::echoes(seen, attempt)).then(|| doubt::mismatch(attempt, seen));
    let twice = booked.map(|other| {
        format!(
            "charge {} carries attempt {}, and the book has it for attempt {other} too",
            seen.charge, attempt.id
        )
    });
    let all: Vec<String> = differs.into_iter().chain(twice).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// The attempt's sum is its invoice's and stays so; the invoice is closed, so that nothing is charged beside money that
/// moved, and what is too much or missing is told to a person. No receipt says that the invoice's own sum came in.
fn money_is_amiss(case: &mut Case, seen: &ChargeSeen, amiss: &str, was_open: bool) {
    let (attempt, invoice) = (case.attempt().id.clone(), case.open().invoice.id.clone());
    if was_open {
        let data = json!({ "by": "person", "mismatch": amiss });
        case.d.say_of_last(EventKind::InvoicePaid, &data);
    }
    let detail = format!(
        "{amiss}. A person ended the attempt with it: invoice {invoice} takes no other charge; give back at the provider what \
         was taken too much, or ask for what is missing"
    );
    let data = json!({ "attempt": attempt, "charge": seen.charge, "detail": detail });
    case.event(EventKind::Incident, &data);
}

fn tell(case: &mut Case, at: Timestamp, mut data: serde_json::Value) {
    let attempt = case.attempt();
    data["attempt"] = attempt.id.to_string().into();
    data["status"] = attempt.status.word().into();
    let invoice = attempt.id.invoice.clone();
    case.d.invoice_event(at, EventKind::AttemptResolved, &invoice, Some(&data));
}

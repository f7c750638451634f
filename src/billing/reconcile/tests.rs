//! How one charge and one attempt stand to each other.

use super::*;
use crate::model::{Epoch, Installation, InvoiceId};
use crate::store::conformance::samples::{at, attempt, charge, customer, sub_id};

fn seen(status: SeenStatus) -> ChargeSeen {
    let amount = crate::store::conformance::samples::money("990.00 THB");
    ChargeSeen {
        charge: charge(1),
        created_at: at(1),
        amount: Some(amount),
        customer: Some(customer(1)),
        card: None,
        status,
        installation: None,
        invoice: None,
        attempt: None,
        description: None,
        refunded_minor: 0,
        disputed: false,
    }
}

#[test]
fn what_has_not_ended_here_is_no_difference_unless_a_person_must_end_it() {
    let id = AttemptId::new(InvoiceId::new(sub_id(1), 0), 1);
    let mut ours = attempt(id, Installation([7; 16]), &customer(1), Epoch(1), at(0));
    for (here, wanted) in [
        (AttemptStatus::Intended, Standing::Unsettled),
        (AttemptStatus::InDoubt, Standing::Unsettled),
        (AttemptStatus::Pending, Standing::Unsettled),
        (AttemptStatus::Manual, Standing::Mismatched),
        (AttemptStatus::Absent, Standing::Mismatched),
        (AttemptStatus::Declined, Standing::Mismatched),
        (AttemptStatus::Succeeded, Standing::Matched),
    ] {
        ours.status = here;
        assert_eq!(compare(&ours, &seen(SeenStatus::Successful)).0, wanted, "{here}");
    }
    ours.status = AttemptStatus::InDoubt;
    ours.charge = Some(charge(2));
    assert_eq!(compare(&ours, &seen(SeenStatus::Successful)).0, Standing::Mismatched, "another charge");
}

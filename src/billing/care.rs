//! Ending all that is billed to one customer, before they are erased.
//!
//! Promises: nothing is ended while one of their attempts is unfinished, as far as the book knew when it was asked;
//! once it has answered, no attempt of theirs is unfinished and none can begin. Must never know: the provider.

use jiff::Timestamp;

use super::orders::{self, OrderError};
use crate::model::{AttemptStatus, CustomerId, Snapshot, SubscriptionId, SubscriptionStatus};
use crate::rules::{RuleError, commands};
use crate::store::{Filter, Store, StoreError};

/// Subscriptions read at a time.
const PAGE_ROWS: usize = 500;

/// Ends every subscription of the customer now; returns how many lived. Refused while an attempt is unfinished.
pub fn end_all_of(store: &mut dyn Store, customer: &CustomerId, at: Timestamp) -> Result<u64, OrderError> {
    must_be_settled(store, customer)?;
    let mut ended = 0;
    let mut after = 0;
    loop {
        let of = Filter { customer: Some(customer.clone()), ..Filter::default() };
        let page = store.list_subscriptions(&of, after, PAGE_ROWS)?;
        let Some(last) = page.last() else { break };
        after = last.row;
        for row in page.iter().filter(|row| row.subscription.status != SubscriptionStatus::Canceled) {
            end(store, &row.subscription.id, at)?;
            ended += 1;
        }
    }
    // A daemon may have begun one after the first look; from here on it cannot.
    must_be_settled(store, customer)?;
    Ok(ended)
}

fn end(store: &mut dyn Store, id: &SubscriptionId, at: Timestamp) -> Result<(), OrderError> {
    orders::on_subscription(store, id, &mut |snapshot| {
        if let Some(attempt) = unfinished_of(snapshot) {
            return Err(RuleError::Refused(refusal(&attempt)));
        }
        commands::cancel_now(snapshot, at, None)
    })?;
    Ok(())
}

fn unfinished_of(snapshot: &Snapshot) -> Option<String> {
    let mut attempts = snapshot.invoices.iter().flat_map(|open| &open.attempts);
    attempts.find(|attempt| !attempt.status.is_final()).map(|attempt| attempt.id.to_string())
}

fn must_be_settled(store: &mut dyn Store, customer: &CustomerId) -> Result<(), OrderError> {
    match first_unfinished(store, customer)? {
        Some(attempt) => Err(RuleError::Refused(refusal(&attempt)).into()),
        None => Ok(()),
    }
}

fn first_unfinished(store: &mut dyn Store, customer: &CustomerId) -> Result<Option<String>, StoreError> {
    for status in AttemptStatus::ALL.iter().filter(|status| !status.is_final()) {
        let status = Some(status.word().to_owned());
        let of = Filter { customer: Some(customer.clone()), status, ..Filter::default() };
        if let Some(row) = store.list_attempts(&of, 0, 1)?.first() {
            return Ok(Some(row.attempt.id.to_string()));
        }
    }
    Ok(None)
}

fn refusal(attempt: &str) -> String {
    format!(
        "attempt {attempt} is unfinished: money may still move; let a run settle it (`dues why` says when), or end it \
         with `dues resolve`, then try again"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::conformance::samples::*;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn all_subscriptions_of_one_customer_end_and_no_others() {
        let mut store = SqliteStore::in_memory().unwrap();
        fill(&mut store, 3);
        assert_eq!(end_all_of(&mut store, &customer(1), at(9)), Ok(1));
        let ended = [0, 1, 2].map(|n| snapshot(&mut store, n).subscription.ended_at.is_some());
        assert_eq!(ended, [false, true, false]);
        assert_eq!(end_all_of(&mut store, &customer(1), at(10)), Ok(0), "again");
        assert_eq!(end_all_of(&mut store, &customer(77), at(10)), Ok(0), "nobody");
    }

    #[test]
    fn nothing_ends_while_money_may_still_move() {
        let mut store = SqliteStore::in_memory().unwrap();
        fill(&mut store, 1);
        let epoch = begin(&mut store);
        let before = snapshot(&mut store, 0);
        let opened = intent(&mut store, &before, epoch, at(1));
        accept(&mut store, opened);
        let refused = end_all_of(&mut store, &customer(0), at(9)).unwrap_err();
        assert!(refused.to_string().contains("sub_00000000.0.1 is unfinished"), "{refused}");
        assert_eq!(end(&mut store, &sub_id(0), at(9)), Err(refused), "seen while ending, too");
        assert_eq!(snapshot(&mut store, 0).subscription.ended_at, None);
    }

    #[test]
    fn no_retry_is_left_of_a_customer_whose_subscriptions_ended() {
        use crate::model::{Change, DeclineKind, Hold, Transition};
        let mut store = SqliteStore::in_memory().unwrap();
        fill(&mut store, 1);
        let epoch = begin(&mut store);
        let before = snapshot(&mut store, 0);
        let opened = intent(&mut store, &before, epoch, at(1));
        accept(&mut store, opened);
        let mut open = snapshot(&mut store, 0).invoices.remove(0);
        let mut attempt = open.attempts.remove(0);
        attempt.status = AttemptStatus::Declined;
        attempt.decline = Some(DeclineKind::Funds);
        (attempt.resolved_at, attempt.intent) = (Some(at(2)), None);
        open.invoice.next_attempt_at = Some(at(9_000));
        let from = AttemptStatus::Intended;
        let changes = vec![Change::UpdateAttempt { attempt, from }, Change::UpdateInvoice(open.invoice)];
        accept(&mut store, Transition { epoch: Some(epoch), changes, events: Vec::new() });
        assert_eq!(snapshot(&mut store, 0).invoices[0].invoice.next_attempt_at, Some(at(9_000)));
        assert_eq!(end_all_of(&mut store, &customer(0), at(3)), Ok(1));
        let after = snapshot(&mut store, 0);
        let invoice = &after.invoices[0].invoice;
        assert_eq!((invoice.next_attempt_at, invoice.hold), (None, Some(Hold::Stopped)));
        assert_eq!(after.subscription.wake_at, None);
    }
}

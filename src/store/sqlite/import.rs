//! New subscriptions by the thousand, and the ids that the book counts.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::super::{NewSubscription, Refusal, StoreError};
use super::book::Book;
use super::created;
use super::fault::{Fault, Outcome};
use super::hot::Hot;
use crate::model::{CustomerId, EventKind, NewEvent, SkipReason, SubscriptionId};

/// 32 letters and digits that people do not mistake for one another.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Letters of a counted id: 50 bits.
const LETTERS_OF_AN_ID: usize = 10;
/// Ids tried for one subscription; each is taken with a chance of 1 in 10^8 in a book of ten million.
const MOST_TRIES: u32 = 16;
/// Rows between two words about progress.
const PROGRESS_ROWS: u64 = 500;

impl Book {
    /// As `Store::next_subscription_id` says.
    pub(super) fn next_subscription_id(
        &self,
        customer: &CustomerId,
        now: Timestamp,
    ) -> Outcome<SubscriptionId> {
        let counter: i64 = self
            .sql("SELECT coalesce(max(row), 0) + 1 FROM subscriptions")?
            .query_row([], |row| row.get(0))?;
        for round in 0..MOST_TRIES {
            let id = self.counted_id(counter, round, customer, now)?;
            if self.find_subscription(&id)?.is_none() {
                return Ok(id);
            }
        }
        Err(Fault::broken(format!("no free id for a subscription of {customer}")))
    }

    fn counted_id(
        &self,
        counter: i64,
        round: u32,
        customer: &CustomerId,
        now: Timestamp,
    ) -> Outcome<SubscriptionId> {
        let mut hash = Sha256::new();
        hash.update(b"dues subscription id 2\n");
        hash.update(self.installation.0);
        hash.update(counter.to_be_bytes());
        hash.update(round.to_be_bytes());
        hash.update(now.as_millisecond().to_be_bytes());
        hash.update(customer.as_str());
        let digest = hash.finalize();
        let letters =
            digest.iter().take(LETTERS_OF_AN_ID).map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        let text: String = "sub_".chars().chain(letters).collect();
        SubscriptionId::parse(&text).map_err(|e| Fault::broken(e.to_string()))
    }

    /// As `Store::import` says.
    pub(super) fn import(
        &self,
        rows: &mut dyn Iterator<Item = NewSubscription>,
        progress: &mut dyn FnMut(u64),
    ) -> Outcome<u64> {
        let mut done = 0_u64;
        let hot = Hot::new(&self.conn);
        for new in rows {
            self.import_one(&hot, new)?;
            done += 1;
            if done.is_multiple_of(PROGRESS_ROWS) {
                progress(done);
            }
        }
        progress(done);
        Ok(done)
    }

    fn import_one(&self, hot: &Hot<'_>, new: NewSubscription) -> Outcome<()> {
        let mut subscription = new.subscription;
        subscription.id = match new.id {
            Some(id) => id,
            None => self.next_subscription_id(&subscription.customer, subscription.created_at)?,
        };
        let row = match self.insert_subscription(&subscription) {
            Err(Fault::Refused(Refusal::Conflict(_))) => {
                let id = subscription.id.to_string();
                return Err(StoreError::Exists { what: "subscription", id }.into());
            }
            other => other?,
        };
        if new.billed_elsewhere > 0 {
            let reason = SkipReason::BilledElsewhere;
            self.skip_periods(row, 0, new.billed_elsewhere, reason, subscription.created_at)?;
        }
        let data = Some(created::packed(&subscription).into());
        let created = NewEvent {
            at: subscription.created_at,
            kind: EventKind::SubscriptionCreated,
            subscription: Some(subscription.id),
            invoice: None,
            data,
        };
        self.append_event(hot, &created)
    }
}

//! A closer look at one customer: what their cards mean for each of their subscriptions, and what they are told of it.
//!
//! Promises: whom the list did not show, or whose card looks bad, is read before anybody is flagged; one who cannot be
//! read is left to the next watch. Must never know: who wanted the look, or why.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Wanted, Watch, is_changed};
use crate::billing::card_seen::{self, ReadOtherwise};
use crate::billing::{CardSeen, RunError};
use crate::gateway::GatewayError;
use crate::hooks::kill_point;
use crate::model::{CardWarning, CustomerId, CustomerSnapshot, CustomerState, Transition};
use crate::rules::ending;
use crate::store::{CommitError, LaneClosed};

/// Customers with a new card who are tried at once, in one watch: the others are by the next run of the schedule.
const MOST_TRIES_ASKED: u32 = 100;

impl Watch<'_> {
    pub(super) async fn look_at(&mut self, Wanted { id, read_at }: &Wanted) -> Result<(), RunError> {
        self.counts.customers += 1;
        let read_first = !self.is_believed(*read_at);
        let mut confirmed = read_first && self.read(id).await?;
        if read_first && !confirmed {
            return Ok(());
        }
        let mut seen = CardSeen::default();
        let wants_read = card_seen::news(self.billing, id, self.at, confirmed, &mut seen).await?;
        if wants_read && !confirmed {
            confirmed = self.read(id).await?;
            if confirmed {
                card_seen::news(self.billing, id, self.at, true, &mut seen).await?;
            }
        }
        self.seen.add(&seen);
        if seen.makes_a_try() && self.tries_asked < MOST_TRIES_ASKED {
            self.tries_asked += 1;
            card_seen::ask_for_a_try(self.billing, id).await?;
        }
        self.tell_ending(id).await
    }

    /// Whether what was read then may be believed: not, where the list did not show them (deleted, or moved on while the
    /// pages were turned), or showed them too long ago.
    fn is_believed(&self, read_at: Option<Timestamp>) -> bool {
        let fresh = self.billing.settings.cards.fresh;
        read_at.is_some_and(|read| read >= self.began && self.at.duration_since(read) <= fresh)
    }

    /// Reads one customer now; `false`: they could not be read.
    async fn read(&mut self, id: &CustomerId) -> Result<bool, RunError> {
        self.permit().await;
        match card_seen::read(self.billing, id, self.at).await {
            Ok(otherwise) => {
                // Who is read singly since the list shows only some of their cards may have another default too.
                if let Some(ReadOtherwise { before, .. }) =
                    otherwise.filter(|o| is_changed(&o.before, &o.now))
                {
                    self.tell_change(&before).await?;
                }
                Ok(true)
            }
            Err(RunError::Gateway(error @ GatewayError::Keys { .. })) => Err(error.into()),
            Err(RunError::Gateway(error)) => {
                tracing::warn!(customer = id.hashed(), %error, "a customer could not be read; nobody is flagged for it");
                self.counts.unread += 1;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Counts how the customer stands, and tells of cards that end: once for each, by the charge that comes first.
    async fn tell_ending(&mut self, id: &CustomerId) -> Result<(), RunError> {
        let wanted = id.clone();
        let Some(customer) = self.billing.lane.run(move |store| store.customer(&wanted)).await?? else {
            return Ok(());
        };
        self.count(&customer);
        let mut paying: BTreeMap<String, ending::PayingCard> = BTreeMap::new();
        let mut after = Some(0);
        while let Some(from) = after {
            let (page, next) = self.living(id, from).await?;
            after = next;
            let wishes = &self.billing.settings.cards;
            for card in page.iter().filter_map(|snapshot| ending::paying_card(snapshot, wishes, self.at)) {
                self.counts.misses_renewal += u64::from(card.misses_renewal);
                match paying.get_mut(card.card.id.as_str()) {
                    Some(known) => known.join(card),
                    None => drop(paying.insert(card.card.id.to_string(), card)),
                }
            }
        }
        for card in paying.values() {
            self.warn(card).await?;
        }
        Ok(())
    }

    async fn warn(&mut self, paying: &ending::PayingCard) -> Result<(), RunError> {
        let wishes = &self.billing.settings.cards;
        if ending::warn(paying, &[], wishes, self.at).is_empty() {
            return Ok(()); // It ends too late for any warning: what was told before need not be looked up.
        }
        let id = paying.customer.clone();
        let told: Vec<CardWarning> = self.billing.lane.run(move |store| store.card_warnings(&id)).await??;
        let transition: Transition = ending::warn(paying, &told, wishes, self.at);
        if transition.is_empty() {
            return Ok(());
        }
        kill_point("warning.before_commit");
        let answer = self.billing.lane.commit(transition).await;
        kill_point("warning.after_commit");
        match answer {
            Ok(_) => self.counts.warned += 1,
            // Somebody else told them meanwhile.
            Err(CommitError::Refused(refusal)) => tracing::debug!(%refusal, "a warning was not written"),
            Err(CommitError::Store(error)) => return Err(error.into()),
            Err(CommitError::Closed(_)) => return Err(LaneClosed.into()),
        }
        Ok(())
    }

    fn count(&mut self, customer: &CustomerSnapshot) {
        let longest = self.billing.settings.cards.warn_before.iter().copied().max().unwrap_or_default();
        let soon = self.at.saturating_add(longest).unwrap_or(Timestamp::MAX);
        let default = customer.default_card.as_ref();
        let ends = default.and_then(|id| customer.card(id)).map(|card| card.expiration.ends_at());
        let counts = &mut self.counts;
        match (customer.state, default, ends) {
            (CustomerState::Gone, ..) => counts.gone += 1,
            (CustomerState::Present, None, _) => counts.no_card += 1,
            (CustomerState::Present, Some(_), Some(ends)) if ends <= self.at => counts.ended += 1,
            (CustomerState::Present, Some(_), Some(ends)) if ends <= soon => counts.ending += 1,
            (CustomerState::Present | CustomerState::Unread, ..) => {}
        }
    }
}

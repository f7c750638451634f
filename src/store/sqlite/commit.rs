//! The one way to write what a decision changes: transitions, each whole or not at all, many in one durable transaction.

use jiff::Timestamp;

use super::super::{Refusal, StoreError};
use super::book::Book;
use super::fault::{Fault, Outcome};
use super::hot::Hot;
use crate::model::{Change, Transition};

impl Book {
    /// As `Store::commit` says. On a full disk intents are refused first: a batch without any frees the reserve and
    /// is tried once more.
    pub(super) fn commit(&mut self, batch: &[Transition]) -> Result<Vec<Result<(), Refusal>>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let has_intents = batch.iter().any(has_intent);
        if has_intents {
            self.takes_intents()?;
        }
        match self.write_all(batch) {
            Err(fault) if fault.is_full() && !has_intents && self.free_reserve() => {
                self.write_all(batch).map_err(|fault| self.out(fault))
            }
            other => other.map_err(|fault| self.out(fault)),
        }
    }

    /// As `Store::takes_intents` says.
    pub(super) fn takes_intents(&mut self) -> Result<(), StoreError> {
        if self.reserve.restore() { Ok(()) } else { Err(StoreError::Full { path: self.path.clone() }) }
    }

    /// First without savepoints, since refusals are rare and each savepoint copies every page that is touched after
    /// it; when one is refused, all over again with one savepoint each.
    fn write_all(&self, batch: &[Transition]) -> Outcome<Vec<Result<(), Refusal>>> {
        match self.writing(|| self.apply_all(batch, |hot, transition| self.apply(hot, transition).map(Ok))) {
            Err(fault) if fault.is_refusal() => {
                self.writing(|| self.apply_all(batch, |hot, transition| self.apply_alone(hot, transition)))
            }
            other => other,
        }
    }

    fn apply_all(
        &self,
        batch: &[Transition],
        apply: impl Fn(&Hot<'_>, &Transition) -> Outcome<Result<(), Refusal>>,
    ) -> Outcome<Vec<Result<(), Refusal>>> {
        let hot = Hot::new(&self.conn);
        let charges = batch.iter().any(|transition| transition.epoch.is_some());
        let epoch = if charges { self.epoch()? } else { 0 };
        let mut answers = Vec::with_capacity(batch.len());
        for transition in batch {
            let answer = match transition.epoch {
                Some(ours) if ours.0 != epoch => Err(Refusal::Fenced { found: epoch, ours: ours.0 }),
                _ => apply(&hot, transition)?,
            };
            answers.push(answer);
        }
        if batch.iter().zip(&answers).any(|(t, answer)| t.epoch.is_some() && answer.is_ok()) {
            self.sql("UPDATE book SET commits = commits + 1")?.execute([])?;
        }
        Ok(answers)
    }

    fn epoch(&self) -> Outcome<i64> {
        Ok(self.sql("SELECT epoch FROM book")?.query_row([], |row| row.get(0))?)
    }

    /// The outer error ends the whole batch.
    fn apply_alone(&self, hot: &Hot<'_>, transition: &Transition) -> Outcome<Result<(), Refusal>> {
        match self.apart(|| self.apply(hot, transition)) {
            Ok(()) => Ok(Ok(())),
            Err(fault) if fault.is_refusal() => Ok(Err(fault.into_refusal())),
            Err(fault) => Err(fault),
        }
    }

    fn apply(&self, hot: &Hot<'_>, transition: &Transition) -> Outcome<()> {
        // What is noted without an instant of its own carries that of the transition's first event.
        let at = transition.events.first().map(|event| event.at);
        for change in &transition.changes {
            self.change(hot, change, at)?;
        }
        for event in &transition.events {
            self.append_event(hot, event)?;
        }
        Ok(())
    }

    fn change(&self, hot: &Hot<'_>, change: &Change, at: Option<Timestamp>) -> Outcome<()> {
        match change {
            Change::InsertSubscription(s) => self.insert_subscription(s).map(|_| ()),
            Change::UpdateSubscription(s) => self.update_subscription(hot, s),
            Change::InsertInvoice(v) => self.insert_invoice(hot, v),
            Change::UpdateInvoice(v) => self.update_invoice(hot, v),
            Change::InsertAttempt(a) => self.insert_attempt(hot, a),
            Change::UpdateAttempt { attempt, from } => self.update_attempt(hot, attempt, *from),
            Change::SkipPeriods { subscription, from, to, reason } => {
                let at = at.ok_or_else(|| Fault::broken("skipped periods need an event that says when"))?;
                let row = self.known_subscription(subscription)?.row;
                self.skip_periods(row, *from, *to, *reason, at)
            }
            Change::UpdateCustomer(c) => self.update_customer(c),
            Change::RaiseFlag(flag) => self.raise_flag(flag),
            Change::ClearFlags { subscription, reason, at } => self.clear_flags(subscription, *reason, *at),
            Change::NoteReversal(seen) => self.note_reversal(seen),
            Change::WarnCard { customer, warning, at } => self.warn_card(customer, warning, *at),
            Change::RecordDecline { customer, decline } => self.record_decline(customer, decline),
        }
    }

    /// Gives the reserve's room to the book; `false`: there was none left to give.
    fn free_reserve(&mut self) -> bool {
        self.reserve.free(&self.conn)
    }
}

fn has_intent(transition: &Transition) -> bool {
    transition.changes.iter().any(|change| matches!(change, Change::InsertAttempt(_)))
}

//! A decision in the making: a working copy of the snapshot, whose difference to the original is the transition.
//!
//! Promises: a row is written only if it changed, once, naming the version that was read; so whatever moved in
//! the book meanwhile refuses the whole. The copy after `finish` is the book as it then stands.
//! Must never know: why anything changes.

use serde_json::Value;

use jiff::Timestamp;

use crate::model::{
    Attempt, AttemptId, CardDecline, Change, Epoch, EventKind, FlagReason, InvoiceId, NewEvent, OpenInvoice,
    SkipReason, Snapshot, Transition,
};

/// A decision in the making.
pub(super) struct Draft<'a> {
    before: &'a Snapshot,
    /// The working copy. Its first invoices, and their first attempts, are those of the original, in order:
    /// new ones are only ever added behind them.
    pub now: Snapshot,
    skips: Vec<Change>,
    declines: Vec<Change>,
    events: Vec<NewEvent>,
    guards: bool,
}

impl<'a> Draft<'a> {
    /// Nothing decided yet.
    pub fn new(before: &'a Snapshot) -> Self {
        Self {
            before,
            now: before.clone(),
            skips: Vec::new(),
            declines: Vec::new(),
            events: Vec::new(),
            guards: false,
        }
    }

    /// Whether nothing was decided so far.
    pub fn is_unchanged(&self) -> bool {
        self.now == *self.before
            && self.skips.is_empty()
            && self.declines.is_empty()
            && self.events.is_empty()
    }

    /// Writes the subscription's row even if it stays the same, so that a change of it meanwhile is noticed.
    pub const fn guard_subscription(&mut self) {
        self.guards = true;
    }

    /// Notes what happened to the subscription.
    pub fn event(&mut self, at: Timestamp, kind: EventKind, data: Option<&Value>) {
        self.note(at, kind, None, data);
    }

    /// Notes what happened to one of its invoices.
    pub fn invoice_event(
        &mut self,
        at: Timestamp,
        kind: EventKind,
        invoice: &InvoiceId,
        data: Option<&Value>,
    ) {
        self.note(at, kind, Some(invoice), data);
    }

    /// Says more of the last thing that happened of that kind, where something did.
    pub fn say_of_last(&mut self, kind: EventKind, data: &Value) {
        if let Some(event) = self.events.iter_mut().rev().find(|event| event.kind == kind) {
            event.data = Some(data.to_string().into());
        }
    }

    fn note(&mut self, at: Timestamp, kind: EventKind, invoice: Option<&InvoiceId>, data: Option<&Value>) {
        self.events.push(NewEvent {
            at,
            kind,
            subscription: Some(self.now.subscription.id.clone()),
            invoice: invoice.cloned(),
            data: data.map(|value| value.to_string().into()),
        });
    }

    /// Periods `from..to` will never be billed. Nothing for an empty range.
    pub fn skip(&mut self, from: u32, to: u32, reason: SkipReason) {
        if from < to {
            let subscription = self.now.subscription.id.clone();
            self.skips.push(Change::SkipPeriods { subscription, from, to, reason });
        }
    }

    /// A decline to count towards the card's budget.
    pub fn decline(&mut self, decline: CardDecline) {
        self.now.declines.push(decline.clone());
        let customer = self.now.customer.id.clone();
        self.declines.push(Change::RecordDecline { customer, decline });
    }

    /// Where an attempt stands in the working copy: the invoice's place and its own.
    pub fn find(&self, attempt: &AttemptId) -> Option<(usize, usize)> {
        let place = self.now.invoices.iter().position(|open| open.invoice.id == attempt.invoice)?;
        let number = self.now.invoices[place].attempts.iter().position(|a| a.id == *attempt)?;
        Some((place, number))
    }

    /// The attempt at that place as it was read; `None`: it is new.
    pub fn as_read(&self, place: usize, number: usize) -> Option<&'a Attempt> {
        self.before.invoices.get(place)?.attempts.get(number)
    }

    /// The transition that leads from the original to the working copy, and that copy with the versions that its
    /// rows then have.
    pub fn finish(mut self, epoch: Option<Epoch>) -> (Transition, Snapshot) {
        let mut changes = self.rows();
        changes.append(&mut self.skips);
        changes.append(&mut self.declines);
        changes.extend(self.flags());
        (Transition { epoch, changes, events: self.events }, self.now)
    }

    /// Like `finish`, for who needs the transition alone.
    pub fn transition(self, epoch: Option<Epoch>) -> Transition {
        self.finish(epoch).0
    }

    fn rows(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.now.customer != self.before.customer {
            changes.push(Change::UpdateCustomer(self.now.customer.clone()));
            self.now.customer.version = self.now.customer.version.next();
        }
        if self.guards || self.now.subscription != self.before.subscription {
            changes.push(Change::UpdateSubscription(self.now.subscription.clone()));
            self.now.subscription.version = self.now.subscription.version.next();
        }
        for (place, open) in self.now.invoices.iter_mut().enumerate() {
            let before = self.before.invoices.get(place);
            invoice_rows(open, before, &mut changes);
            attempt_rows(&open.attempts, before.map_or(&[], |b| &b.attempts), &mut changes);
        }
        changes
    }

    fn flags(&self) -> Vec<Change> {
        let mut changes = Vec::new();
        for flag in &self.before.flags {
            if !self.now.flags.contains(flag) {
                changes.push(Change::ClearFlags {
                    subscription: flag.subscription.clone(),
                    reason: Some(flag.reason),
                    at: flag_end(&self.events, flag.since),
                });
            }
        }
        let new = self.now.flags.iter().filter(|flag| !self.before.flags.contains(flag));
        changes.extend(new.cloned().map(Change::RaiseFlag));
        changes
    }

    /// Whether a flag of that reason stands.
    pub fn flagged(&self, reason: FlagReason) -> bool {
        self.now.flags.iter().any(|flag| flag.reason == reason)
    }
}

/// When the flags were cleared: the instant of the event that says so.
fn flag_end(events: &[NewEvent], since: Timestamp) -> Timestamp {
    events.iter().rev().find(|e| e.kind == EventKind::FlagCleared).map_or(since, |e| e.at)
}

fn invoice_rows(open: &mut OpenInvoice, before: Option<&OpenInvoice>, changes: &mut Vec<Change>) {
    match before {
        None => changes.push(Change::InsertInvoice(open.invoice.clone())),
        Some(before) if before.invoice != open.invoice => {
            changes.push(Change::UpdateInvoice(open.invoice.clone()));
            open.invoice.version = open.invoice.version.next();
        }
        Some(_) => {}
    }
}

fn attempt_rows(now: &[Attempt], before: &[Attempt], changes: &mut Vec<Change>) {
    for (place, attempt) in now.iter().enumerate() {
        match before.get(place) {
            None => changes.push(Change::InsertAttempt(attempt.clone())),
            Some(before) if before != attempt => {
                changes.push(Change::UpdateAttempt { attempt: attempt.clone(), from: before.status });
            }
            Some(_) => {}
        }
    }
}

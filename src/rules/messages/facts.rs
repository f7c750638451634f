//! What an event and its subscription say, as the facts of a message.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::model::{
    Attempt, AttemptStatus, CardId, CardLook, DeclineKind, Event, Facts, InvoiceStatus, Message, MessageKind,
    OpenInvoice, Snapshot, SubscriptionId,
};

/// What a message is made from.
pub(super) struct Ground<'a> {
    pub(super) event: &'a Event,
    /// What the event says besides; `Null`: nothing.
    pub(super) data: Value,
    pub(super) snapshot: &'a Snapshot,
}

impl<'a> Ground<'a> {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.data[name].as_str()
    }

    pub(super) fn instant(&self, name: &str) -> Option<Timestamp> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn decline_kind(&self) -> Option<DeclineKind> {
        self.text("decline").and_then(DeclineKind::from_word)
    }

    pub(super) const fn subscription(&self) -> &SubscriptionId {
        &self.snapshot.subscription.id
    }

    /// The subscription and the instant of the event: what an outcome without an invoice is called.
    pub(super) fn since(&self) -> String {
        format!("{}/{}", self.subscription(), self.event.at.as_second())
    }

    /// The event's invoice; `None`: it names none, or the book does not show it any more.
    fn open(&self) -> Option<&'a OpenInvoice> {
        let id = self.event.invoice.as_ref()?;
        self.snapshot.invoices.iter().find(|open| open.invoice.id == *id)
    }

    /// The attempt that the event names.
    fn attempt(&self) -> Option<&'a Attempt> {
        let id = self.text("attempt")?;
        self.open()?.attempts.iter().find(|attempt| attempt.id.to_string() == id)
    }

    pub(super) fn message(&self, kind: MessageKind, outcome: &str, facts: Facts) -> Message {
        message(self.snapshot, kind, outcome, self.event.at, facts)
    }

    /// About an invoice as a whole.
    pub(super) fn invoice_message(&self, kind: MessageKind) -> Option<Message> {
        let open = self.open()?;
        Some(self.message(kind, &open.invoice.id.to_string(), invoice_facts(self.snapshot, open)))
    }

    /// About one attempt, with the card it was made with.
    pub(super) fn attempt_message(&self, kind: MessageKind) -> Option<Message> {
        let (open, attempt) = (self.open()?, self.attempt()?);
        let facts = Facts {
            attempt: Some(attempt.id.clone()),
            charge: attempt.charge.clone(),
            card: look(self.snapshot, attempt.card.as_ref()),
            ..invoice_facts(self.snapshot, open)
        };
        Some(self.message(kind, &attempt.id.to_string(), facts))
    }

    /// A payment that waits for its customer, told of once and with each reminder; `None`: it is in flight, and nobody
    /// needs to do anything.
    pub(super) fn waits_for_customer(&self) -> Option<Message> {
        let mut message = self.attempt_message(MessageKind::ActionNeeded)?;
        message.facts.action_url = Some(self.text("authorize_uri")?.into());
        if let Some(reminder) = self.data["reminder"].as_u64() {
            message.key = format!("{}/reminder/{reminder}", message.key).into();
        }
        Some(message)
    }

    /// The receipt; `None`: money moved, but not the invoice's own sum, so that none can say what came in.
    pub(super) fn paid(&self) -> Option<Message> {
        if self.text("mismatch").is_some() {
            return None;
        }
        let open = self.open()?;
        let mut message = self.invoice_message(MessageKind::InvoicePaid)?;
        let by = open.attempts.iter().find(|attempt| attempt.status == AttemptStatus::Succeeded);
        message.facts.attempt = by.map(|attempt| attempt.id.clone());
        message.facts.charge = by.and_then(|attempt| attempt.charge.clone());
        message.facts.card = by.and_then(|attempt| look(self.snapshot, Some(attempt.card.as_ref()?)));
        message.facts.recovered = trouble_was_told(open, self.event.at);
        Some(message)
    }

    /// About the oldest invoice that waits behind a flag.
    pub(super) fn flag_message(&self, kind: MessageKind) -> Message {
        let waiting = self.snapshot.invoices.iter().find(|open| open.invoice.status == InvoiceStatus::Open);
        let card = self.snapshot.subscription.card.as_ref();
        let facts = Facts {
            card: look(self.snapshot, card),
            ..waiting.map_or_else(|| self.subscription_facts(), |open| invoice_facts(self.snapshot, open))
        };
        self.message(kind, &self.since(), facts)
    }

    pub(super) fn subscription_facts(&self) -> Facts {
        subscription_facts(self.snapshot)
    }

    /// Nobody knows what became of the attempt.
    pub(super) fn doubt(&self) -> Message {
        let known = self.attempt_message(MessageKind::DoubtNeedsPerson);
        let mut message = known.unwrap_or_else(|| {
            let outcome = self.text("attempt").map_or_else(|| self.since(), str::to_owned);
            self.message(MessageKind::DoubtNeedsPerson, &outcome, self.subscription_facts())
        });
        message.facts.reason = self.text("reason").map(Into::into);
        message
    }

    /// When the silence after the invoice's first decline ends; `None`: its policy wishes none.
    pub(super) fn silent_until(&self) -> Option<Timestamp> {
        silent_until(self.open()?)
    }
}

/// A message about that subscription.
pub(super) fn message(
    snapshot: &Snapshot,
    kind: MessageKind,
    outcome: &str,
    at: Timestamp,
    facts: Facts,
) -> Message {
    Message {
        key: format!("{kind}/{outcome}").into(),
        kind,
        at,
        customer: Some(snapshot.customer.id.clone()),
        zone: snapshot.subscription.zone.clone(),
        facts,
    }
}

pub(super) fn subscription_facts(snapshot: &Snapshot) -> Facts {
    Facts {
        subscription: Some(snapshot.subscription.id.clone()),
        plan: Some(snapshot.plan.terms.name.as_str().into()),
        ..Facts::default()
    }
}

fn invoice_facts(snapshot: &Snapshot, open: &OpenInvoice) -> Facts {
    Facts {
        invoice: Some(open.invoice.id.clone()),
        plan: Some(open.plan.terms.name.as_str().into()),
        amount: Some(open.invoice.amount),
        period: Some(open.invoice.period),
        ..subscription_facts(snapshot)
    }
}

/// That card as it was last read, or the default one; `None`: there is none.
pub(super) fn look(snapshot: &Snapshot, card: Option<&CardId>) -> Option<CardLook> {
    let card = snapshot.customer.card(card.or(snapshot.customer.default_card.as_ref())?)?;
    Some(CardLook {
        brand: card.brand.clone(),
        last_digits: card.last_digits.clone(),
        expiration: card.expiration,
    })
}

pub(super) fn silent_until(open: &OpenInvoice) -> Option<Timestamp> {
    let silent = open.plan.terms.dunning.silent?;
    let first = open.attempts.iter().find(|attempt| attempt.status == AttemptStatus::Declined)?;
    first.resolved_at?.checked_add(SignedDuration::from_secs(i64::try_from(silent.seconds()).ok()?)).ok()
}

/// Whether a decline of that invoice was told of before `at`: one without silence, or whose next try came after it,
/// or that the silence outlasted.
fn trouble_was_told(open: &OpenInvoice, at: Timestamp) -> bool {
    let silent_until = silent_until(open);
    let mut declines = open.attempts.iter().enumerate().filter(|(_, a)| a.status == AttemptStatus::Declined);
    declines.any(|(place, _)| {
        let next = open.attempts.get(place + 1).map(|next| next.intended_at);
        let held = next.zip(silent_until).is_some_and(|(next, until)| next <= until && at <= until);
        !held
    })
}

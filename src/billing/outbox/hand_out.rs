//! Hands messages out to be delivered, and writes down what became of them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::{Billing, RunError};
use crate::gateway::GatewayError;
use crate::hooks::kill_point;
use crate::model::settings::Notify;
use crate::model::{Channel, Delivered, Delivery, Message, MessageMark, OutboxRow, Recipient, Snapshot};
use crate::rules::messages::{News, next_delivery, still_news};
use crate::store::{Store, StoreError};

/// Beyond two calls of the provider: letters and webhooks have deadlines of a minute at most, and few go at once.
const LOST_BESIDES_CALLS: SignedDuration = SignedDuration::from_mins(15);
/// Where the provider cannot tell an address now.
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// Reads of addresses take this part of the allowance of requests at most, so that charges keep theirs.
const PART_OF_ALLOWANCE: u64 = 4;

/// What was taken from the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandedOut {
    /// How many rows were taken: none means that nothing is due.
    pub taken: usize,
    /// Those that are to be delivered now.
    pub deliveries: Vec<Delivery>,
}

/// Takes up to `limit` messages of that channel that are due. What is no news any more is marked so, letters wait for
/// the end of their customer's quiet hours, and customers' addresses are read at this moment.
pub async fn hand_out(
    billing: &Billing,
    wishes: &Notify,
    channel: Channel,
    limit: usize,
) -> Result<HandedOut, RunError> {
    let (wanted, now) = (wishes.clone(), billing.clock.now());
    let lost_at = now.saturating_add(billing.settings.timeout * 2 + LOST_BESIDES_CALLS).unwrap_or(now);
    let taken = billing.lane.run(move |store| {
        let rows = store.take_messages(channel, now, lost_at, limit)?;
        let mut good = Vec::new();
        for row in &rows {
            match judge(store, row, &wanted, now)? {
                Judged::Good(message) => good.push((row.row, row.tries, *message)),
                Judged::Marked(mark) => store.mark_message(row.row, &mark, now)?,
            }
        }
        Ok::<_, StoreError>((rows.len(), good))
    });
    let (taken, good) = taken.await??;
    let mut deliveries = Vec::new();
    let mut provider_away: Option<MessageMark> = None;
    for (row, tries, message) in good {
        let to = match (&provider_away, asks(channel, &message)) {
            // One silence is enough: the others are not waited for.
            (Some(mark), true) => Err(mark.clone()),
            _ => recipient(billing, channel, &message).await,
        };
        match to {
            Ok(to) => deliveries.push(Delivery { row, channel, message, to, tries }),
            Err(mark) => {
                provider_away = Some(mark.clone()).filter(|mark| matches!(mark, MessageMark::Waits { .. }));
                write(billing, row, mark).await?;
            }
        }
    }
    Ok(HandedOut { taken, deliveries })
}

/// Writes down what a delivery came to. A crash before this delivers it again: the receiver knows it by its key.
pub async fn mark(billing: &Billing, delivery: &Delivery, came_to: Delivered) -> Result<(), RunError> {
    let now = billing.clock.now();
    let mark = match came_to {
        Delivered::Sent => MessageMark::Sent,
        Delivered::Refused(why) => MessageMark::GivenUp(why),
        Delivered::Failed(why) => match next_delivery(delivery.tries, now) {
            Some(until) => MessageMark::Waits { until, why: Some(why), tried: true },
            None => MessageMark::GivenUp(why),
        },
    };
    kill_point("message.before_mark");
    write(billing, delivery.row, mark).await?;
    kill_point("message.after_mark");
    Ok(())
}

async fn write(billing: &Billing, row: i64, mark: MessageMark) -> Result<(), RunError> {
    let now = billing.clock.now();
    Ok(billing.lane.run(move |store| store.mark_message(row, &mark, now)).await??)
}

enum Judged {
    Good(Box<Message>),
    Marked(MessageMark),
}

fn judge(
    store: &mut dyn Store,
    row: &OutboxRow,
    wishes: &Notify,
    now: Timestamp,
) -> Result<Judged, StoreError> {
    let Some(message) = &row.message else {
        return Ok(Judged::Marked(MessageMark::Moot("it says nothing any more".into())));
    };
    let waits = |until| Judged::Marked(MessageMark::Waits { until, why: None, tried: false });
    // A machine is told what happened even if more has happened since, unless the message was held for that.
    let must_be_so = row.channel == Channel::Email || row.not_before.is_some();
    if must_be_so && let Some(snapshot) = ground(store, message)? {
        match still_news(message, &snapshot, now) {
            News::Tell => {}
            News::Wait(until) => return Ok(waits(until)),
            News::Moot(why) => return Ok(Judged::Marked(MessageMark::Moot(why.into()))),
        }
    }
    let quiet = wishes.quiet.filter(|_| row.channel == Channel::Email && !message.kind.is_for_merchant());
    if let Some(until) = quiet.and_then(|quiet| quiet.ends(now, &message.zone)) {
        return Ok(waits(until));
    }
    Ok(Judged::Good(Box::new(message.clone())))
}

/// The subscription that a message is about, with the invoice it names; `None`: it is about none.
fn ground(store: &mut dyn Store, message: &Message) -> Result<Option<Snapshot>, StoreError> {
    match (&message.facts.invoice, &message.facts.subscription) {
        (Some(invoice), _) => store.snapshot_of_invoice(invoice),
        (None, Some(subscription)) => store.snapshot(subscription),
        (None, None) => Ok(None),
    }
}

/// Whether an address must be asked for.
const fn asks(channel: Channel, message: &Message) -> bool {
    matches!(channel, Channel::Email) && !message.kind.is_for_merchant() && message.customer.is_some()
}

/// To whom it goes, or why it does not go now.
async fn recipient(billing: &Billing, channel: Channel, message: &Message) -> Result<Recipient, MessageMark> {
    let customer = message.customer.as_ref().filter(|_| asks(channel, message));
    let Some(customer) = customer else { return Ok(Recipient::Merchant) };
    tokio::time::sleep(between_reads(billing)).await;
    match billing.gateway.contact(customer).await {
        Ok(Some(contact)) => Ok(Recipient::Customer(contact)),
        Ok(None) => Err(MessageMark::Moot("the provider knows no address of this customer".into())),
        Err(error) => {
            let until = billing.clock.now().saturating_add(ASK_AGAIN).unwrap_or(Timestamp::MAX);
            let why = match error {
                GatewayError::Refused { code, .. } => {
                    format!("the provider refused to tell the address: {code}")
                }
                other => other.to_string(),
            };
            Err(MessageMark::Waits { until, why: Some(why), tried: false })
        }
    }
}

fn between_reads(billing: &Billing) -> Duration {
    let milli_per_s = u64::from(billing.settings.rate.0).max(1);
    Duration::from_micros(PART_OF_ALLOWANCE * 1_000_000_000 / milli_per_s)
}

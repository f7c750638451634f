//! `dues why SUB`: how this subscription got where it is, and what happens next and when.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{self, Act};
use super::context::Context;
use super::exit::{Exit, Failure};
use super::output::Output;
use super::rows::{
    AttemptLine, CustomerLine, EventLine, FlagLine, InvoiceLine, Row as _, SubscriptionLine, data_told,
    grouped, rfc3339, short,
};
use crate::billing::why::{self, Story};
use crate::model::{AttemptStatus, SkipReason, SubscriptionId, Zone};
use crate::store::SkippedPeriods;

/// People are told that many of the last invoices and diary lines; programs all of them.
const LAST_FOR_PEOPLE: usize = 12;

/// About which.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  dues why sub_7k2m9qx4\n  dues why sub_7k2m9qx4 --json | jq .next")]
pub struct WhyArgs {
    /// The subscription
    #[arg(value_name = "SUB")]
    subscription: SubscriptionId,
    /// Why it is looked at, for the access record beside the book: the story shows a customer's card
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Tells its story.
pub(super) fn run(args: &WhyArgs, context: &Context) -> Result<Exit, Failure> {
    context.need_book()?;
    access::note(context, Act::on_object("why", args.subscription.as_str()), args.reason.as_deref())?;
    let mut store = context.book()?;
    let circumstances = context.circumstances(&mut store)?;
    let told = why::story(&mut store, &args.subscription)?;
    let next = crate::rules::next_steps(&told.now, &circumstances);
    let mut out = Output::stdout(context.global.json);
    if context.global.json {
        out.object(&object(&told, &next, circumstances.at))?;
    } else {
        tell(&mut out, &told, &next, circumstances.at)?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

fn object(story: &Story, next: &[String], now: Timestamp) -> Value {
    let zone = &story.row.subscription.zone;
    let invoices: Vec<InvoiceLine> = story.invoices.iter().map(|row| InvoiceLine::of(row, now)).collect();
    let attempts: Vec<AttemptLine> = story.attempts.iter().map(|row| AttemptLine::of(row, zone)).collect();
    let flags: Vec<FlagLine> = story.flags.iter().map(|flag| FlagLine::of(flag, zone)).collect();
    let events: Vec<EventLine> = story.events.iter().map(|event| EventLine::of(event, zone)).collect();
    let skipped: Vec<Value> = story.skipped.iter().map(|skip| skipped_object(skip, zone)).collect();
    json!({
        "subscription": SubscriptionLine::of(&story.row),
        "plan": { "plan": story.now.plan.key, "version": story.now.plan.version, "terms": story.now.plan.terms },
        "customer": CustomerLine::of(&story.customer, zone),
        "invoices": invoices,
        "attempts": attempts,
        "flags": flags,
        "skipped": skipped,
        "events": events,
        "next": next,
    })
}

fn skipped_object(skip: &SkippedPeriods, zone: &Zone) -> Value {
    json!({ "from": skip.from, "to": skip.to, "reason": skip.reason, "at": rfc3339(skip.at, zone) })
}

fn tell(out: &mut Output, story: &Story, next: &[String], now: Timestamp) -> Result<(), Failure> {
    for line in facts(story) {
        out.line(&line)?;
    }
    let zone = &story.row.subscription.zone;
    part(out, "Flags", &story.flags, |flag| {
        let until = flag.until.map_or_else(|| "stands".to_owned(), |at| format!("until {}", short(at, zone)));
        format!("{} since {}, {until}: {}", flag.reason, short(flag.since, zone), flag.detail)
    })?;
    part(out, "Never billed", &story.skipped, |skip| {
        let periods = if skip.to - skip.from == 1 {
            format!("period {}", skip.from)
        } else {
            format!("periods {} to {}", skip.from, skip.to - 1)
        };
        let why = match skip.reason {
            // The only periods in which nothing could ever fall due.
            SkipReason::NotDue => format!("no time in it, {zone} left that day out of its calendar"),
            reason => reason.to_string(),
        };
        format!("{periods}: {why}, noted {}", short(skip.at, zone))
    })?;
    invoices(out, story, zone, now)?;
    part(out, "Diary", &story.events, |event| {
        let more = data_told(event, zone, Some(&story.now.plan));
        format!("{}  {} {more}", short(event.at, zone), event.kind).trim_end().to_owned()
    })?;
    out.line("\nNext")?;
    next.iter().try_for_each(|sentence| out.line(&format!("  {sentence}")))
}

fn facts(story: &Story) -> Vec<String> {
    let subscription = &story.row.subscription;
    let (zone, terms) = (&subscription.zone, &story.now.plan.terms);
    let card = match (&subscription.card, &story.now.customer.default_card) {
        (Some(card), _) => format!("its own, {}", known_card(story, card)),
        (None, Some(card)) => format!("the default, {}", known_card(story, card)),
        (None, None) => format!("the default; customer {}", story.now.customer.state),
    };
    let mut rows = vec![
        ("customer", subscription.customer.to_string()),
        (
            "plan",
            format!(
                "{} version {}: {} every {}",
                story.row.plan,
                story.row.plan_version,
                grouped(terms.price),
                terms.every
            ),
        ),
        ("status", subscription.status.to_string()),
        ("quantity", subscription.quantity.to_string()),
        ("card", card),
        ("counted from", format!("{} {zone}", subscription.anchor)),
    ];
    if let Some(pause) = subscription.pause {
        let until = pause.until.map_or_else(|| "`dues resume`".into(), |at| short(at, zone));
        rows.push(("paused", format!("by {} since {}, until {until}", pause.by, short(pause.since, zone))));
    }
    if let Some(at) = subscription.ended_at.or(subscription.cancel_at) {
        rows.push((if subscription.ended_at.is_some() { "ended" } else { "ends" }, short(at, zone)));
    }
    let mut lines = vec![format!("Subscription {}", subscription.id)];
    lines.extend(rows.into_iter().map(|(name, text)| format!("  {name:<13} {text}")));
    lines
}

fn known_card(story: &Story, id: &crate::model::CardId) -> String {
    story.now.customer.card(id).map_or_else(
        || id.to_string(),
        |card| format!("{} {} expires {} ({id})", card.brand, card.last_digits, card.expiration),
    )
}

/// A heading and the last lines of a part; nothing for an empty one.
fn part<T>(out: &mut Output, heading: &str, all: &[T], line: impl Fn(&T) -> String) -> Result<(), Failure> {
    if all.is_empty() {
        return Ok(());
    }
    out.line(&format!("\n{heading}"))?;
    let earlier = all.len().saturating_sub(LAST_FOR_PEOPLE);
    if earlier > 0 {
        out.line(&format!("  … {earlier} earlier: --json shows all"))?;
    }
    all[earlier..].iter().try_for_each(|one| out.line(&format!("  {}", line(one))))
}

fn invoices(out: &mut Output, story: &Story, zone: &Zone, now: Timestamp) -> Result<(), Failure> {
    part(out, "Invoices and attempts", &story.invoices, |row| {
        let cells = InvoiceLine::of(row, now).cells();
        let mut text = format!("{}  {}  {}  {}", cells[0], cells[1], cells[2], cells[3]);
        for attempt in story.attempts.iter().filter(|attempt| attempt.attempt.id.invoice == row.invoice.id) {
            let attempt = &attempt.attempt;
            let code = attempt.failure_code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
            let charge = attempt.charge.as_ref().map(|charge| format!(" {charge}")).unwrap_or_default();
            let intent = attempt.intent.as_ref();
            let act = match (
                attempt.status,
                intent.and_then(|i| i.reason.as_ref()),
                intent.and_then(|i| i.authorize_uri.as_ref()),
            ) {
                (AttemptStatus::Pending, Some(why), _) => format!("; {why}"),
                (AttemptStatus::Pending, None, Some(page)) => format!("; the customer must act at {page}"),
                _ => String::new(),
            };
            let at = short(attempt.intended_at, zone);
            let line = format!("\n    {}  {at}  {}{code}{charge}{act}", attempt.id.number, attempt.status);
            text.push_str(&line);
        }
        text
    })
}

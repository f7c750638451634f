//! Binds a moved or restored book to this host after it was compared with the provider's own list: charges that
//! the book had lost are taken in as doubt, and settled like any other. A second charge of an attempt that the book has
//! with another one, or as never charged, is an incident: a person is told of both, and nothing is given back.
//!
//! Promises: a book is bound only when it has every charge that it can have, and no run can charge an invoice again for
//! which one that it cannot have moves money. Attempts of one invoice follow each other, so lost ones are taken in one by
//! one, each once the one before it has ended; where one has not, the book stays unbound.

use jiff::Timestamp;
use serde_json::json;

use super::behind::{self, BEFORE_BOOK};
use super::doubt::Known;
use super::hold::hold_whatever_it_lacks;
use super::run::Run;
use super::{Billing, Part, RunError, RunOrder, doubt};
use crate::clock::Stopwatch;
use crate::gateway::Window;
use crate::hooks::kill_point;
use crate::model::{
    Attempt, AttemptId, AttemptStatus, ChargeSeen, Hold, InvoiceId, InvoiceStatus, RunReport, SeenStatus,
    Snapshot, StoppedBy,
};
use crate::rules::recover::TakenIn;
use crate::rules::{self, RuleError};
use crate::store::{CommitError, HostBinding, Refusal, Store, StoreError};

/// How often one charge is decided again in a row because its subscription changed meanwhile, in one pass.
const MOST_CONFLICTS: u32 = 32;

/// What adopting found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Charges of this book at the provider.
    pub charges: u64,
    /// Of these, the ones that the book had lost.
    pub taken_in: u64,
    /// Of these, the ones that contradict an attempt which the book has finished otherwise; each is an incident.
    pub contradicted: u64,
    /// What cannot be taken in, a sentence each: for a person. No run charges for any of it again.
    pub left: Vec<String>,
    /// What can be taken in once an attempt before it has ended, or once a person has mended what keeps it out, a sentence
    /// each. Empty: the book is bound.
    pub waits: Vec<String>,
    /// Until when nothing is charged, since what was under way may be listed late; `None`: the book is not bound.
    pub settles: Option<Timestamp>,
    /// How old and new doubt was settled.
    pub report: RunReport,
}

/// Compares the whole book with the provider's list, takes in what was lost, settles it, and binds the book to
/// `host`. The caller holds the charging lock.
pub async fn adopt(billing: &Billing, host: HostBinding) -> Result<Adopted, RunError> {
    let watch = Stopwatch::start();
    let calls_before = billing.gateway.calls();
    let order = RunOrder::default();
    let (run, run_id) = hold_whatever_it_lacks(billing, &order).await?;
    let report = run.tally().0.clone();
    let (left, waits) = (Vec::new(), Vec::new());
    let mut adopted =
        Adopted { charges: 0, taken_in: 0, contradicted: 0, left, waits, settles: None, report };
    doubt::settle(&run).await?;
    loop {
        let before = adopted.taken_in;
        compare(&run, &mut adopted).await?;
        doubt::settle(&run).await?;
        // Every further pass takes in one more, so that they end.
        if adopted.waits.is_empty() || adopted.taken_in == before || run.halted().is_some() {
            break;
        }
    }
    if !adopted.waits.is_empty() {
        adopted.report = run.finish_lacking(run_id, watch, calls_before).await?;
        return Ok(adopted);
    }
    let at = run.at;
    let (wire, settling) = (run.circumstances().wire, behind::settling(billing));
    kill_point("adopt.before_bind");
    billing
        .lane
        .run(move |store| {
            // The wait is in the book before anything may be charged from it.
            behind::note_adopted(store, at, &wire, settling)?;
            store.bind_host(&host)
        })
        .await??;
    kill_point("adopt.after_bind");
    adopted.settles = behind::settles_until(billing, wire.provider_now.or(Some(wire.wall_at)), &wire);
    adopted.report = run.finish_lacking(run_id, watch, calls_before).await?;
    Ok(adopted)
}

/// One pass over the list: what is known of it, what was lost and is taken in, what cannot be yet or at all.
async fn compare(run: &Run<'_>, adopted: &mut Adopted) -> Result<(), RunError> {
    adopted.charges = 0;
    adopted.left.clear();
    adopted.waits.clear();
    let facts = run.billing.lane.run(|store| store.facts()).await??;
    let wire = run.circumstances().wire;
    let from = facts.created_at.saturating_sub(BEFORE_BOOK).unwrap_or(Timestamp::UNIX_EPOCH);
    let window = Window { from, to: wire.provider_now.unwrap_or(wire.wall_at) };
    let installation = facts.installation.to_string();
    let mut offset = 0;
    let mut begun = false;
    loop {
        run.pace.permit().await;
        let page = run.billing.gateway.charges(window, offset).await?;
        if !std::mem::replace(&mut begun, true) {
            run.billing.watch.begin(Part::Doubt, Some(page.total));
        }
        let rows = page.rows.len() as u64;
        for seen in
            page.rows.iter().filter(|seen| seen.installation.as_deref() == Some(installation.as_str()))
        {
            adopted.charges += 1;
            match take_in(run, seen).await? {
                Taken::Known => {}
                Taken::In => adopted.taken_in += 1,
                Taken::Contradicts => adopted.contradicted += 1,
                Taken::Left(why) => {
                    tell(run, seen, &why).await?;
                    adopted.left.push(why);
                }
                Taken::Waits(why) => adopted.waits.push(why),
            }
        }
        run.billing.watch.advance(rows);
        offset += rows;
        if rows == 0 || offset >= page.total {
            if offset < page.total {
                let missing = page.total - offset;
                adopted.waits.push(format!("the provider's list ended {missing} rows before its end"));
            }
            run.billing.watch.end();
            return Ok(());
        }
    }
}

/// What a person must see to is an incident of the book, once: no run refuses the book for that charge then.
async fn tell(run: &Run<'_>, seen: &ChargeSeen, why: &str) -> Result<(), RunError> {
    let (charge, at) = (seen.charge.clone(), run.at);
    let data = json!({ "charge": charge, "detail": why }).to_string();
    let told = run.billing.lane.run(move |store| {
        if behind::is_told(store, None, &charge)? { Ok(()) } else { store.note_incident(at, &data) }
    });
    Ok(told.await??)
}

enum Taken {
    Known,
    In,
    Contradicts,
    Left(String),
    Waits(String),
}

impl Taken {
    /// Of a charge that the book cannot have. `over`: no run charges for it again.
    fn unfit(over: bool, why: String) -> Self {
        if over { Self::Left(why) } else { Self::Waits(why) }
    }
}

async fn take_in(run: &Run<'_>, seen: &ChargeSeen) -> Result<Taken, RunError> {
    let charge = &seen.charge;
    let Some(id) = seen.attempt.as_deref().and_then(|text| text.parse::<AttemptId>().ok()) else {
        let why = format!(
            "charge {charge} names no attempt that can be read, so that nobody knows what it is for: set its metadata \
             `dues_attempt` right at the provider"
        );
        let invoice = seen.invoice.as_deref().and_then(|text| text.parse::<InvoiceId>().ok());
        return unfit(run, seen, invoice.as_ref(), why).await;
    };
    match take_in_as(run, &id, seen).await {
        Err(RunError::Store(error @ StoreError::Nonsense { .. })) => {
            let why = format!("charge {charge} of attempt {id} cannot be compared: {error}");
            Ok(Taken::unfit(is_over(run, &id.invoice).await?, why))
        }
        taken => taken,
    }
}

/// The same as that attempt.
async fn take_in_as(run: &Run<'_>, id: &AttemptId, seen: &ChargeSeen) -> Result<Taken, RunError> {
    let charge = &seen.charge;
    let mut conflicts = 0;
    loop {
        let wanted = id.clone();
        let snapshot = match run.billing.lane.run(move |store| read(store, &wanted)).await?? {
            Read::Known(known) => return against(run, &known, seen).await,
            Read::Lost(snapshot) => *snapshot,
            Read::NoSubscription => {
                return Ok(Taken::Left(format!(
                    "charge {charge} is of subscription {}, which this book does not have; if you make it again, let it \
                     start after what is paid",
                    id.invoice.subscription
                )));
            }
        };
        if let Some(why) = waits_for(&snapshot, id, seen) {
            return Ok(Taken::Waits(why));
        }
        let (transition, whole) = match rules::recover::take_in(&snapshot, id, seen, &run.circumstances()) {
            Ok(TakenIn::Whole(transition)) => (transition, true),
            Ok(TakenIn::Part(transition)) => (transition, false),
            Ok(TakenIn::Never) => {
                return Ok(Taken::Left(format!(
                    "charge {charge} is for invoice {}, a period that this book skipped; refund it or keep it by hand",
                    id.invoice
                )));
            }
            Err(RuleError::Refused(why) | RuleError::Overflow(why)) => {
                let why = format!("charge {charge} of attempt {id}: {why}");
                return unfit(run, seen, Some(&id.invoice), why).await;
            }
        };
        kill_point("adopt.before_take");
        match run.billing.lane.commit(transition).await {
            Ok(transition) => {
                kill_point("adopt.after_take");
                run.tally().wrote(&transition);
                if whole {
                    return Ok(Taken::In);
                }
            }
            Err(CommitError::Refused(Refusal::Conflict(_))) if conflicts < MOST_CONFLICTS => conflicts += 1,
            Err(CommitError::Refused(refusal)) => {
                let why = format!("charge {charge} of attempt {id}: {refusal}");
                if matches!(refusal, Refusal::Fenced { .. }) {
                    run.halt(StoppedBy::Lease);
                    return Ok(Taken::Waits(why));
                }
                return unfit(run, seen, Some(&id.invoice), why).await;
            }
            Err(CommitError::Store(error)) => return Err(error.into()),
            Err(CommitError::Closed(_)) => return Err(crate::store::LaneClosed.into()),
        }
    }
}

/// What the book has of an attempt.
enum Read {
    Known(Box<Attempt>),
    Lost(Box<Snapshot>),
    NoSubscription,
}

/// The rest of the subscription is read only where its attempt is not known: what cannot be read there keeps nothing out
/// that is in the book.
fn read(store: &mut dyn Store, id: &AttemptId) -> Result<Read, StoreError> {
    if let Some(known) = store.attempt(id)? {
        return Ok(Read::Known(Box::new(known)));
    }
    let snapshot = match store.snapshot_of_invoice(&id.invoice)? {
        Some(snapshot) => Some(snapshot),
        None => store.snapshot(&id.invoice.subscription)?,
    };
    Ok(snapshot.map_or(Read::NoSubscription, |snapshot| Read::Lost(Box::new(snapshot))))
}

/// A charge that the book cannot have is a person's alone where it moves no money or its invoice takes no charge any more.
async fn unfit(
    run: &Run<'_>,
    seen: &ChargeSeen,
    invoice: Option<&InvoiceId>,
    why: String,
) -> Result<Taken, RunError> {
    let over = match invoice {
        _ if matches!(seen.status, SeenStatus::Failed(_) | SeenStatus::Ended(_)) => true,
        Some(invoice) => is_over(run, invoice).await?,
        None => false,
    };
    Ok(Taken::unfit(over, why))
}

/// Whether the book has that invoice and no run charges for it again: it is closed, or an incident holds it until a person
/// closes it. One that cannot be read is not.
async fn is_over(run: &Run<'_>, id: &InvoiceId) -> Result<bool, RunError> {
    let wanted = id.clone();
    match run.billing.lane.run(move |store| store.invoice(&wanted)).await? {
        Err(StoreError::Nonsense { .. }) => Ok(false),
        found => Ok(found?.is_some_and(|invoice| {
            invoice.status != InvoiceStatus::Open || invoice.hold == Some(Hold::Incident)
        })),
    }
}

/// Why the charge cannot be taken in yet: another attempt of its invoice has not ended in this book.
fn waits_for(snapshot: &Snapshot, id: &AttemptId, seen: &ChargeSeen) -> Option<String> {
    let open = snapshot.invoices.iter().find(|open| open.invoice.id == id.invoice)?;
    let first = open.attempts.iter().find(|attempt| !attempt.status.is_final())?;
    let end = match first.status {
        AttemptStatus::Manual => format!("end that one with `dues resolve {}`", first.id),
        _ => "that one is looked up by itself".to_owned(),
    };
    let (status, charge) = (first.status, &seen.charge);
    Some(format!(
        "charge {charge} of attempt {id} follows attempt {}, which is {status} here: {end}",
        first.id
    ))
}

/// What the charge means for an attempt that the book has.
async fn against(run: &Run<'_>, known: &Attempt, seen: &ChargeSeen) -> Result<Taken, RunError> {
    // Whatever is unfinished was just looked up, and is looked up again.
    let fits = !known.status.is_final() || known.charge.as_ref() == Some(&seen.charge);
    let moved = seen.status == SeenStatus::Successful;
    if matches!(seen.status, SeenStatus::Failed(_) | SeenStatus::Ended(_))
        || (fits && !is_denied(known, moved))
    {
        return Ok(Taken::Known);
    }
    if is_told(run, known, seen).await? {
        return Ok(Taken::Known);
    }
    let charge = &seen.charge;
    if moved {
        doubt::conclude(run, &known.id, &Known::Outcome(rules::outcome_of(seen))).await?;
        if is_told(run, known, seen).await? {
            return Ok(Taken::Contradicts);
        }
    }
    let ended = known.charge.as_ref().map_or_else(String::new, |charge| format!(" with charge {charge}"));
    let may = if moved { "moved money" } else { "may still move money" };
    let why = format!(
        "charge {charge} of attempt {} {may}: the book has the attempt as {}{ended}",
        known.id, known.status
    );
    unfit(run, seen, Some(&known.id.invoice), why).await
}

async fn is_told(run: &Run<'_>, known: &Attempt, seen: &ChargeSeen) -> Result<bool, RunError> {
    let (subscription, charge) = (known.id.invoice.subscription.clone(), seen.charge.clone());
    Ok(run.billing.lane.run(move |store| behind::is_told(store, Some(&subscription), &charge)).await??)
}

/// Whether the money moved by the very charge that the book has as failed.
fn is_denied(known: &Attempt, moved: bool) -> bool {
    moved && known.status.is_final() && known.status != AttemptStatus::Succeeded
}

//! Binds a moved or restored book to this host after it was compared with the provider's own list: charges that
//! the book had lost are taken in as doubt, and settled like any other. A second charge of an attempt that the book has
//! with another one, or as never charged, is an incident: a person is told of both, and nothing is given back.
//!
//! Promises: a book is bound only when it has every charge that it can have. Attempts of one invoice follow each other,
//! so lost ones are taken in one by one, each once the one before it has ended; where one has not, the book stays unbound.

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
use crate::model::{Attempt, AttemptId, AttemptStatus, ChargeSeen, RunReport, SeenStatus, Snapshot};
use crate::rules::{self, RuleError};
use crate::store::{CommitError, HostBinding, Refusal};

/// What adopting found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Charges of this book at the provider.
    pub charges: u64,
    /// Of these, the ones that the book had lost.
    pub taken_in: u64,
    /// Of these, the ones that contradict an attempt which the book has finished otherwise; each is an incident.
    pub contradicted: u64,
    /// What could not be taken in, a sentence each: for a person.
    pub left: Vec<String>,
    /// What can be taken in once an attempt before it has ended, a sentence each. Empty: the book is bound.
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
            store.bind_host(&host)?;
            behind::note_adopted(store, at, &wire, settling)
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

async fn take_in(run: &Run<'_>, seen: &ChargeSeen) -> Result<Taken, RunError> {
    let Some(id) = seen.attempt.as_deref().and_then(|text| text.parse::<AttemptId>().ok()) else {
        return Ok(Taken::Left(format!("charge {} names no attempt that can be read", seen.charge)));
    };
    loop {
        let wanted = id.clone();
        let (known, snapshot) = run
            .billing
            .lane
            .run(move |store| {
                let known = store.attempt(&wanted)?;
                let snapshot = match store.snapshot_of_invoice(&wanted.invoice)? {
                    Some(snapshot) => Some(snapshot),
                    None => store.snapshot(&wanted.invoice.subscription)?,
                };
                Ok::<_, crate::store::StoreError>((known, snapshot))
            })
            .await??;
        if let Some(known) = known {
            return against(run, &known, seen).await;
        }
        let Some(snapshot) = snapshot else {
            return Ok(Taken::Left(format!(
                "charge {} is of subscription {}, which this book does not have",
                seen.charge, id.invoice.subscription
            )));
        };
        if let Some(why) = waits_for(&snapshot, &id, seen) {
            return Ok(Taken::Waits(why));
        }
        let transition = match rules::recover::take_in(&snapshot, &id, seen, &run.circumstances()) {
            Ok(transition) => transition,
            Err(RuleError::Refused(why) | RuleError::Overflow(why)) => return Ok(Taken::Left(why)),
        };
        kill_point("adopt.before_take");
        match run.billing.lane.commit(transition).await {
            Ok(transition) => {
                kill_point("adopt.after_take");
                run.tally().wrote(&transition);
                return Ok(Taken::In);
            }
            Err(CommitError::Refused(Refusal::Conflict(_))) => {}
            Err(CommitError::Refused(refusal)) => {
                return Ok(Taken::Left(format!("charge {}: {refusal}", seen.charge)));
            }
            Err(CommitError::Store(error)) => return Err(error.into()),
            Err(CommitError::Closed(_)) => return Err(crate::store::LaneClosed.into()),
        }
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
    let (subscription, charge) = (known.id.invoice.subscription.clone(), seen.charge.clone());
    if run.billing.lane.run(move |store| behind::is_told(store, Some(&subscription), &charge)).await?? {
        return Ok(Taken::Known);
    }
    if moved {
        doubt::conclude(run, &known.id, &Known::Outcome(rules::outcome_of(seen))).await?;
        return Ok(Taken::Contradicts);
    }
    let ended = known.charge.as_ref().map_or_else(String::new, |charge| format!(" with charge {charge}"));
    Ok(Taken::Left(format!(
        "charge {} of attempt {} may still move money: the book has the attempt as {}{ended}",
        seen.charge, known.id, known.status
    )))
}

/// Whether the money moved by the very charge that the book has as failed.
fn is_denied(known: &Attempt, moved: bool) -> bool {
    moved && known.status.is_final() && known.status != AttemptStatus::Succeeded
}

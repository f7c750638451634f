//! Binds a moved or restored book to this host after it was compared with the provider's own list: charges that
//! the book had lost are taken in as doubt, and settled like any other.

use jiff::{SignedDuration, Timestamp};

use super::hold::hold;
use super::run::Run;
use super::{Billing, Part, RunError, RunOrder, doubt};
use crate::clock::Stopwatch;
use crate::gateway::Window;
use crate::hooks::kill_point;
use crate::model::{AttemptId, ChargeSeen, RunReport};
use crate::rules::{self, RuleError};
use crate::store::{CommitError, HostBinding, Refusal};

/// Before the book's own beginning, for clocks that differ.
const BEFORE_BOOK: SignedDuration = SignedDuration::from_hours(1);

/// What adopting found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Charges of this book at the provider.
    pub charges: u64,
    /// Of these, the ones that the book had lost.
    pub taken_in: u64,
    /// What could not be taken in, a sentence each: for a person.
    pub left: Vec<String>,
    /// How old and new doubt was settled.
    pub report: RunReport,
}

/// Compares the whole book with the provider's list, takes in what was lost, settles it, and binds the book to
/// `host`. The caller holds the charging lock.
pub async fn adopt(billing: &Billing, host: HostBinding) -> Result<Adopted, RunError> {
    let watch = Stopwatch::start();
    let calls_before = billing.gateway.calls();
    let order = RunOrder::default();
    let (run, run_id) = hold(billing, &order).await?;
    let mut adopted = Adopted { charges: 0, taken_in: 0, left: Vec::new(), report: run.tally().0.clone() };
    doubt::settle(&run).await?;
    compare(&run, &mut adopted).await?;
    doubt::settle(&run).await?;
    let at = run.at;
    kill_point("adopt.before_bind");
    billing
        .lane
        .run(move |store| {
            store.bind_host(&host)?;
            store.note_adopted(at)
        })
        .await??;
    kill_point("adopt.after_bind");
    adopted.report = run.finish(run_id, watch, calls_before).await?;
    Ok(adopted)
}

async fn compare(run: &Run<'_>, adopted: &mut Adopted) -> Result<(), RunError> {
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
                Taken::Left(why) => adopted.left.push(why),
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

enum Taken {
    Known,
    In,
    Left(String),
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
                let known = store.attempt(&wanted)?.is_some();
                let snapshot = match store.snapshot_of_invoice(&wanted.invoice)? {
                    Some(snapshot) => Some(snapshot),
                    None => store.snapshot(&wanted.invoice.subscription)?,
                };
                Ok::<_, crate::store::StoreError>((known, snapshot))
            })
            .await??;
        if known {
            return Ok(Taken::Known);
        }
        let Some(snapshot) = snapshot else {
            return Ok(Taken::Left(format!(
                "charge {} is of subscription {}, which this book does not have",
                seen.charge, id.invoice.subscription
            )));
        };
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

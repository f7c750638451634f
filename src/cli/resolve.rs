//! `dues resolve ATTEMPT`: a person ends an attempt that nobody else can.

use clap::{ArgGroup, Args};

use super::context::Context;
use super::exit::{Exit, Failure};
use super::standing;
use crate::billing::orders::{self, OrderError};
use crate::gateway::Gateway as _;
use crate::model::{Attempt, AttemptId, AttemptStatus, ChargeId, ChargeSeen, SeenStatus};
use crate::rules::commands;
use crate::store::Store as _;
use crate::wiring;

/// What became of it.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("end").args(["charge", "absent"]).required(true)),
    after_help = "Examples:\n  dues resolve sub_7k2m9qx4.3.1 --charge chrg_test_5xuy4w91xqz7d1w9u0t --reason 'seen in the dashboard'\n  \
                        dues resolve sub_7k2m9qx4.3.1 --absent --reason 'support says it was never made'"
)]
pub struct ResolveArgs {
    /// The attempt
    #[arg(value_name = "ATTEMPT")]
    attempt: AttemptId,
    /// It became this charge; its status is read at the provider. One that carries the attempt's marks is taken whatever
    /// its amount; another attempt's is refused
    #[arg(long, value_name = "CHRG")]
    charge: Option<ChargeId>,
    /// It never became a charge; refused where a charge with its marks was found
    #[arg(long)]
    absent: bool,
    /// Kept in the diary
    #[arg(long, value_name = "TEXT", value_parser = super::reason::some_reason)]
    reason: String,
}

/// Ends it.
pub(super) fn run(args: &ResolveArgs, context: &Context) -> Result<Exit, Failure> {
    let mut store = context.book()?;
    let id = &args.attempt;
    let Some(attempt) = store.attempt(id)? else {
        return Err(OrderError::no_attempt(id).into());
    };
    let seen = args.charge.as_ref().map(|charge| seen(context, charge)).transpose()?;
    if let (AttemptStatus::Manual, Some(known)) = (attempt.status, &attempt.charge)
        && args.charge.as_ref() != Some(known)
        && !seen.as_ref().is_some_and(|seen| carries(seen, id))
    {
        let flag = if args.absent { "--absent" } else { "--charge" };
        refuse_while_there(context, flag, id, known)?;
    }
    let booked = match &seen {
        Some(seen) => orders::booked_for(&mut store, &attempt, seen)?,
        None => None,
    };
    let circumstances = context.circumstances(&mut store)?;
    let now = orders::on_invoice(&mut store, &id.invoice, &mut |snapshot| match &seen {
        Some(seen) => {
            commands::resolve_charge(snapshot, id, seen, booked.as_ref(), &args.reason, &circumstances)
        }
        None => commands::resolve_absent(snapshot, id, &args.reason, &circumstances),
    })?;
    let status = store.attempt(id)?.map_or("gone", |attempt| attempt.status.word());
    let done = format!("attempt {id} is {status}{}", amiss(&attempt, seen.as_ref()));
    standing::show(context, &mut store, &now, &done)
}

/// What whoever ends an attempt with a charge that is not what was asked for should read at once; the diary has it too.
fn amiss(attempt: &Attempt, seen: Option<&ChargeSeen>) -> String {
    let moved = seen.filter(|seen| seen.status == SeenStatus::Successful);
    let Some(amount) = moved.map(|seen| seen.amount).filter(|amount| *amount != Some(attempt.amount)) else {
        return String::new();
    };
    let amount =
        amount.map_or_else(|| "an amount that cannot be read".to_owned(), |amount| amount.to_string());
    format!(
        " by a charge of {amount}, where {} were asked for: the incident in `dues list events` says what is left to do",
        attempt.amount
    )
}

fn seen(context: &Context, charge: &ChargeId) -> Result<ChargeSeen, Failure> {
    at_the_provider(context, charge)?.ok_or_else(|| {
        Failure::usage(format!(
            "--charge: found {charge}, which the provider does not have, wanted one of its charges"
        ))
    })
}

/// Whether the charge says that it was made for that attempt.
fn carries(seen: &ChargeSeen, id: &AttemptId) -> bool {
    seen.attempt.as_deref() == Some(id.to_string().as_str())
}

/// An attempt whose charge the book knows is neither absent nor another charge's while the provider has that charge: it
/// may still be paid, and another one would be paid beside it. What a status that nobody knows means a person decides.
fn refuse_while_there(
    context: &Context,
    flag: &str,
    id: &AttemptId,
    charge: &ChargeId,
) -> Result<(), Failure> {
    let seen = at_the_provider(context, charge)?;
    if seen.is_none_or(|seen| matches!(seen.status, SeenStatus::Unknown(_))) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{flag}: attempt {id} has charge {charge}, which the provider has; wanted --charge {charge}, once it has ended there \
         (see it with `dues charges get {charge}`)"
    )))
}

/// `None`: it has no such charge.
fn at_the_provider(context: &Context, charge: &ChargeId) -> Result<Option<ChargeSeen>, Failure> {
    context.wait(async {
        let door = wiring::open_door_beside(context.settings()).await?;
        Ok(door.gateway.charge_seen(charge).await?)
    })
}

//! Looks at the book, without writing to it.

use std::path::Path;

use super::super::access;
use super::super::context::Context;
use super::super::exit::{Exit, Failure};
use super::super::progress::Progress;
use super::super::rows::short;
use super::{Findings, start};
use crate::billing::{behind, plans};
use crate::model::counted;
use crate::store::{BookFacts, PlanChange, Store, rights, witness};
use crate::wiring;

/// Commands that make a book where there is none.
const MAKERS: &str = "`dues run-now`, `daemon`, `subscribe`, `import` and `plans apply`";

/// `live`: the kind of the configured key; `None`: there is none, or it was refused.
pub(super) fn look(context: &Context, live: Option<bool>, findings: &mut Findings) {
    let path = &context.settings().store.path;
    let state = context.settings().omise.sandbox.then(|| wiring::sandbox_state(context.settings()));
    let writable = rights::refuse_unwritable(path)
        .and_then(|()| state.as_deref().map_or(Ok(()), rights::refuse_unwritable_file))
        .and_then(|()| rights::refuse_unwritable_file(&access::path_beside(path)));
    match writable {
        Ok(()) => findings.ok(
            "rights",
            "the book, its journal, its lock and its access record can be written, or made in their folder",
        ),
        Err(error) => findings.failed("rights", error.into()),
    }
    if let Some(sentence) = witness::of_lost_book(path).filter(|_| !path.exists()) {
        return findings.bad("book", Exit::Store, format!("{}: {sentence}", path.display()));
    }
    match wiring::has_book(context.settings()) {
        Ok(true) => {}
        Ok(false) => {
            return findings.note("book", format!("found none at {}: {MAKERS} make it", path.display()));
        }
        // Said already: whoever may not look may not write either.
        Err(_) => return,
    }
    let found = wiring::open_book_read_only(context.settings()).map_err(Failure::from);
    let mut store = match found {
        Ok(store) => store,
        Err(failure) => return findings.failed("book", failure),
    };
    if let Err(failure) = look_into(context, live, &mut store, findings) {
        findings.failed("book", failure);
    }
}

fn look_into(
    context: &Context,
    live: Option<bool>,
    store: &mut dyn Store,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let facts = store.facts()?;
    health(context, store, &facts, findings)?;
    home(context, live, &facts, findings);
    let (omise, doubt) = (&context.settings().omise, context.settings().doubt);
    if let Some(from) = behind::charging_from(store, omise.timeout, doubt, context.now())? {
        let from = context.zone().told(from);
        findings.note(
            "host",
            format!("adopted just now: charging begins at {from}, once nothing can be listed late"),
        );
    }
    wishes(context, store, &facts, findings)?;
    start::look(context, store, findings)
}

fn health(
    context: &Context,
    store: &mut dyn Store,
    facts: &BookFacts,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let mut progress = Progress::new(&context.global, "verifying the book", 0);
    let wrong = store.verify(&mut |done, total| progress.set_of(done, total))?;
    if wrong.is_empty() {
        let made = short(facts.created_at, context.zone());
        findings.ok(
            "book",
            format!(
                "{}: whole, schema {}, made {made}, {}",
                context.settings().store.path.display(),
                facts.schema,
                counted(facts.runs.unsigned_abs(), "run")
            ),
        );
    }
    for sentence in wrong {
        findings.bad("book", Exit::Store, format!("{sentence}; stop, keep the file, restore a backup"));
    }
    Ok(())
}

/// Whether this book may charge from here, with these keys.
fn home(context: &Context, live: Option<bool>, facts: &BookFacts, findings: &mut Findings) {
    match at_home(&context.settings().store.path, facts) {
        Ok(sentence) => findings.ok("host", sentence),
        Err(sentence) => findings.bad("host", Exit::Store, sentence),
    }
    let word = |live| if live { "live" } else { "test" };
    match (facts.livemode, live) {
        (Some(bound), Some(live)) if bound != live => findings.bad(
            "mode",
            Exit::Usage,
            format!("found a {} key, wanted a {} key: the book was made with those", word(live), word(bound)),
        ),
        (Some(bound), _) => findings.ok("mode", format!("a book of {} keys", word(bound))),
        (None, _) => findings.ok("mode", "the first run binds the book to the kind of its keys"),
    }
}

/// Whose book it is and whether it is the newest, or the first of the reasons why it may not charge from here.
fn at_home(path: &Path, facts: &BookFacts) -> Result<&'static str, String> {
    let here = wiring::this_host(path);
    let sentence = match &facts.host {
        Some(bound) if *bound != here => {
            return Err(format!(
                "found a book of host {} at {}, wanted one of this host at {}; stop the other one, then run `dues adopt`",
                bound.machine, bound.path, here.path
            ));
        }
        None if facts.epoch.0 > 0 => {
            return Err("found a restored book, wanted one that was compared; run `dues adopt`".into());
        }
        Some(_) => "the book is this host's",
        None => "a new book: the first run binds it to this host",
    };
    witness::check(path, facts)?;
    Ok(sentence)
}

fn wishes(
    context: &Context,
    store: &mut dyn Store,
    facts: &BookFacts,
    findings: &mut Findings,
) -> Result<(), Failure> {
    if let Some(zone) = facts.zone.as_ref().filter(|zone| *zone != context.zone()) {
        findings.note(
            "zone",
            format!(
                "found {zone} in the book, {} in the config: the next command changes it",
                context.zone()
            ),
        );
    }
    let all = plans::diff(store, &context.config.plans)?;
    let count = |wanted: PlanChange| all.iter().filter(|plan| plan.change == wanted).count();
    let (new, changed) = (count(PlanChange::New), count(PlanChange::Changed));
    let older: u64 = all.iter().map(|plan| plan.on_older).sum();
    let text = format!(
        "{new} new, {changed} changed, {} the same; {} on older versions",
        count(PlanChange::Same),
        counted(older, "subscription")
    );
    if changed > 0 {
        findings.note("plans", text + "; `dues plans diff` shows them");
    } else {
        findings.ok("plans", text);
    }
    Ok(())
}

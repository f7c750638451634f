//! Runs that mostly wait: for a slow provider, and for a provider that takes only so many requests a minute.
//!
//! They hardly use the machine, so they run side by side, each with its own sandbox and book. A run's rate is that of the
//! whole process: starting, proving the keys and reading cards are in it.

use std::time::Duration;

use serde_json::json;

use crate::bench::Bench;
use crate::book::{Book, FIRST_DUE, FREELY, Pace};
use crate::sandbox::Sandbox;
use crate::spread::Spread;
use crate::table::{Goal, Row};
use crate::{Fallible, count};

/// What the slow provider takes for each answer.
const LATENCY: Duration = Duration::from_millis(200);
/// More than any provider takes, as in a config whose author does not know the limit.
const UNKNOWING: Pace = Pace { in_flight: 64, rate: "1000" };

type Measure = dyn Fn(&Bench) -> Fallible<Vec<Row>> + Sync;

/// Measures it all at once.
pub fn rows(bench: &Bench) -> Fallible<Vec<Row>> {
    bench.say("slow and limited providers, four runs side by side");
    let ten = |bench: &Bench| slow(bench, 10);
    let sixty_four = |bench: &Bench| slow(bench, 64);
    let measures: [&Measure; 4] = [&ten, &sixty_four, &known_limit, &unknown_limit];
    let all: Vec<_> = std::thread::scope(|scope| {
        let threads = measures.map(|measure| scope.spawn(move || measure(bench)));
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err("a measuring thread panicked".into())))
            .collect()
    });
    Ok(all.into_iter().collect::<Fallible<Vec<_>>>()?.concat())
}

fn slow(bench: &Bench, in_flight: usize) -> Fallible<Vec<Row>> {
    let possible = count(in_flight) / LATENCY.as_secs_f64();
    let charges = in_flight * usize::try_from(bench.scale.waiting.as_millis() / LATENCY.as_millis())?;
    let dir = bench.scratch(&format!("slow-{in_flight}"))?;
    let sandbox = Sandbox::start(&bench.dues, charges)?;
    let book = Book::for_all_of(&bench.dues, dir.path(), &sandbox, Pace { in_flight, ..FREELY })?;
    sandbox.set(&json!({"latency_ms": u64::try_from(LATENCY.as_millis())?}))?;
    let (cost, _) = book.run_all(&sandbox, FIRST_DUE, u64::try_from(charges)?)?;
    let found = count(charges) / cost.wall.as_secs_f64();
    Ok(vec![Row {
        what: format!("charges per second, {in_flight} in flight, 200 ms"),
        goal: Goal::AtLeast(0.97),
        ours: format!("{found:.1}/s"),
        reference: format!("in flight ÷ latency {possible:.0}/s"),
        judged: Spread::new([found / possible]),
        digits: 3,
    }])
}

fn limit(bench: &Bench) -> serde_json::Value {
    json!({"rate_limit": {"requests": bench.scale.limit, "window_ms": u64::try_from(bench.scale.window.as_millis()).unwrap_or(u64::MAX)}})
}

fn limit_words(bench: &Bench) -> String {
    format!("{} requests in {} s", bench.scale.limit, bench.scale.window.as_secs())
}

fn known_limit(bench: &Bench) -> Fallible<Vec<Row>> {
    let charges = bench.scale.limited;
    let allowance = count(bench.scale.limit) / bench.scale.window.as_secs_f64();
    let dir = bench.scratch("known-limit")?;
    let sandbox = Sandbox::start(&bench.dues, charges)?;
    let pace = Pace { in_flight: 64, rate: bench.scale.within };
    let book = Book::for_all_of(&bench.dues, dir.path(), &sandbox, pace)?;
    sandbox.set(&limit(bench))?;
    let (cost, _) = book.run_all(&sandbox, FIRST_DUE, u64::try_from(charges)?)?;
    let refused = sandbox.traffic()?.refused;
    let found = count(charges) / cost.wall.as_secs_f64();
    let words = limit_words(bench);
    Ok(vec![
        Row {
            what: format!("charges per second, at most {words}, configured"),
            goal: Goal::AtLeast(0.97),
            ours: format!("{found:.2}/s"),
            reference: format!("allowance {allowance:.2}/s"),
            judged: Spread::new([found / allowance]),
            digits: 3,
        },
        Row {
            what: "answers 429 in that run".into(),
            goal: Goal::AtMost(0.0),
            ours: format!("{refused}"),
            reference: String::new(),
            judged: Spread::new([count(refused)]),
            digits: 0,
        },
    ])
}

fn unknown_limit(bench: &Bench) -> Fallible<Vec<Row>> {
    let charges = bench.scale.surprised;
    let dir = bench.scratch("unknown-limit")?;
    let sandbox = Sandbox::start(&bench.dues, charges)?;
    let book = Book::for_all_of(&bench.dues, dir.path(), &sandbox, UNKNOWING)?;
    sandbox.set(&limit(bench))?;
    let (cost, report) = book.run(FIRST_DUE)?;
    let (made, traffic) = (sandbox.made()?, sandbox.traffic()?);
    if made.charges != report.attempts.succeeded || made.charges > u64::try_from(charges)? {
        return Err(format!(
            "the counts are wrong: {charges} were due, the ledger has {made:?}, the report says {report:?}"
        )
        .into());
    }
    let words = limit_words(bench);
    Ok(vec![
        Row {
            what: format!("of all due, charged, at most {words}, not configured"),
            goal: Goal::AtLeast(1.0),
            ours: format!("{} in {:.0} s", made.charges, cost.wall.as_secs_f64()),
            reference: format!("due {charges}"),
            judged: Spread::new([count(made.charges) / count(charges)]),
            digits: 3,
        },
        Row {
            what: "of all requests, answered 429, in that run".into(),
            goal: Goal::AtMost(0.05),
            ours: format!("{}", traffic.refused),
            reference: format!("requests {}", traffic.requests),
            judged: Spread::new([count(traffic.refused) / count(traffic.requests)]),
            digits: 3,
        },
    ])
}

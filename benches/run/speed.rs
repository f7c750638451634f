//! Charges per second, CPU, memory, requests and syncs per charge, dues and the floor by turns.
//!
//! Each turn has a sandbox process of its own, made alike, so that neither meets what the other left there; which of the
//! two comes first changes from turn to turn.

use std::process::Command;

use crate::bench::Bench;
use crate::book::{Book, FIRST_DUE, FREELY, PRICE};
use crate::child::{self, Cost};
use crate::sandbox::{Made, Sandbox};
use crate::spread::Spread;
use crate::table::{Goal, Row};
use crate::{Fallible, count, floor, syncs};

/// What one charge took in one turn.
#[derive(Debug, Clone, Copy)]
struct Turn {
    per_second: f64,
    cpu_us: f64,
    peak_mib: f64,
    calls: f64,
    commits: f64,
}

impl Turn {
    fn new(cost: &Cost, charges: usize) -> Self {
        let charges = count(charges);
        Self {
            per_second: charges / cost.wall.as_secs_f64(),
            cpu_us: cost.cpu.as_secs_f64() * 1e6 / charges,
            peak_mib: count(cost.peak_kib) / 1024.0,
            calls: 1.0,
            commits: 0.0,
        }
    }
}

/// Measures it all.
pub fn rows(bench: &Bench) -> Fallible<Vec<Row>> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 0..bench.scale.turns {
        bench.say(&format!("speed, pair {} of {}", turn + 1, bench.scale.turns));
        if turn % 2 == 0 {
            theirs.push(floor_turn(bench)?);
            ours.push(dues_turn(bench)?);
        } else {
            ours.push(dues_turn(bench)?);
            theirs.push(floor_turn(bench)?);
        }
    }
    let of = |turns: &[Turn], what: fn(&Turn) -> f64| turns.iter().map(what).collect::<Vec<_>>();
    let ratio = |what: fn(&Turn) -> f64| Spread::ratios(&of(&ours, what), &of(&theirs, what));
    let median = |turns: &[Turn], what: fn(&Turn) -> f64| Spread::new(of(turns, what)).median();
    let commits = Spread::new(of(&ours, |turn| turn.commits));
    Ok(vec![
        Row {
            what: "charges per second, 64 in flight, 0 ms".into(),
            goal: Goal::AtLeast(0.6),
            ours: format!("{:.0}/s", median(&ours, |turn| turn.per_second)),
            reference: format!("floor {:.0}/s", median(&theirs, |turn| turn.per_second)),
            judged: ratio(|turn| turn.per_second),
            digits: 2,
        },
        Row {
            what: "CPU per charge".into(),
            goal: Goal::AtMost(1.6),
            ours: format!("{:.1} µs", median(&ours, |turn| turn.cpu_us)),
            reference: format!("floor {:.1} µs", median(&theirs, |turn| turn.cpu_us)),
            judged: ratio(|turn| turn.cpu_us),
            digits: 2,
        },
        Row {
            what: format!("memory at {} due, MiB", bench.scale.charges),
            goal: Goal::AtMost(32.0),
            ours: format!("{:.1} MiB", median(&ours, |turn| turn.peak_mib)),
            reference: format!("floor {:.1} MiB", median(&theirs, |turn| turn.peak_mib)),
            judged: Spread::new(of(&ours, |turn| turn.peak_mib)),
            digits: 1,
        },
        Row {
            what: "API calls per charge".into(),
            goal: Goal::AtMost(1.02),
            ours: format!("{:.4}", median(&ours, |turn| turn.calls)),
            reference: "floor 1".into(),
            judged: Spread::new(of(&ours, |turn| turn.calls)),
            digits: 4,
        },
        syncs::row(bench, &commits)?,
    ])
}

fn floor_turn(bench: &Bench) -> Fallible<Turn> {
    let charges = bench.scale.charges;
    let dir = bench.scratch("floor")?;
    let sandbox = Sandbox::start(&bench.dues, charges)?;
    let book = dir.path().join("floor.db");
    floor::make_book(&book, &sandbox.customers()?, PRICE)?;
    let mut command = Command::new(&bench.me);
    command.arg(crate::FLOOR).arg(&book).args([&sandbox.api_url, &sandbox.secret_key]).arg("64");
    let cost = child::run(&mut command, dir.path())?;
    let all = u64::try_from(charges)?;
    let wanted = Made { charges: all, successful: all, sum: PRICE * i64::try_from(charges)? };
    let (made, kept) = (sandbox.made()?, floor::kept(&book)?);
    if made != wanted || kept != i64::try_from(charges)? {
        return Err(format!(
            "the floor's counts are wrong: wanted {wanted:?}, found {made:?} and {kept} in its book"
        )
        .into());
    }
    Ok(Turn::new(&cost, charges))
}

fn dues_turn(bench: &Bench) -> Fallible<Turn> {
    let charges = bench.scale.charges;
    let dir = bench.scratch("dues")?;
    let sandbox = Sandbox::start(&bench.dues, charges)?;
    let book = Book::for_all_of(&bench.dues, dir.path(), &sandbox, FREELY)?;
    let commits_before = book.commits()?;
    let (cost, report) = book.run_all(&sandbox, FIRST_DUE, u64::try_from(charges)?)?;
    let commits = book.commits()? - commits_before;
    Ok(Turn {
        calls: count(report.api_calls) / count(charges),
        commits: count(commits) / count(charges),
        ..Turn::new(&cost, charges)
    })
}

//! How often a charge makes the disk sync.
//!
//! Tracing slows a process at each sync and so makes its groups larger; therefore the groups are counted in the timed
//! turns, by the book itself, and only how many syncs a group takes (checkpoints included) is traced, in a turn of its own.

use std::path::Path;
use std::process::Command;

use crate::bench::Bench;
use crate::book::{Book, FIRST_DUE, FREELY};
use crate::sandbox::Sandbox;
use crate::spread::Spread;
use crate::table::{Goal, Row};
use crate::{Fallible, child, count};

/// Charges in the traced turn.
const TRACED: usize = 15_000;

/// The row, from the groups per charge of the timed turns.
pub fn row(bench: &Bench, commits: &Spread) -> Fallible<Row> {
    let row = |what: &str, reference: String, judged: Spread| Row {
        what: what.into(),
        goal: Goal::AtMost(0.1),
        ours: format!("{:.3}", judged.median()),
        reference,
        judged,
        digits: 3,
    };
    if !traceable() {
        println!("strace is not installed or may not trace: syncs of checkpoints are not counted below");
        return Ok(row(
            "commits per charge (syncs of checkpoints not counted)",
            String::new(),
            commits.clone(),
        ));
    }
    bench.say("syncs, one traced turn");
    let (syncs, groups) = traced_turn(bench)?;
    let each = count(syncs) / count(groups);
    let reference = format!("{each:.2} syncs a commit");
    Ok(row("fsync and fdatasync per charge", reference, commits.times(each)))
}

fn strace(log: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "--seccomp-bpf", "-e", "trace=fsync,fdatasync", "-o"]).arg(log);
    command
}

fn traceable() -> bool {
    let tried = strace(Path::new("/dev/null")).arg("true").output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// Syncs and durable groups of one run.
fn traced_turn(bench: &Bench) -> Fallible<(u64, u64)> {
    let dir = bench.scratch("syncs")?;
    let sandbox = Sandbox::start(&bench.dues, TRACED)?;
    let book = Book::for_all_of(&bench.dues, dir.path(), &sandbox, FREELY)?;
    let before = book.commits()?;
    let log = dir.path().join("strace");
    let plain = book.run_command(FIRST_DUE);
    child::run(strace(&log).arg("--").arg(plain.get_program()).args(plain.get_args()), dir.path())?;
    let made = sandbox.made()?;
    if made.charges != u64::try_from(TRACED)? {
        return Err(
            format!("the counts are wrong: {TRACED} were due in the traced turn, found {made:?}").into()
        );
    }
    Ok((calls(&std::fs::read_to_string(log)?), book.commits()? - before))
}

/// The sum of the column `calls` of strace's summary.
fn calls(summary: &str) -> u64 {
    summary
        .lines()
        .filter(|line| line.ends_with(" fsync") || line.ends_with(" fdatasync"))
        .filter_map(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok())
        .sum()
}

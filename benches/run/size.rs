//! What grows with the book and what must not: memory, an idle tick, a start, bytes.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bench::{Bench, Scratch};
use crate::book::{Book, FIRST_DUE, FREELY};
use crate::child::Owned;
use crate::sandbox::Sandbox;
use crate::scale::Scale;
use crate::spread::Spread;
use crate::table::{Goal, Row};
use crate::{Fallible, count};

/// A start that takes longer has failed.
const START_MAX: Duration = Duration::from_mins(1);
/// A run looks back five seconds over the provider's charges: at full speed those are tens of thousands, which no idle
/// run of a schedule meets.
const AFTER_A_RUN: Duration = Duration::from_secs(7);
/// Months of a year, each with its own run, a day of it on which every period has begun.
const MONTHS: [&str; 12] = [
    "2026-11", "2026-12", "2027-01", "2027-02", "2027-03", "2027-04", "2027-05", "2027-06", "2027-07",
    "2027-08", "2027-09", "2027-10",
];

/// A book after its first run, and the sandbox that it was charged at.
struct Charged {
    book: Book,
    sandbox: Sandbox,
    subscriptions: usize,
    peak_mib: f64,
    _dir: Scratch,
}

/// Measures it all.
pub fn rows(bench: &Bench) -> Fallible<Vec<Row>> {
    let mut rows = vec![year(bench)?];
    let small = charged(bench, Scale::SMALL)?;
    let few = charged(bench, Scale::FEW)?;
    let many = charged(bench, bench.scale.many)?;
    rows.extend(memory(&few, &many));
    grown(bench, &many)?;
    bench.say("starts and idle ticks");
    rows.push(start(bench, &small, &many)?);
    rows.push(idle(bench, &charged(bench, Scale::TINY)?, &many)?);
    Ok(rows)
}

/// Makes a book of so many and charges them all.
fn charged(bench: &Bench, subscriptions: usize) -> Fallible<Charged> {
    bench.say(&format!("a run over {subscriptions} due"));
    let dir = bench.scratch(&format!("charged-{subscriptions}"))?;
    let sandbox = Sandbox::start(&bench.dues, subscriptions)?;
    let book = Book::for_all_of(&bench.dues, dir.path(), &sandbox, FREELY)?;
    let (cost, _) = book.run_all(&sandbox, FIRST_DUE, u64::try_from(subscriptions)?)?;
    Ok(Charged { book, sandbox, subscriptions, peak_mib: count(cost.peak_kib) / 1024.0, _dir: dir })
}

/// Charges further months until the book has the rows that an idle run is to meet.
fn grown(bench: &Bench, charged: &Charged) -> Fallible<()> {
    for month in &MONTHS[1..] {
        if charged.book.rows()? >= bench.scale.rows {
            return Ok(());
        }
        bench.say(&format!("its rows grow: {month}"));
        charged.book.run_all(&charged.sandbox, &on(month), u64::try_from(charged.subscriptions)?)?;
    }
    Err(format!("a year is too short for {} rows", bench.scale.rows).into())
}

fn memory(few: &Charged, many: &Charged) -> [Row; 2] {
    let (at, base) = (many.subscriptions, few.subscriptions);
    let row = |what: String, goal, judged: f64, digits| Row {
        what,
        goal,
        ours: format!("{:.1} MiB", many.peak_mib),
        reference: format!("{:.1} MiB at {base}", few.peak_mib),
        judged: Spread::new([judged]),
        digits,
    };
    [
        row(format!("memory at {at} due, MiB"), Goal::AtMost(32.0), many.peak_mib, 1),
        row(
            format!("memory at {at} due, times that at {base}"),
            Goal::AtMost(1.15),
            many.peak_mib / few.peak_mib,
            2,
        ),
    ]
}

/// The same look at the small and the large book by turns, in milliseconds, and their ratios.
fn compared(
    bench: &Bench,
    what: String,
    goal: Goal,
    small: &(&Charged, String),
    many: &Charged,
    look: impl Fn(&Charged) -> Fallible<f64>,
) -> Fallible<Row> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..bench.scale.looks {
        theirs.push(look(small.0)?);
        ours.push(look(many)?);
    }
    let judged = Spread::ratios(&ours, &theirs);
    let (ours, theirs) = (Spread::new(ours).median(), Spread::new(theirs).median());
    let reference = format!("{theirs:.1} ms with {}", small.1);
    Ok(Row { what, goal, ours: format!("{ours:.1} ms"), reference, judged, digits: 2 })
}

/// From the start of the process to its first request: a listener of ours stands in for the provider.
fn start(bench: &Bench, small: &Charged, many: &Charged) -> Fallible<Row> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    for charged in [small, many] {
        charged.book.configure(&url, &charged.sandbox.secret_key, FREELY)?;
    }
    let what = format!("start to first request with {} subscriptions", many.subscriptions);
    let base = (small, small.subscriptions.to_string());
    let row =
        compared(bench, what, Goal::AtMost(1.3), &base, many, |charged| one_start(&charged.book, &listener));
    for charged in [small, many] {
        charged.book.configure(&charged.sandbox.api_url, &charged.sandbox.secret_key, FREELY)?;
    }
    row
}

fn one_start(book: &Book, listener: &TcpListener) -> Fallible<f64> {
    let mut command = book.run_command(FIRST_DUE);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let process = Owned(command.spawn()?);
    let took = loop {
        match listener.accept() {
            Ok(_) => break begun.elapsed(),
            Err(error) if error.kind() == ErrorKind::WouldBlock && begun.elapsed() < START_MAX => {
                std::thread::sleep(Duration::from_micros(50));
            }
            Err(error) => return Err(format!("dues sent no first request: {error}").into()),
        }
    };
    drop(process);
    // It may have come a second time before its end; the next one must not be taken for that.
    while listener.accept().is_ok() {}
    Ok(took.as_secs_f64() * 1e3)
}

/// A run in which nothing is due, from its start to its end: every subscription has just been charged.
fn idle(bench: &Bench, small: &Charged, many: &Charged) -> Fallible<Row> {
    let what = format!("idle run with {} rows", many.book.rows()?);
    std::thread::sleep(AFTER_A_RUN);
    for charged in [small, many] {
        // The first look after such a run still meets its last charges.
        charged.book.run_all(&charged.sandbox, FIRST_DUE, 0)?;
    }
    let base = (small, format!("{} rows", small.book.rows()?));
    compared(bench, what, Goal::AtMost(1.5), &base, many, |charged| {
        let (cost, _) = charged.book.run_all(&charged.sandbox, FIRST_DUE, 0)?;
        Ok(cost.wall.as_secs_f64() * 1e3)
    })
}

/// An instant of that month on which its period is due.
fn on(month: &str) -> String {
    format!("{month}-01T12:00:00+07:00")
}

/// Twelve monthly runs, then the size of the book.
fn year(bench: &Bench) -> Fallible<Row> {
    bench.say("a year of twelve runs");
    let dir = bench.scratch("year")?;
    let sandbox = Sandbox::start(&bench.dues, Scale::WEIGHED)?;
    let book = Book::for_all_of(&bench.dues, dir.path(), &sandbox, FREELY)?;
    let empty = book.bytes()?;
    for month in MONTHS {
        book.run_all(&sandbox, &on(month), u64::try_from(Scale::WEIGHED)?)?;
    }
    let each = |bytes: u64| count(bytes) / count(Scale::WEIGHED);
    Ok(Row {
        what: format!("bytes per subscription-year, of {}", Scale::WEIGHED),
        goal: Goal::AtMost(2_000.0),
        ours: format!("{:.0}", each(book.bytes()?)),
        reference: format!("before the first run {:.0}", each(empty)),
        judged: Spread::new([each(book.bytes()?)]),
        digits: 0,
    })
}

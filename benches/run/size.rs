//! What grows with the book and what must not: memory, an idle tick, a start, bytes.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bench::{Bench, Scratch};
use crate::book::{Book, FIRST_DUE, FREELY, NOTHING_DUE};
use crate::child::Owned;
use crate::sandbox::Sandbox;
use crate::scale::Scale;
use crate::spread::Spread;
use crate::table::{Goal, Row};
use crate::{Fallible, count};

/// A start that takes longer has failed.
const START_MAX: Duration = Duration::from_mins(1);
/// Months of a year, each with its own run, a day of it on which every period has begun.
const MONTHS: [&str; 12] = [
    "2026-11", "2026-12", "2027-01", "2027-02", "2027-03", "2027-04", "2027-05", "2027-06", "2027-07",
    "2027-08", "2027-09", "2027-10",
];

/// A book, the sandbox that it is charged at, and what its first run took.
struct Charged {
    book: Book,
    sandbox: Sandbox,
    subscriptions: usize,
    peak_mib: f64,
    /// Before its run: from the start of the process to its first request, in milliseconds.
    start_ms: Spread,
    _dir: Scratch,
}

/// Measures it all.
pub fn rows(bench: &Bench) -> Fallible<Vec<Row>> {
    let mut rows = vec![year(bench)?];
    let small = charged(bench, Scale::SMALL)?;
    let few = charged(bench, Scale::FEW)?;
    let many = charged(bench, bench.scale.many)?;
    rows.extend(memory(&few, &many));
    rows.push(start(&small, &many));
    rows.push(idle(bench, &small, &many)?);
    Ok(rows)
}

/// Makes a book of so many, measures starts on it, and charges them all.
fn charged(bench: &Bench, subscriptions: usize) -> Fallible<Charged> {
    bench.say(&format!("a run over {subscriptions} due"));
    let dir = bench.scratch(&format!("charged-{subscriptions}"))?;
    let sandbox = Sandbox::start(&bench.dues, subscriptions)?;
    let book = Book::for_all_of(&bench.dues, dir.path(), &sandbox, FREELY)?;
    let start_ms = starts(bench, &book, &sandbox)?;
    let (cost, _) = book.run_all(&sandbox, FIRST_DUE, u64::try_from(subscriptions)?)?;
    let peak_mib = count(cost.peak_kib) / 1024.0;
    Ok(Charged { book, sandbox, subscriptions, peak_mib, start_ms, _dir: dir })
}

fn memory(few: &Charged, many: &Charged) -> [Row; 2] {
    let row = |what: String, goal, judged: f64, digits| Row {
        what,
        goal,
        ours: format!("{:.1} MiB", many.peak_mib),
        reference: format!("{:.1} MiB at {}", few.peak_mib, few.subscriptions),
        judged: Spread::new([judged]),
        digits,
    };
    let at = many.subscriptions;
    [
        row(format!("memory at {at} due, MiB"), Goal::AtMost(32.0), many.peak_mib, 1),
        row(
            format!("memory at {at} due, times that at {}", few.subscriptions),
            Goal::AtMost(1.15),
            many.peak_mib / few.peak_mib,
            2,
        ),
    ]
}

/// From the start of the process to its first request, some times: a listener of ours stands in for the provider.
fn starts(bench: &Bench, book: &Book, sandbox: &Sandbox) -> Fallible<Spread> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    book.configure(&format!("http://{}", listener.local_addr()?), &sandbox.secret_key, FREELY)?;
    let times: Vec<f64> =
        (0..bench.scale.looks).map(|_| one_start(book, &listener)).collect::<Fallible<_>>()?;
    book.configure(&sandbox.api_url, &sandbox.secret_key, FREELY)?;
    Ok(Spread::new(times))
}

fn one_start(book: &Book, listener: &TcpListener) -> Fallible<f64> {
    listener.set_nonblocking(true)?;
    let mut command = book.run_command(NOTHING_DUE);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let _process = Owned(command.spawn()?);
    loop {
        match listener.accept() {
            Ok(_) => return Ok(begun.elapsed().as_secs_f64() * 1e3),
            Err(error) if error.kind() == ErrorKind::WouldBlock && begun.elapsed() < START_MAX => {
                std::thread::sleep(Duration::from_micros(50));
            }
            Err(error) => return Err(format!("dues sent no first request: {error}").into()),
        }
    }
}

fn start(small: &Charged, many: &Charged) -> Row {
    let base = small.start_ms.median();
    Row {
        what: format!("start to first request with {} subscriptions", many.subscriptions),
        goal: Goal::AtMost(1.3),
        ours: format!("{:.1} ms", many.start_ms.median()),
        reference: format!("{base:.1} ms with {}", small.subscriptions),
        judged: many.start_ms.times(1.0 / base),
        digits: 2,
    }
}

/// A run in which nothing is due, without the start before it: every subscription has just been charged.
fn idle(bench: &Bench, small: &Charged, many: &Charged) -> Fallible<Row> {
    bench.say("idle ticks");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..bench.scale.looks {
        theirs.push(tick_ms(small)?);
        ours.push(tick_ms(many)?);
    }
    Ok(Row {
        what: format!("idle tick with {} rows", many.book.rows()?),
        goal: Goal::AtMost(1.5),
        ours: format!("{:.1} ms", Spread::new(ours.clone()).median()),
        reference: format!("{:.1} ms with {} rows", Spread::new(theirs.clone()).median(), small.book.rows()?),
        judged: Spread::ratios(&ours, &theirs),
        digits: 2,
    })
}

fn tick_ms(charged: &Charged) -> Fallible<f64> {
    let (cost, _) = charged.book.run_all(&charged.sandbox, FIRST_DUE, 0)?;
    Ok((cost.wall.as_secs_f64() * 1e3 - charged.start_ms.median()).max(0.1))
}

/// Twelve monthly runs, then the size of the book.
fn year(bench: &Bench) -> Fallible<Row> {
    bench.say("a year of twelve runs");
    let dir = bench.scratch("year")?;
    let sandbox = Sandbox::start(&bench.dues, Scale::WEIGHED)?;
    let book = Book::for_all_of(&bench.dues, dir.path(), &sandbox, FREELY)?;
    let empty = book.bytes()?;
    for month in MONTHS {
        book.run_all(&sandbox, &format!("{month}-01T12:00:00+07:00"), u64::try_from(Scale::WEIGHED)?)?;
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

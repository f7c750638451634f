//! What the service costs while nothing is due: `cargo bench --bench run -- --idle`, about six minutes.
//!
//! A book of a hundred thousand subscriptions whose period is paid, the shipped `dues daemon` beside it, and what the
//! kernel books for that process: how soon it is ready when it starts again, its CPU over a window, and its resident
//! memory at the window's end. The window is a hard one: besides a run of the schedule it holds the day's card watch and
//! the day's reconciliation, of a week in which everybody was charged. Beside its CPU stands what each of these two
//! costs from beginning to end, when a person asks for it.
//!
//! Promises: a window in which the card watch read nobody, or the reconciliation was not under way, is an error.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};

use crate::bench::Bench;
use crate::book::{Book, FIRST_DUE, FREELY};
use crate::child::{self, Owned};
use crate::sandbox::Sandbox;
use crate::spread::Spread;
use crate::table::{Goal, Row};
use crate::{Fallible, count};

const SUBSCRIPTIONS: usize = 100_000;
/// Holds one run of the schedule, which asks every five minutes, and five ticks.
const WINDOW: Duration = Duration::from_mins(5);
/// Starts that are timed.
const STARTS: usize = 5;
/// The service says READY and ends its first run within this, or the measurement fails.
const LONGEST: Duration = Duration::from_mins(10);
/// The kernel counts a process's CPU in these (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// Measures it.
pub fn rows(bench: &Bench) -> Fallible<Vec<Row>> {
    bench.say("a book of 100,000, paid");
    let dir = bench.scratch("idle")?;
    let sandbox = Sandbox::start(&bench.dues, SUBSCRIPTIONS)?;
    let book = Book::for_all_of(&bench.dues, dir.path(), &sandbox, FREELY)?;
    book.run_all(&sandbox, FIRST_DUE, u64::try_from(SUBSCRIPTIONS)?)?;
    bench.say("a card watch and a reconciliation by hand");
    let whole = Whole::measure(&book, dir.path())?;
    bench.say("starts");
    let socket = UnixDatagram::bind(dir.path().join("notify"))?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    // Whatever has come due since is charged by the first of them.
    let mut ready = Vec::new();
    for turn in 0..=STARTS {
        let service = Service::start(&book, &socket)?;
        if turn > 0 {
            ready.push(service.ready.as_secs_f64());
        }
        if turn < STARTS {
            service.stop()?;
            continue;
        }
        bench.say(&format!("idle for {} s", WINDOW.as_secs()));
        let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let (before, begun) = (service.cpu_s()?, Instant::now());
        // What it says meanwhile is taken off the socket, as a supervisor would: a full one would hold it up.
        while begun.elapsed() < WINDOW {
            let _ = socket.recv(&mut [0; 4096]);
        }
        let share = (service.cpu_s()? - before) / begun.elapsed().as_secs_f64() * 100.0;
        let (now, highest) = (service.memory_mib("VmRSS:")?, service.memory_mib("VmHWM:")?);
        let read = book.customers_read_since(since)?;
        if read == 0 || !book.is_under_way("reconcile")? {
            return Err(format!(
                "no hard window: the card watch read {read} customers in it, or nothing was reconciled"
            )
            .into());
        }
        bench.say(&format!(
            "the day's card watch read {read} customers meanwhile, and charges were reconciled"
        ));
        service.stop()?;
        return Ok(table(share, &whole.beside(read), now, highest, ready));
    }
    Err("no start was measured".into())
}

/// CPU of what the service does once a day, from beginning to end.
struct Whole {
    watch_s: f64,
    reconciliation_s: f64,
}

impl Whole {
    fn measure(book: &Book, scratch: &Path) -> Fallible<Self> {
        let cpu = |words: &[&str]| -> Fallible<f64> {
            let (first, rest) = words.split_first().ok_or("no command")?;
            Ok(child::run(book.command(first).args(rest), scratch)?.cpu.as_secs_f64())
        };
        Ok(Self {
            watch_s: cpu(&["cards", "watch", "--json"])?,
            reconciliation_s: cpu(&["reconcile", "--json"])?,
        })
    }

    /// In words, for a window in which so many customers were read.
    fn beside(&self, read: u64) -> String {
        format!(
            "; card watch under way ({read} read), a whole one {:.2} s; reconciling under way, in whole {:.2} s",
            self.watch_s, self.reconciliation_s
        )
    }
}

fn table(share: f64, beside: &str, now_mib: f64, highest_mib: f64, ready: Vec<f64>) -> Vec<Row> {
    let row = |what: &str, goal: f64, more: &str, ours: String, measured: Spread| Row {
        what: format!("{what}, 100,000 subscriptions"),
        goal: Goal::AtMost(1.0),
        ours,
        reference: format!("goal {goal}{more}"),
        judged: measured.times(1.0 / goal),
        digits: 3,
    };
    let ready = Spread::new(ready);
    vec![
        row(
            &format!("CPU of one core over {} s idle, %", WINDOW.as_secs()),
            0.2,
            beside,
            format!("{share:.3} %"),
            Spread::new([share]),
        ),
        row(
            "resident memory, MiB",
            32.0,
            "",
            format!("{now_mib:.1} MiB (highest {highest_mib:.1})"),
            Spread::new([now_mib]),
        ),
        row("restart to ready, s", 2.0, "", format!("{:.3} s", ready.median()), ready),
    ]
}

/// The service at work, and how long it took to be ready.
struct Service {
    process: Owned,
    ready: Duration,
}

impl Service {
    /// Starts it, waits for READY, and then for the end of its first run.
    fn start(book: &Book, socket: &UnixDatagram) -> Fallible<Self> {
        let address = socket.local_addr()?;
        let path = address.as_pathname().ok_or("the socket has no path")?;
        let mut command = book.command("daemon");
        command.env("NOTIFY_SOCKET", path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        let process = Owned(command.spawn()?);
        heard(socket, "READY=1")?;
        let ready = begun.elapsed();
        heard(socket, "last run")?;
        Ok(Self { process, ready })
    }

    fn stop(mut self) -> Fallible<()> {
        let pid = i32::try_from(self.process.0.id()).ok().and_then(Pid::from_raw).ok_or("no process")?;
        kill_process(pid, Signal::TERM)?;
        let ended = self.process.0.wait()?;
        if ended.success() { Ok(()) } else { Err(format!("the service ended with {ended}").into()) }
    }

    /// User and system, of all its threads: the 12th and 13th field after the program's name.
    fn cpu_s(&self) -> Fallible<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.0.id()))?;
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks: Vec<u64> =
            fields.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
        Ok(count(ticks.iter().sum::<u64>()) / TICKS_PER_SECOND)
    }

    fn memory_mib(&self, line: &str) -> Fallible<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.0.id()))?;
        let found = status.lines().find_map(|found| found.strip_prefix(line)).ok_or("no such line")?;
        let kib: u64 = found.trim().trim_end_matches(" kB").parse()?;
        Ok(count(kib) / 1024.0)
    }
}

/// Waits until the service says so.
fn heard(socket: &UnixDatagram, words: &str) -> Fallible<()> {
    let begun = Instant::now();
    let mut bytes = [0; 4096];
    while begun.elapsed() < LONGEST {
        if let Ok(length) = socket.recv(&mut bytes)
            && String::from_utf8_lossy(&bytes[..length]).contains(words)
        {
            return Ok(());
        }
    }
    Err(format!("the service never said {words}").into())
}

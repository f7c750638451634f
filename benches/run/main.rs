//! `cargo bench --bench run`: the shipped program against a pretend Omise in another process, over real HTTP, and by
//! turns with it a *floor*, the least safe loop that can do the job. About five minutes; `-- --quick`: one. `-- --idle`
//! measures the service while nothing is due.
//!
//! Counts are checked against the sandbox's ledger before any time is believed: a wrong one ends the benchmark with a
//! failure. Aims are printed beside what was found and enforce nothing, since machines differ.

#![allow(clippy::float_arithmetic, reason = "ratios of times and sizes; no money is computed here")]
#![allow(missing_docs, reason = "a program, not a library")]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it measures by the real clock and prints its tables"
)]

mod bench;
mod book;
mod child;
mod floor;
mod idle;
mod machine;
mod sandbox;
mod scale;
mod size;
mod speed;
mod spread;
mod syncs;
mod table;
mod waits;

use std::process::ExitCode;
use std::time::Instant;

use bench::Bench;
use scale::Scale;

/// The floor is made from the same parts: memory among them.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Whatever went wrong, in words.
pub type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The first argument that makes this program the floor; then its book, the API's address, the key, and the slots.
const FLOOR: &str = "--be-the-floor";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "--bench").collect();
    let done = match words.as_slice() {
        [] => measure(Scale::FULL),
        ["--quick"] => measure(Scale::QUICK),
        ["--idle"] => measure_idle(),
        [FLOOR, book, api_url, secret_key, in_flight] => be_the_floor(book, api_url, secret_key, in_flight),
        other => Err(format!("found {other:?}, wanted nothing, --quick or --idle").into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(scale: Scale) -> Fallible<()> {
    let bench = Bench::new(scale)?;
    let begun = Instant::now();
    let mut rows = speed::rows(&bench)?;
    rows.extend(waits::rows(&bench)?);
    rows.extend(size::rows(&bench)?);
    println!("{}", machine::line(bench.room()));
    table::print(&rows);
    println!("every count was right; {} s", begun.elapsed().as_secs());
    Ok(())
}

fn measure_idle() -> Fallible<()> {
    let bench = Bench::new(Scale::FULL)?;
    let rows = idle::rows(&bench)?;
    println!("{}", machine::line(bench.room()));
    table::print(&rows);
    Ok(())
}

fn be_the_floor(book: &str, api_url: &str, secret_key: &str, in_flight: &str) -> Fallible<()> {
    floor::run(&floor::Order {
        book: book.into(),
        api_url: api_url.into(),
        secret_key: secret_key.into(),
        in_flight: in_flight.parse()?,
    })
}

/// A count as a number to divide by. Counts here are far below 2^52, so nothing is lost.
pub fn count(number: impl TryInto<u64>) -> f64 {
    let number: u64 = number.try_into().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let number = number as f64;
    number
}

//! Every way the provider can answer the first two charges, as the sandbox's switches, each with the fate of the
//! attempts that meet it when nobody is killed.
//!
//! Those of [`WAYS`] are tried at every kill point and on the wire. Those of [`MORE_WAYS`] are told apart by status,
//! code or one field of the echo alone, which nothing before the answer can see: they are tried at [`DECISIVE`], the
//! points between an answer and what the book makes of it. A connection that is refused needs no switch but a door that
//! is shut: see `refused.rs`.

/// A way to answer: what people call it, the switches, the program's time-out for one call, and the status of an
/// attempt that met it, once an undisturbed run is over.
pub struct Way {
    pub name: &'static str,
    pub faults: &'static str,
    pub timeout: &'static str,
    pub fate: &'static str,
}

const fn way(name: &'static str, faults: &'static str, fate: &'static str) -> Way {
    Way { name, faults, timeout: "3s", fate }
}

const fn silent(name: &'static str, faults: &'static str, fate: &'static str) -> Way {
    Way { name, faults, timeout: "300ms", fate }
}

/// A byte at a time takes seconds on a busy machine.
const fn patient(name: &'static str, faults: &'static str, fate: &'static str) -> Way {
    Way { name, faults, timeout: "30s", fate }
}

/// So many charges meet the way.
pub const MET: u8 = 2;

/// How many charges the provider itself makes twice.
pub fn doubled(faults: &str) -> usize {
    if faults.starts_with("duplicate") { usize::from(MET) } else { 0 }
}

/// Those that are tried at that kill point.
pub fn at(point: &str) -> impl Iterator<Item = &'static Way> {
    let more = if DECISIVE.contains(&point) { MORE_WAYS } else { &[] };
    WAYS.iter().chain(more)
}

/// Those that are tried everywhere.
pub const WAYS: &[Way] = &[
    way("succeeds", "", "succeeded"),
    way("soft decline", "decline:insufficient_fund", "declined"),
    way("hard decline", "decline:stolen_or_lost_card", "declined"),
    way("fraud check", "decline:failed_fraud_check", "declined"),
    way("3-D Secure", "3ds", "pending"),
    way("in flight, then paid", "in_flight:40", "pending"),
    way("400", "status_before:400", "rejected"),
    way("404", "status_before:404", "rejected"),
    way("401", "status_before:401", "rejected"),
    way("429", "too_many:0", "not_sent"),
    way("500 before", "status_before:500", "in_doubt"),
    way("500 after", "status_after:500", "in_doubt"),
    way("503 of a proxy after", "page_after:503", "in_doubt"),
    way("closed before", "close_before", "in_doubt"),
    way("closed after", "close_after", "in_doubt"),
    way("reset before", "reset_before", "in_doubt"),
    way("reset after", "reset_after", "in_doubt"),
    way("closed, processed later", "late:20", "in_doubt"),
    silent("silence before", "silence_before", "in_doubt"),
    silent("silence after", "silence_after", "in_doubt"),
    way("wrong amount", "wrong:amount", "in_doubt"),
    way("wrong metadata", "wrong:metadata", "in_doubt"),
    way("unknown status", "status_word:thinking", "in_doubt"),
    way("half a body", "truncate", "in_doubt"),
    way("cut in the head", "cut_at:40", "in_doubt"),
    way("a page with 200", "html_after", "in_doubt"),
    way("slow", "delay_after:120", "succeeded"),
    way("no date", "no_date", "succeeded"),
];

/// Those that are tried at [`DECISIVE`] alone.
pub const MORE_WAYS: &[Way] = &[
    way("403", "status_before:403", "rejected"),
    way("422", "status_before:422", "rejected"),
    way("408", "status_after:408", "in_doubt"),
    way("409", "status_after:409", "in_doubt"),
    way("425", "status_before:425", "in_doubt"),
    way("307", "redirect:307", "in_doubt"),
    way("302 of a proxy after", "page_after:302", "in_doubt"),
    way("400 of a proxy after", "page_after:400", "in_doubt"),
    way("404 of a proxy before", "page_before:404", "in_doubt"),
    way("429 of a proxy after", "page_after:429", "in_doubt"),
    way("charged twice by the provider", "duplicate", "succeeded"),
    way("charged twice by the provider, and closed", "duplicate,close_after", "in_doubt"),
    way("wrong currency", "wrong:currency", "in_doubt"),
    way("wrong customer", "wrong:customer", "in_doubt"),
    way("wrong livemode", "wrong:livemode", "in_doubt"),
    way("another object", "wrong:object", "in_doubt"),
    way("deeply nested", "deep:100000", "in_doubt"),
    patient("dripped, and whole in time", "drip:0", "succeeded"),
    silent("dripped until the time-out", "drip:50", "in_doubt"),
];

/// Where the answer decides: it was read and nothing is written; the result waits for its commit; the result is durable
/// and nothing after it was done; and what was found of it later waits for its own commit.
pub const DECISIVE: &[&str] =
    &["answer.after_read", "result.before_commit", "result.after_commit", "recovery.before_commit"];

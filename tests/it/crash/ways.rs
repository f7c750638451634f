//! Every way the provider can answer the first two charges, as the sandbox's switches.

/// A way to answer: what people call it, the switches, and the program's time-out for one call.
pub struct Way {
    pub name: &'static str,
    pub faults: &'static str,
    pub timeout: &'static str,
}

const fn way(name: &'static str, faults: &'static str) -> Way {
    Way { name, faults, timeout: "3s" }
}

const fn silent(name: &'static str, faults: &'static str) -> Way {
    Way { name, faults, timeout: "300ms" }
}

/// All of them.
pub const WAYS: &[Way] = &[
    way("succeeds", ""),
    way("soft decline", "decline:insufficient_fund"),
    way("hard decline", "decline:stolen_or_lost_card"),
    way("fraud check", "decline:failed_fraud_check"),
    way("3-D Secure", "3ds"),
    way("in flight, then paid", "in_flight:40"),
    way("400", "status_before:400"),
    way("404", "status_before:404"),
    way("401", "status_before:401"),
    way("429", "too_many:0"),
    way("500 before", "status_before:500"),
    way("500 after", "status_after:500"),
    way("503 of a proxy after", "page_after:503"),
    way("closed before", "close_before"),
    way("closed after", "close_after"),
    way("reset before", "reset_before"),
    way("reset after", "reset_after"),
    way("closed, processed later", "late:20"),
    silent("silence before", "silence_before"),
    silent("silence after", "silence_after"),
    way("wrong amount", "wrong:amount"),
    way("wrong metadata", "wrong:metadata"),
    way("unknown status", "status_word:thinking"),
    way("half a body", "truncate"),
    way("cut in the head", "cut_at:40"),
    way("a page with 200", "html_after"),
    way("slow", "delay_after:120"),
    way("no date", "no_date"),
];

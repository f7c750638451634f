//! `/metrics`: counts, ages and sums in the text that Prometheus reads. Labels are words of ours and codes of the
//! provider; never anything of a customer.

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::lengths::{Call, Seconds, SecondsByCall};
use super::look::Look;
use super::standing::{Phase, Standing};
use crate::billing::Billing;
use crate::billing::webhooks::{self, Doorbell};
use crate::model::{AttemptStatus, FlagReason};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct In {
    currency: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Task {
    /// Not `job`: that label is Prometheus' own name for what it scrapes.
    task: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Heard {
    heard: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Queue {
    queue: &'static str,
}

/// The whole page.
pub(super) fn page(
    look: &Look,
    standing: &Standing,
    billing: &Billing,
    doorbell: Option<&Doorbell>,
) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("dues");
    of_the_book(&mut registry, look);
    of_the_runs(&mut registry, standing);
    of_the_work(&mut registry, billing);
    of_the_queues(&mut registry, billing, doorbell);
    of_the_service(&mut registry, standing);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: i64) {
    let gauge: Gauge = Gauge::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn counter(registry: &mut Registry, name: &str, help: &str, value: u64) {
    let counter: Counter = Counter::default();
    counter.inc_by(value);
    registry.register(name, help, counter);
}

fn of_the_book(registry: &mut Registry, look: &Look) {
    let due = i64::try_from(look.due).unwrap_or(i64::MAX);
    gauge(
        registry,
        "due",
        "Subscriptions that are due now, but for those that a standing flag explains",
        due,
    );
    gauge(registry, "oldest_due_seconds", "How long the oldest of them has been due", look.oldest_due_s);
    gauge(registry, "in_doubt", "Attempts of which nobody knows what became", look.in_doubt);
    gauge(registry, "oldest_doubt_seconds", "Age of the oldest doubt", look.oldest_doubt_s);
    gauge(registry, "pending", "Attempts that wait for the customer or the bank", look.pending);
    gauge(registry, "manual", "Attempts that wait for a person", look.manual);
    let retries = i64::try_from(look.retries).unwrap_or(i64::MAX);
    gauge(registry, "retries_waiting", "Declined invoices that wait for another try", retries);
    let flags = Family::<Reason, Gauge>::default();
    for reason in FlagReason::ALL {
        let n = look.flags.iter().find(|(standing, _)| standing == reason).map_or(0, |(_, n)| *n);
        flags.get_or_create(&Reason { reason: reason.word() }).set(i64::try_from(n).unwrap_or(i64::MAX));
    }
    registry.register("flags", "Standing flags of subscriptions, by reason", flags);
}

fn of_the_runs(registry: &mut Registry, standing: &Standing) {
    let totals = &standing.totals;
    let attempts = Family::<Outcome, Counter>::default();
    for status in AttemptStatus::ALL {
        let n = totals.attempts.get(status).copied().unwrap_or(0);
        attempts.get_or_create(&Outcome { outcome: status.word() }).inc_by(n);
    }
    registry.register("attempts", "Charges sent since the start, by outcome", attempts);
    let resolved = Family::<Outcome, Counter>::default();
    for status in AttemptStatus::ALL {
        let n = totals.resolved.get(status).copied().unwrap_or(0);
        resolved.get_or_create(&Outcome { outcome: status.word() }).inc_by(n);
    }
    registry.register("resolved", "Doubt settled since the start, by outcome", resolved);
    let declines = Family::<Code, Counter>::default();
    for (code, n) in &totals.declines {
        declines.get_or_create(&Code { code: code.clone() }).inc_by(*n);
    }
    registry.register("declines", "Declines since the start, by the provider's code", declines);
    let collected = Family::<In, Counter>::default();
    for (currency, minor) in &totals.collected {
        collected.get_or_create(&In { currency: currency.to_string() }).inc_by(*minor);
    }
    registry.register("collected_minor", "Money collected since the start, in minor units", collected);
    counter(registry, "runs", "Billing runs since the start, also those that something stopped", totals.runs);
    counter(
        registry,
        "retries_scheduled",
        "Retries given an instant since the start",
        totals.retries_scheduled,
    );
    counter(
        registry,
        "unknown_declines",
        "Declines since the start with a code that the table of declines does not know",
        totals.unknown_declines,
    );
    counter(registry, "incidents", "Incidents that need a person since the start", totals.incidents);
}

fn of_the_work(registry: &mut Registry, billing: &Billing) {
    let (lane, meters, latency) = (billing.lane.stats(), &billing.meters, billing.gateway.latency());
    counter(
        registry,
        "provider_requests",
        "Requests to the provider since the start",
        billing.gateway.calls(),
    );
    let calls = [("charge", latency.charges), ("read", latency.reads)];
    let calls = SecondsByCall(calls.map(|(call, lengths)| (Call { call }, lengths)).into());
    registry.register("provider_call_seconds", "How long the provider took, by what was asked", calls);
    let waits = Seconds(meters.waits());
    registry.register("rate_wait_seconds", "Waits for a permit, of those who had to wait", waits);
    counter(registry, "rate_refusals", "Times the provider asked for patience (429)", meters.refusals());
    counter(registry, "commits", "Durable transactions since the start", lane.commits);
    counter(registry, "transitions", "Decisions written by them", lane.transitions);
    registry.register(
        "commit_seconds",
        "How long each took to become durable: its pages go to the log, and the disk has them (fsync)",
        Seconds(lane.lengths),
    );
}

fn of_the_queues(registry: &mut Registry, billing: &Billing, doorbell: Option<&Doorbell>) {
    let heard = Family::<Heard, Counter>::default();
    for word in webhooks::Heard::ALL {
        let n = doorbell.map_or(0, |doorbell| doorbell.count(word));
        heard.get_or_create(&Heard { heard: word.word() }).inc_by(n);
    }
    registry.register("webhooks", "Webhooks that came since the start, by how they were heard", heard);
    let (lane, meters) = (billing.lane.stats(), &billing.meters);
    let (depth, places) = (Family::<Queue, Gauge>::default(), Family::<Queue, Gauge>::default());
    let in_flight = billing.settings.in_flight as u64;
    let mut queues = vec![("book", lane.waiting, lane.places), ("charges", meters.slots(), in_flight)];
    queues.extend(doorbell.map(|doorbell| ("webhooks", doorbell.waiting(), webhooks::PLACES as u64)));
    for (queue, waiting, most) in queues {
        let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        depth.get_or_create(&Queue { queue }).set(whole(waiting));
        places.get_or_create(&Queue { queue }).set(whole(most));
    }
    registry.register(
        "queue_depth",
        "Places taken now: jobs for the book, charges under way, news that wait",
        depth,
    );
    registry.register("queue_places", "And how many there are", places);
}

fn of_the_service(registry: &mut Registry, standing: &Standing) {
    let seconds = |at: Option<Timestamp>| at.map_or(0, Timestamp::as_second);
    let truth = i64::from;
    let good = seconds(standing.last_good_run_at);
    gauge(
        registry,
        "last_good_run_timestamp_seconds",
        "End of the last run over the whole book that no brake, no pause file and nothing else stopped; 0: none yet",
        good,
    );
    let jobs = Family::<Task, Gauge>::default();
    for (task, last) in &standing.jobs {
        jobs.get_or_create(&Task { task }).set(seconds(*last));
    }
    registry.register(
        "job_timestamp_seconds",
        "When a job last began that was done, as the schedule counts; 0: never",
        jobs,
    );
    let failures = Family::<Task, Counter>::default();
    for task in standing.jobs.keys() {
        failures.get_or_create(&Task { task }).inc_by(0);
    }
    for (task, n) in &standing.totals.failures {
        failures.get_or_create(&Task { task }).inc_by(*n);
    }
    registry.register(
        "failures",
        "Pieces of work that failed since the start, by what they were for",
        failures,
    );
    gauge(registry, "serving", "1 once old doubt was looked up", truth(standing.phase == Phase::Serving));
    gauge(registry, "busy", "1 while a piece of work is under way", truth(standing.busy.is_some()));
    gauge(
        registry,
        "clock_trusted",
        "1 while the wall clock is believed: it did not jump, and agrees with the provider's",
        truth(standing.clock_trouble.is_none()),
    );
    let reachable = truth(standing.provider_trouble.is_none());
    gauge(registry, "provider_reachable", "1 unless the last work could not reach it", reachable);
    let refused = truth(standing.refused_config.is_some());
    gauge(registry, "config_refused", "1 while a new config is refused", refused);
    let build = Family::<Build, Gauge>::default();
    build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION") }).set(1);
    registry.register("build_info", "Which program this is", build);
}

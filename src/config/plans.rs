//! `[plans.*]` and the `[dunning.*]` policies that they name.

use std::collections::BTreeMap;

use jiff::civil::Time;

use super::days;
use super::problem::{Place, Problems};
use super::section::{Found, Section, nearest};
use super::top::Top;
use crate::model::{
    Curve, DeclineKind, DunningPolicy, EndAction, Interval, KindPolicy, Money, NewerPeriods, PlanKey,
    PlanTerms, RetrySchedule, Wait, WaitUnit,
};

/// The policy of a plan that names none.
const STANDARD: &str = "standard";

/// Longer, and a retry of one morning would be one of the next.
const LONGEST_SPREAD_SECONDS: u64 = 12 * 3_600;
/// Networks count at most 20 tries in 30 days.
const MOST_RETRIES: usize = 20;
const MOST_DESCRIPTION_CHARS: usize = 200;
const PLACEHOLDERS: [&str; 4] = ["{period_start}", "{period_end}", "{plan}", "{quantity}"];

/// All plans, by name. Mistakes were noted: a plan with one is left out, or lacks the wish that was wrong.
pub(super) fn read(top: &Top<'_>, problems: &Problems<'_>) -> Vec<(PlanKey, PlanTerms)> {
    let entries = top.spread("dunning", "policies such as [dunning.standard]", problems);
    let policies: BTreeMap<&str, Option<DunningPolicy>> =
        entries.iter().map(|(name, found)| (*name, policy(name, found))).collect();
    let wished = top.spread("plans", "plans such as [plans.pro-monthly]", problems);
    if wished.is_empty() {
        problems.note(Place::new(0, 0..0), "plans: found none, wanted at least one [plans.NAME]".into());
    }
    let mut plans: Vec<_> = wished.iter().filter_map(|(name, found)| plan(name, found, &policies)).collect();
    plans.sort_by(|(a, _), (b, _)| a.cmp(b));
    plans
}

fn plan(
    name: &str,
    found: &Found<'_>,
    policies: &BTreeMap<&str, Option<DunningPolicy>>,
) -> Option<(PlanKey, PlanTerms)> {
    const KNOWN: &[&str] = &["name", "price", "every", "trial", "description", "dunning"];
    let key = PlanKey::parse(name).map_err(|wrong| found.wrong(wrong)).ok();
    let section = found.section(KNOWN, "a plan with `price` and `every`")?;
    let every = section
        .need("every", "how often, such as every = \"month\"")
        .and_then(|v| v.parse("an interval such as \"month\"", str::parse::<Interval>));
    let title = match section.get("name") {
        Some(v) => v.text("a name for people").map(ToOwned::to_owned),
        None => Some(name.to_owned()),
    };
    let trial =
        section.get("trial").and_then(|v| v.parse("a trial such as \"14 days\"", str::parse::<Interval>));
    let description = section.get("description").and_then(|v| description(&v));
    let price = price(&section);
    let dunning = dunning(&section, policies);
    Some((
        key?,
        PlanTerms { name: title?, price: price?, every: every?, trial, description, dunning: dunning? },
    ))
}

fn price(section: &Section<'_>) -> Option<Money> {
    let found = section.need("price", "an amount such as price = \"990.00 THB\"")?;
    let price = found.parse("an amount and a currency such as \"990.00 THB\"", str::parse::<Money>)?;
    if price.is_zero() {
        found.wrong(format!("found {price}, wanted more than zero"));
        return None;
    }
    Some(price)
}

fn description(found: &Found<'_>) -> Option<String> {
    let text = found.text("a text for the customer's statement")?;
    let length = text.chars().count();
    if length > MOST_DESCRIPTION_CHARS {
        found.wrong(format!("found {length} characters, wanted at most {MOST_DESCRIPTION_CHARS}"));
        return None;
    }
    let bare = PLACEHOLDERS.iter().fold(text.to_owned(), |text, known| text.replace(known, ""));
    if let Some(at) = bare.find(['{', '}']) {
        let odd: String = bare[at..].chars().take_while(|c| *c != ' ').take(40).collect();
        found.wrong(format!("found {odd:?}, wanted one of {}", PLACEHOLDERS.join(" ")));
        return None;
    }
    Some(text.to_owned())
}

fn dunning(section: &Section<'_>, policies: &BTreeMap<&str, Option<DunningPolicy>>) -> Option<DunningPolicy> {
    let named = section.get("dunning");
    let name = named.as_ref().map_or(Some(STANDARD), |v| v.text("the name of a [dunning.NAME]"))?;
    if let Some(policy) = policies.get(name) {
        return policy.clone();
    }
    let known: Vec<&str> = policies.keys().copied().collect();
    let there =
        if known.is_empty() { "none is defined".into() } else { format!("defined: {}", known.join(", ")) };
    match (named, nearest(name, &known)) {
        (Some(v), Some(near)) => {
            v.wrong_help(format!("found no [dunning.{name}]; {there}"), format!("did you mean \"{near}\"?"));
        }
        (Some(v), None) => v.wrong(format!("found no [dunning.{name}], wanted one to exist; {there}")),
        (None, _) => section.wrong(format!(
            "found no `dunning` and no [dunning.{STANDARD}], which it then stands for; {there}"
        )),
    }
    None
}

/// Keys of a policy; those of its kinds are [`KNOWN_OF_KIND`].
const KNOWN_OF_POLICY: &[&str] = &[
    "retry",
    "backoff",
    "at",
    "then",
    "silent",
    "spread",
    "prefer",
    "prefer_within",
    "avoid",
    "newer",
    "backup_card",
    "funds",
    "issuer",
    "technical",
    "limit",
];

fn policy(name: &str, found: &Found<'_>) -> Option<DunningPolicy> {
    let section = found.section(KNOWN_OF_POLICY, "a policy with `retry` or `backoff`")?;
    let retry = waits(&section);
    if retry.is_none() && section.get("retry").is_none() && section.get("backoff").is_none() {
        section.wrong(
            "found neither `retry` nor `backoff`, wanted one, such as retry = [\"2 days\", \"4 days\"]",
        );
    }
    let at = section.get("at").and_then(|v| v.parse("a local time such as \"09:00\"", local_time));
    let then = match section.get("then") {
        Some(v) => v.word(EndAction::ALL, EndAction::word),
        None => Some(EndAction::Pause),
    };
    let silent =
        section.get("silent").and_then(|v| v.parse("a wait such as \"48 hours\"", str::parse::<Wait>));
    let spread = section.get("spread").and_then(|v| spread(&v));
    let newer = section.get("newer").and_then(|v| v.word(NewerPeriods::ALL, NewerPeriods::word));
    let backup_card = section.get("backup_card").and_then(|v| v.flag()).unwrap_or(false);
    let days = days::read(&section).unwrap_or_default();
    let kinds =
        OF_KINDS.iter().filter_map(|kind| Some((*kind, of_kind(&section.get(kind.word())?)?))).collect();
    Some(DunningPolicy {
        silent,
        backup_card,
        spread,
        days,
        kinds,
        newer: newer.unwrap_or_default(),
        ..DunningPolicy::plain(name.to_owned(), retry?, at, then?)
    })
}

/// Kinds of declines that are tried again at all, so that a policy may have words of its own for them.
const OF_KINDS: [DeclineKind; 4] =
    [DeclineKind::Funds, DeclineKind::Issuer, DeclineKind::Technical, DeclineKind::Limit];
const KNOWN_OF_KIND: &[&str] = &["retry", "backoff", "at", "prefer", "prefer_within", "avoid"];

fn of_kind(found: &Found<'_>) -> Option<KindPolicy> {
    let section =
        found.section(KNOWN_OF_KIND, "what is otherwise for this kind, such as retry = [\"2 hours\"]")?;
    let at = section.get("at").and_then(|v| v.parse("a local time such as \"09:00\"", local_time));
    Some(KindPolicy { retry: waits(&section), at, days: days::read(&section) })
}

/// `retry` or `backoff`; `None`: neither, or a mistake that was noted.
fn waits(section: &Section<'_>) -> Option<RetrySchedule> {
    match (section.get("retry"), section.get("backoff")) {
        (Some(_), Some(backoff)) => {
            backoff.wrong("found beside `retry`, wanted one of the two");
            None
        }
        (Some(list), None) => ladder(&list),
        (None, Some(backoff)) => curve(&backoff),
        (None, None) => None,
    }
}

/// How long retries of one time of day are spread over.
fn spread(found: &Found<'_>) -> Option<Wait> {
    let wanted = "minutes or hours, at most \"12 hours\"";
    found.parse(wanted, |text| {
        let wait: Wait = text.parse()?;
        let short = matches!(wait.unit(), WaitUnit::Minute | WaitUnit::Hour)
            && wait.seconds() <= LONGEST_SPREAD_SECONDS;
        if short { Ok(wait) } else { Err(format!("found {text:?}, wanted {wanted}")) }
    })
}

fn ladder(found: &Found<'_>) -> Option<RetrySchedule> {
    let list = found.list("a list of waits such as [\"2 days\", \"4 days\"]")?;
    if list.len() > MOST_RETRIES {
        found.wrong(format!("found {} waits, wanted at most {MOST_RETRIES}", list.len()));
        return None;
    }
    let waits: Vec<Option<Wait>> = list.iter().map(wait).collect();
    waits.into_iter().collect::<Option<_>>().map(RetrySchedule::Ladder)
}

fn wait(found: &Found<'_>) -> Option<Wait> {
    found.parse("a wait such as \"2 days\"", str::parse::<Wait>)
}

fn curve(found: &Found<'_>) -> Option<RetrySchedule> {
    const SHAPE: &str = "{ first = \"1 day\", multiplier = 2.0, longest = \"7 days\", attempts = 5 }";
    let section = found.section(&["first", "multiplier", "longest", "attempts"], SHAPE)?;
    let need = |key: &str| section.need(key, SHAPE);
    let first = need("first").and_then(|v| wait(&v));
    let multiplier = need("multiplier")
        .and_then(|v| v.milli(1_000..=100_000, "a number from 1 to 100 with at most 3 decimals"));
    let longest = need("longest").and_then(|v| Some((wait(&v)?, v)));
    let attempts = need("attempts").and_then(|v| v.whole(1..=MOST_RETRIES as u64));
    let (first, (longest, place)) = (first?, longest?);
    if longest.seconds() < first.seconds() {
        place.wrong(format!("found {longest}, wanted at least `first`, which is {first}"));
        return None;
    }
    let attempts = u32::try_from(attempts?).ok()?;
    Some(RetrySchedule::Curve(Curve { first, multiplier_milli: multiplier?, longest, attempts }))
}

/// `09:00`, by the minute.
pub(super) fn local_time(text: &str) -> Result<Time, String> {
    let shape = text.len() == 5 && text.is_char_boundary(2) && text.as_bytes().get(2) == Some(&b':');
    let parts = || Some((text.get(..2)?.parse::<i8>().ok()?, text.get(3..)?.parse::<i8>().ok()?));
    shape
        .then(parts)
        .flatten()
        .and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok())
        .ok_or_else(|| format!("found {text:?}, wanted a local time from \"00:00\" to \"23:59\""))
}

//! The sections that hold a run back: `[cards]`, `[doubt]`, `[catch_up]`, `[budgets]`, `[brakes]`.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::SignedDuration;

use super::scalar;
use super::section::Found;
use super::settings::{KeySource, OmiseSettings, SHORTEST_SETTLE};
use crate::model::settings::{Brakes, Budgets, Cards, CatchUp, Doubt, ThreeDs};
use crate::model::{Currency, Money};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// The provider itself ends a payment that nobody confirmed after so long.
const LONGEST_THREE_DS: SignedDuration = SignedDuration::from_hours(24 * 7);
const OLDEST_FRESH_DAYS: SignedDuration = SignedDuration::from_hours(24 * 90);
const LONGEST_WARNING: SignedDuration = SignedDuration::from_hours(24 * 366);
const MOST_WARNINGS: usize = 12;
const DEFAULT_WARNINGS_DAYS: [i64; 3] = [45, 15, 3];
/// A card lives for about five years: twelve renewals of a yearly plan are beyond any card.
const MOST_RENEWALS_AHEAD: u64 = 12;
const DEFAULT_HOLD_AFTER: u32 = 3;
const DEFAULT_CHARGES_PER_RUN: u64 = 100_000;
const DEFAULT_DECLINE_SHARE_MILLI: u32 = 500;

pub(super) fn cards(found: Option<&Found<'_>>) -> Cards {
    const KNOWN: &[&str] = &["fresh", "warn_before", "renewals_ahead", "try_expired"];
    let section = found.and_then(|found| found.section(KNOWN, "[cards] with its keys"));
    let get = |key: &str| section.as_ref().and_then(|section| section.get(key));
    let wanted = "a length of time from \"0s\" to \"90 days\"";
    let fresh = get("fresh").and_then(|v| {
        v.parse(wanted, |t| scalar::duration_between(t, SignedDuration::ZERO, OLDEST_FRESH_DAYS, wanted))
    });
    let defaults =
        || DEFAULT_WARNINGS_DAYS.iter().map(|days| SignedDuration::from_hours(24 * days)).collect();
    Cards {
        fresh: fresh.unwrap_or(DAY),
        warn_before: get("warn_before").and_then(|v| warnings(&v)).unwrap_or_else(defaults),
        renewals_ahead: get("renewals_ahead")
            .and_then(|v| v.whole(0..=MOST_RENEWALS_AHEAD))
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(1),
        try_expired: get("try_expired").and_then(|v| v.flag()).unwrap_or(false),
    }
}

fn warnings(found: &Found<'_>) -> Option<Vec<SignedDuration>> {
    let list = found.list("a list of lengths of time such as [\"45 days\", \"15 days\"]")?;
    if list.len() > MOST_WARNINGS {
        found.wrong(format!("found {} warnings, wanted at most {MOST_WARNINGS}", list.len()));
        return None;
    }
    let wanted = "a length of time from \"1 day\" to \"366 days\"";
    let one = |v: &Found<'_>| v.parse(wanted, |t| scalar::duration_between(t, DAY, LONGEST_WARNING, wanted));
    let mut before: Vec<_> = list.iter().map(one).collect::<Option<_>>()?;
    before.sort_unstable_by(|a, b| b.cmp(a));
    before.dedup();
    Some(before)
}

pub(super) fn doubt(found: Option<&Found<'_>>, omise: &OmiseSettings) -> Doubt {
    let settled = found
        .and_then(|found| found.section(&["settle"], "[doubt] with `settle`"))
        .and_then(|section| section.get("settle"))
        .and_then(|v| v.parse("a length of time such as \"10m\"", |text| settle(text, omise)));
    Doubt { settle: settled.unwrap_or(SHORTEST_SETTLE) }
}

fn settle(text: &str, omise: &OmiseSettings) -> Result<SignedDuration, String> {
    let wanted = "a length of time from \"0s\" to \"24h\"";
    let read = scalar::duration_between(text, SignedDuration::ZERO, DAY, wanted)?;
    // Which kind of key it is shows only once it is read: `Settings::check_key` judges that.
    if read < SHORTEST_SETTLE && !omise.sandbox && omise.key == KeySource::None {
        return Err(format!("found {text:?} without the sandbox or a test key, wanted \"10m\" or longer"));
    }
    Ok(read)
}

pub(super) fn three_ds(found: Option<&Found<'_>>) -> ThreeDs {
    let section = found.and_then(|found| found.section(&["remind", "give_up"], "[three_ds] with its keys"));
    let get = |key: &str| section.as_ref().and_then(|section| section.get(key));
    let wanted = "a length of time from \"1h\" to \"7 days\"";
    let length =
        |v: &Found<'_>| v.parse(wanted, |t| scalar::duration_between(t, HOUR, LONGEST_THREE_DS, wanted));
    let list = |v: Found<'_>| {
        let list = v.list("a list of lengths of time such as [\"1 day\", \"3 days\"]")?;
        if list.len() > MOST_WARNINGS {
            v.wrong(format!("found {} reminders, wanted at most {MOST_WARNINGS}", list.len()));
            return None;
        }
        let mut remind: Vec<_> = list.iter().map(length).collect::<Option<_>>()?;
        remind.sort_unstable();
        remind.dedup();
        Some(remind)
    };
    ThreeDs {
        remind: get("remind").and_then(list).unwrap_or_else(|| vec![DAY, DAY * 3]),
        give_up: get("give_up").and_then(|v| length(&v)).unwrap_or(LONGEST_THREE_DS),
    }
}

pub(super) fn budgets(found: Option<&Found<'_>>) -> Budgets {
    let visa = found
        .and_then(|found| found.section(&["visa_30_days"], "[budgets] with `visa_30_days`"))
        .and_then(|section| section.get("visa_30_days"))
        .and_then(|v| v.whole(1..=u64::from(Budgets::MOST_VISA_30_DAYS)))
        .and_then(|n| u32::try_from(n).ok());
    visa.map_or_else(Budgets::default, |visa_30_days| Budgets { visa_30_days })
}

pub(super) fn catch_up(found: Option<&Found<'_>>) -> CatchUp {
    let hold_after = found
        .and_then(|found| found.section(&["hold_after"], "[catch_up] with `hold_after`"))
        .and_then(|section| section.get("hold_after"))
        .and_then(|v| v.whole(0..=1_200))
        .and_then(|n| u32::try_from(n).ok());
    CatchUp { hold_after: hold_after.unwrap_or(DEFAULT_HOLD_AFTER) }
}

pub(super) fn brakes(found: Option<&Found<'_>>, folder: &Path) -> Brakes {
    const KNOWN: &[&str] =
        &["charges_per_run", "amount_per_run", "amount_per_customer_per_day", "decline_share", "pause_file"];
    let section = found.and_then(|found| found.section(KNOWN, "[brakes] with its keys"));
    let get = |key: &str| section.as_ref().and_then(|section| section.get(key));
    let amounts = |key: &str| get(key).map(|v| amounts(&v)).unwrap_or_default();
    Brakes {
        charges_per_run: get("charges_per_run")
            .and_then(|v| v.whole(1..=i64::MAX.unsigned_abs()))
            .unwrap_or(DEFAULT_CHARGES_PER_RUN),
        amount_per_run: amounts("amount_per_run"),
        amount_per_customer_per_day: amounts("amount_per_customer_per_day"),
        decline_share_milli: get("decline_share")
            .and_then(|v| v.milli(0..=1_000, "a share from 0 to 1 with at most 3 decimals"))
            .unwrap_or(DEFAULT_DECLINE_SHARE_MILLI),
        pause_file: Some(get("pause_file").and_then(|v| v.path()).unwrap_or_else(|| folder.join("PAUSED"))),
    }
}

fn amounts(found: &Found<'_>) -> BTreeMap<Currency, Money> {
    let mut sums = BTreeMap::new();
    for (code, _, value) in
        found.entries("amounts by currency such as { THB = \"1000.00\" }").unwrap_or_default()
    {
        let currency = match code.parse::<Currency>() {
            Ok(currency) => currency,
            Err(wrong) => {
                value.wrong(wrong);
                continue;
            }
        };
        let sum = value.parse("an amount such as \"1000.00\"", |text| {
            Money::parse_number(text, currency).map_err(|wrong| wrong.to_string())
        });
        if let Some(sum) = sum {
            sums.insert(currency, sum);
        }
    }
    sums
}

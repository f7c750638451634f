//! On which days a schedule charges.
//!
//! Promises: every day is decided on its own from the start date, so nothing drifts. In a month too short
//! for its day the last day is taken: what the real service does then is not on record. Must never know
//! charges.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::params::Params;

/// Looking further ahead than this finds nothing more: a schedule every 12 months shows ten years.
const MOST_DAYS_AHEAD: i32 = 40 * 366;

/// The unit of repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Day,
    Week,
    Month,
}

/// Which days of the period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum On {
    EveryDay,
    /// Days of the week, Monday being 1.
    Weekdays(Vec<i8>),
    DaysOfMonth(Vec<i8>),
    /// First to fourth, or 5 for the last, and the day of the week.
    WeekdayOfMonth(i8, i8),
}

/// When a schedule charges, between two dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    pub every: i32,
    pub period: Period,
    pub on: On,
    pub start: Date,
    pub end: Date,
}

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const TURNS: [&str; 5] = ["1st", "2nd", "3rd", "4th", "last"];

fn bad(message: &str) -> ApiError {
    ApiError::bad("bad_request", message)
}

fn weekday(name: &str) -> Option<i8> {
    let spot = WEEKDAYS.iter().position(|known| known.eq_ignore_ascii_case(name))?;
    i8::try_from(spot + 1).ok()
}

impl Rhythm {
    /// Reads what a client asks; `today` is the start when none is named.
    pub fn read(params: &Params, today: Date) -> Result<Self, ApiError> {
        let every = params.whole("every").ok().flatten().and_then(|every| i32::try_from(every).ok());
        let every = every.filter(|every| (1..=366).contains(every)).ok_or_else(|| bad("every is invalid"))?;
        let period = match params.text("period").as_deref() {
            Some("day") => Period::Day,
            Some("week") => Period::Week,
            Some("month") => Period::Month,
            _ => return Err(bad("period is not day, week or month")),
        };
        let date = |name: &str| {
            let read = |text: String| text.get(..10).and_then(|day| day.parse::<Date>().ok());
            params
                .text(name)
                .map(|text| read(text).ok_or_else(|| bad(&format!("{name} is invalid"))))
                .transpose()
        };
        let start = date("start_date")?.unwrap_or(today);
        let end = date("end_date")?.ok_or_else(|| bad("end_date can't be blank"))?;
        if start < today || end < start {
            return Err(bad("start_date is in the past or after end_date"));
        }
        Ok(Self { every, period, on: On::read(period, &params.group("on"))?, start, end })
    }

    fn falls_on(&self, date: Date) -> bool {
        if date < self.start || date > self.end {
            return false;
        }
        match (self.period, &self.on) {
            (Period::Day, _) => days_between(self.start, date) % self.every == 0,
            (Period::Week, On::Weekdays(days)) => {
                let monday = |day: Date| i32::from(day.weekday().to_monday_zero_offset());
                let weeks = (days_between(self.start, date) + monday(self.start) - monday(date)) / 7;
                weeks % self.every == 0 && days.contains(&date.weekday().to_monday_one_offset())
            }
            (Period::Month, on) => {
                let months = |day: Date| i32::from(day.year()) * 12 + i32::from(day.month());
                (months(date) - months(self.start)) % self.every == 0 && on.falls_on(date)
            }
            (Period::Week, _) => false,
        }
    }

    /// The days after `last` (or from the start), in order, at most `most`.
    pub fn days_after(&self, last: Option<Date>, most: usize) -> Vec<Date> {
        let first = last.and_then(|day| day.checked_add(1.day()).ok()).unwrap_or(self.start).max(self.start);
        let mut found = Vec::new();
        let mut day = first;
        for _ in 0..MOST_DAYS_AHEAD {
            if day > self.end || found.len() >= most {
                break;
            }
            if self.falls_on(day) {
                found.push(day);
            }
            let Ok(next) = day.checked_add(1.day()) else { break };
            day = next;
        }
        found
    }

    /// The rhythm in English.
    pub fn in_words(&self) -> String {
        let period = match self.period {
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
        };
        let plural = if self.every == 1 { "" } else { "(s)" };
        match self.on.words() {
            Some(days) => format!("Every {} {period}{plural} on {days}", self.every),
            None => format!("Every {} {period}{plural}", self.every),
        }
    }
}

impl On {
    fn read(period: Period, on: &Params) -> Result<Self, ApiError> {
        let list = |name: &str| match on.get(name) {
            Some(Value::Array(items)) => items.iter().map(plain).collect(),
            Some(single) => vec![plain(single)],
            None => Vec::new(),
        };
        match period {
            Period::Day => Ok(Self::EveryDay),
            Period::Week => {
                let days: Option<Vec<i8>> = list("weekdays").iter().map(|name| weekday(name)).collect();
                let days = days.filter(|days| !days.is_empty());
                days.map(Self::Weekdays).ok_or_else(|| bad("on[weekdays] is missing or invalid"))
            }
            Period::Month => {
                if let Some(text) = on.text("weekday_of_month") {
                    return read_turn(&text).ok_or_else(|| bad("on[weekday_of_month] is invalid"));
                }
                let read = |text: &String| text.parse().ok().filter(|day| (1..=31).contains(day));
                let days: Option<Vec<i8>> = list("days_of_month").iter().map(read).collect();
                let days = days.filter(|days| !days.is_empty());
                days.map(Self::DaysOfMonth).ok_or_else(|| bad("on[days_of_month] is missing or invalid"))
            }
        }
    }

    fn falls_on(&self, date: Date) -> bool {
        match self {
            Self::DaysOfMonth(days) => days.iter().any(|day| date.day() == (*day).min(date.days_in_month())),
            Self::WeekdayOfMonth(turn, day) => {
                let right = date.weekday().to_monday_one_offset() == *day;
                let place = (date.day() - 1) / 7 + 1;
                right && if *turn == 5 { date.day() + 7 > date.days_in_month() } else { place == *turn }
            }
            Self::EveryDay | Self::Weekdays(_) => false,
        }
    }

    /// As the API shows it.
    pub fn show(&self) -> Value {
        let name = |day: &i8| usize::try_from(*day - 1).ok().and_then(|spot| WEEKDAYS.get(spot)).copied();
        match self {
            Self::EveryDay => Value::Object(Map::new()),
            Self::Weekdays(days) => json!({"weekdays": days.iter().map(name).collect::<Vec<_>>()}),
            Self::DaysOfMonth(days) => json!({"days_of_month": days}),
            Self::WeekdayOfMonth(turn, day) => {
                let turn = usize::try_from(*turn - 1).ok().and_then(|spot| TURNS.get(spot)).copied();
                json!({"weekday_of_month": format!("{}_{}", turn.unwrap_or_default(), name(day).unwrap_or_default())})
            }
        }
    }

    fn words(&self) -> Option<String> {
        match self.show() {
            Value::Object(map) => map.into_iter().next().map(|(_, value)| match value {
                Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
                other => plain(&other).replace('_', " "),
            }),
            _ => None,
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn read_turn(text: &str) -> Option<On> {
    let (turn, day) = text.split_once('_')?;
    let turn = TURNS.iter().position(|known| known.eq_ignore_ascii_case(turn))?;
    Some(On::WeekdayOfMonth(i8::try_from(turn + 1).ok()?, weekday(day)?))
}

fn days_between(from: Date, to: Date) -> i32 {
    (to - from).get_days()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(query: &str, today: &str) -> Vec<String> {
        let params = Params::read(Some(query), b"").expect("reads");
        let rhythm = Rhythm::read(&params, today.parse().expect("date")).expect("a rhythm");
        rhythm.days_after(None, 4).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_kind_of_rhythm_falls_where_told() {
        let month_end = days("every=1&period=month&on[days_of_month][]=31&end_date=2028-01-01", "2027-01-15");
        assert_eq!(month_end, ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]);
        let week = days("every=2&period=week&on[weekdays][]=monday&end_date=2028-01-01", "2026-11-20");
        assert_eq!(week, ["2026-11-30", "2026-12-14", "2026-12-28", "2027-01-11"]);
        let last =
            days("every=1&period=month&on[weekday_of_month]=last_friday&end_date=2027-12-31", "2026-11-20");
        assert_eq!(last[..2], ["2026-11-27", "2026-12-25"]);
        let day = days("every=3&period=day&end_date=2026-11-28", "2026-11-20");
        assert_eq!(day, ["2026-11-20", "2026-11-23", "2026-11-26"]);
    }

    #[test]
    fn a_rhythm_without_its_days_is_refused() {
        for query in [
            "every=1&period=month&end_date=2028-01-01",
            "every=1&period=week&end_date=2028-01-01",
            "every=1&period=day",
        ] {
            let params = Params::read(Some(query), b"").expect("reads");
            assert_eq!(
                Rhythm::read(&params, "2027-01-15".parse().expect("date")).expect_err(query).code,
                "bad_request"
            );
        }
    }
}

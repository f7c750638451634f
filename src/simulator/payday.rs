//! When money comes in: the days on which most people are paid.
//!
//! Promises: a function of the calendar alone; holidays are not known. Must never know whose money it is.

use jiff::civil::{Date, Weekday};

/// A day of every month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payday {
    /// This day.
    Day(i8),
    /// The last day of the month that is no weekend.
    LastWorkingDay,
}

impl Payday {
    /// One of the four, by a number that was drawn.
    pub const fn of(drawn: u64) -> Self {
        match drawn % 4 {
            0 => Self::Day(25),
            1 => Self::LastWorkingDay,
            2 => Self::Day(1),
            _ => Self::Day(15),
        }
    }

    /// Whether that day lies within a day of it.
    pub fn is_near(self, day: Date) -> bool {
        let near = [day.yesterday().unwrap_or(day), day, day.tomorrow().unwrap_or(day)];
        near.into_iter().any(|day| match self {
            Self::Day(wanted) => day.day() == wanted,
            Self::LastWorkingDay => day == last_working_day(day),
        })
    }
}

fn last_working_day(day: Date) -> Date {
    let last = day.last_of_month();
    let back = match last.weekday() {
        Weekday::Saturday => 1,
        Weekday::Sunday => 2,
        _ => 0,
    };
    (0..back).fold(last, |day, _| day.yesterday().unwrap_or(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_working_day_is_no_weekend() {
        assert_eq!(last_working_day(Date::constant(2026, 1, 3)), Date::constant(2026, 1, 30));
        assert_eq!(last_working_day(Date::constant(2026, 3, 3)), Date::constant(2026, 3, 31));
    }

    #[test]
    fn near_means_the_day_before_and_the_day_after_too() {
        let near = |day: i8| Payday::Day(25).is_near(Date::constant(2026, 6, day));
        assert_eq!([23, 24, 25, 26, 27].map(near), [false, true, true, true, false]);
        assert!(Payday::Day(1).is_near(Date::constant(2026, 6, 30)), "tomorrow is the first");
    }
}

//! Which days a subscription's periods start and end, each computed from the anchor and never from the period
//! before it.
//!
//! Promises: periods tile time without gap or overlap, across a change of interval or zone too: the first period after
//! it starts where the one before it ends, all later ones by the new calendar; a month too short for the anchor's day
//! uses its last day and does not shift the months after it. A day that the zone left out is a period without any
//! instant: it keeps its index, and takes no time from its neighbours.
//! Must never know: what a period costs, or whether it is billed.

use jiff::civil::Date;
use jiff::{Span, Timestamp};

use super::RuleError;
use crate::hooks::{Bug, planted};
use crate::model::{BillingPeriod, Interval, PlanTerms, Subscription, Unit, Zone};

/// The periods that one anchor, interval and zone give.
#[derive(Clone, Copy, Debug)]
pub struct Calendar<'a> {
    /// The first day of period `anchor_index`.
    pub anchor: Date,
    /// The instant at which the anchor's own period starts; `None`: the first one of `anchor`.
    pub anchor_at: Option<Timestamp>,
    /// The index that the anchor's own period has.
    pub anchor_index: u32,
    /// From one period to the next.
    pub every: Interval,
    /// Whose midnight a day starts at.
    pub zone: &'a Zone,
}

impl<'a> Calendar<'a> {
    /// The calendar of a subscription under these terms.
    pub const fn of(subscription: &'a Subscription, terms: &PlanTerms) -> Self {
        Self {
            anchor: subscription.anchor,
            anchor_at: subscription.anchor_at,
            anchor_index: subscription.anchor_index,
            every: terms.every,
            zone: &subscription.zone,
        }
    }

    /// The first day of that period, in the zone. Fails before the anchor and beyond the year 9999.
    pub fn start_date(&self, index: u32) -> Result<Date, RuleError> {
        let beyond =
            || RuleError::Overflow(format!("period {index} lies outside the years that can be counted"));
        let steps = index.checked_sub(self.anchor_index).ok_or_else(beyond)?;
        if planted(Bug::LastDatePlusInterval) {
            return (0..steps).try_fold(self.anchor, |last, _| add(last, self.every, 1)).ok_or_else(beyond);
        }
        add(self.anchor, self.every, steps).ok_or_else(beyond)
    }

    /// The first instant of that period.
    pub fn start(&self, index: u32) -> Result<Timestamp, RuleError> {
        if let Some(at) = self.anchor_at.filter(|_| index == self.anchor_index) {
            return Ok(at);
        }
        let date = self.start_date(index)?;
        self.zone.start_of(date).map_err(|e| RuleError::Overflow(format!("period {index}: {e}")))
    }

    /// That period: from its first instant up to the next one's.
    pub fn period(&self, index: u32) -> Result<BillingPeriod, RuleError> {
        let next = index
            .checked_add(1)
            .ok_or_else(|| RuleError::Overflow(format!("period {index} has none after it")))?;
        Ok(BillingPeriod { index, start: self.start(index)?, end: self.start(next)? })
    }

    /// The period of that index; where the zone left its day out, the next one in which there is any time.
    pub fn lasting_period(&self, index: u32) -> Result<BillingPeriod, RuleError> {
        let period = self.period(index)?;
        if !period.is_empty() {
            return Ok(period);
        }
        // All that are empty start where the first with time in it does; that one is the last of them.
        self.period(self.first_reaching(index, after(period.start)).saturating_sub(1))
    }

    /// How many of the periods `from..to` have no time in them: days that the zone left out. Found from the changes of
    /// its clock, so that years of days cost no more than these.
    pub fn empty_among(&self, from: u32, to: u32) -> u32 {
        // No zone ever left out two days in a row, so that only a day by itself can be gone.
        if from >= to || self.every.unit() != Unit::Day || self.every.count() > 1 {
            return 0;
        }
        let Some(first) =
            self.start(from).ok().and_then(|start| start.checked_sub(Span::new().seconds(1)).ok())
        else {
            return 0;
        };
        let last = self.start(to).unwrap_or(Timestamp::MAX);
        let changes = self.zone.rules().following(first).map(|change| change.timestamp());
        let near = changes.take_while(|at| *at <= last).filter(|at| self.leaves_out_a_day(*at));
        near.map(|at| {
            let (begin, end) = (self.first_reaching(from, at), self.first_reaching(from, after(at)));
            end.saturating_sub(1).min(to).saturating_sub(begin)
        })
        .sum()
    }

    /// Whether the zone's clocks went past a whole day at that instant.
    fn leaves_out_a_day(&self, at: Timestamp) -> bool {
        let before = at.checked_sub(Span::new().seconds(1)).unwrap_or(Timestamp::MIN);
        self.zone.date(before).tomorrow().is_ok_and(|next| next < self.zone.date(at))
    }

    /// The first index, not before `from`, whose period starts at `bound` or later; found in a number of steps
    /// that grows with the logarithm of the distance, so that years of missed days cost nothing. Where the
    /// calendar ends, so do the periods: the first that cannot be counted is taken to start late enough.
    pub fn first_reaching(&self, from: u32, bound: Timestamp) -> u32 {
        search(from, |index| self.start(index).map_or(true, |start| start >= bound))
    }

    /// The first index, not before the anchor's, whose period starts on a day after `day`.
    pub fn first_index_after(&self, day: Date) -> u32 {
        search(self.anchor_index, |index| self.start_date(index).map_or(true, |start| start > day))
    }

    /// The first index, not before `from`, whose period is not due at `at`: it starts later.
    pub fn first_not_due(&self, from: u32, at: Timestamp) -> u32 {
        if planted(Bug::AnniversaryIsToday) {
            let today = self.start(from).is_ok_and(|start| self.zone.date(start) == self.zone.date(at));
            return from + u32::from(today);
        }
        self.first_reaching(from, after(at))
    }
}

/// The day from which periods are counted after a change, and the instant at which the first of them starts where that
/// is not the day's own first one.
///
/// `day` is the first day of that period by the old calendar and `starts` its first instant, which is where the period
/// before it ends. The day is kept, so that the 1st stays the 1st in another zone. Only where a short interval would
/// then end before it began (a daily plan that moves across the date line) is it the day that the new zone has then.
pub fn anchor_after_change(
    day: Date,
    starts: Timestamp,
    every: Interval,
    zone: &Zone,
) -> (Date, Option<Timestamp>) {
    let start_of = |day: Date| zone.start_of(day).ok();
    let ends_later = |day: Date| add(day, every, 1).and_then(start_of).is_none_or(|end| end > starts);
    let anchor = if ends_later(day) { day } else { zone.date(starts) };
    (anchor, Some(starts).filter(|at| start_of(anchor) != Some(*at)))
}

/// The first index not before `from` that `reached` says yes to; it must say yes to every later one too.
fn search(from: u32, reached: impl Fn(u32) -> bool) -> u32 {
    if reached(from) {
        return from;
    }
    let (mut low, mut step) = (from, 1_u32);
    let mut high = loop {
        let probe = low.saturating_add(step);
        if probe == u32::MAX || reached(probe) {
            break probe;
        }
        low = probe;
        step = step.saturating_mul(2);
    };
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if reached(middle) { high = middle } else { low = middle }
    }
    high
}

/// The first whole second after `at`.
pub fn after(at: Timestamp) -> Timestamp {
    at.checked_add(Span::new().seconds(1)).unwrap_or(Timestamp::MAX)
}

/// Period `index` of a subscription whose period `anchor_index` starts on `anchor`.
pub fn period(
    anchor: Date,
    anchor_index: u32,
    every: Interval,
    zone: &Zone,
    index: u32,
) -> Result<BillingPeriod, RuleError> {
    Calendar { anchor, anchor_at: None, anchor_index, every, zone }.period(index)
}

/// Period `index` of that subscription under these terms.
pub fn period_of(
    subscription: &Subscription,
    terms: &PlanTerms,
    index: u32,
) -> Result<BillingPeriod, RuleError> {
    Calendar::of(subscription, terms).period(index)
}

/// `steps` intervals after `date`; a day that the month lacks becomes its last. `None` beyond the year 9999.
pub fn add(date: Date, every: Interval, steps: u32) -> Option<Date> {
    let units = i64::from(every.count()).checked_mul(i64::from(steps))?;
    let span = match every.unit() {
        Unit::Day => Span::new().try_days(units),
        Unit::Week => Span::new().try_weeks(units),
        Unit::Month => Span::new().try_months(units),
        Unit::Year => Span::new().try_years(units),
    };
    date.checked_add(span.ok()?).ok()
}

//! What stops a run before it does harm.

use std::collections::{BTreeMap, VecDeque};

use crate::model::settings::Brakes;
use crate::model::{Currency, Money, StoppedBy};

/// The brakes of one run, counting.
pub(super) struct RunBrakes {
    brakes: Brakes,
    limit: Option<u64>,
    charges: u64,
    amounts: BTreeMap<Currency, i64>,
    answers: VecDeque<bool>,
    declines: usize,
}

impl RunBrakes {
    /// Nothing counted yet; `limit` is what was asked for on the command line.
    pub(super) fn new(brakes: Brakes, limit: Option<u64>) -> Self {
        Self {
            brakes,
            limit,
            charges: 0,
            amounts: BTreeMap::new(),
            answers: VecDeque::with_capacity(Brakes::DECLINE_WINDOW),
            declines: 0,
        }
    }

    /// Counts a charge that is about to be made, or says which brake forbids it.
    pub(super) fn reserve(&mut self, amount: Money) -> Result<(), StoppedBy> {
        if self.limit.is_some_and(|limit| self.charges >= limit) {
            return Err(StoppedBy::Limit);
        }
        if self.charges >= self.brakes.charges_per_run {
            return Err(StoppedBy::ChargesPerRun);
        }
        let sum = self.amounts.entry(amount.currency()).or_default();
        let with_this = sum.saturating_add(amount.minor());
        let most = self.brakes.amount_per_run.get(&amount.currency());
        if most.is_some_and(|most| with_this > most.minor()) {
            return Err(StoppedBy::AmountPerRun);
        }
        *sum = with_this;
        self.charges += 1;
        Ok(())
    }

    /// Takes back a charge that was not made after all.
    pub(super) fn release(&mut self, amount: Money) {
        self.charges = self.charges.saturating_sub(1);
        if let Some(sum) = self.amounts.get_mut(&amount.currency()) {
            *sum = sum.saturating_sub(amount.minor());
        }
    }

    /// Counts an answer; `new_decline`: the first decline of its invoice. Says when there are too many of them.
    pub(super) fn answered(&mut self, new_decline: bool) -> Option<StoppedBy> {
        if self.answers.len() == Brakes::DECLINE_WINDOW && self.answers.pop_front() == Some(true) {
            self.declines -= 1;
        }
        self.answers.push_back(new_decline);
        self.declines += usize::from(new_decline);
        let judged = self.answers.len() == Brakes::DECLINE_WINDOW;
        let too_many =
            self.declines * 1000 > self.brakes.decline_share_milli as usize * Brakes::DECLINE_WINDOW;
        (judged && too_many).then_some(StoppedBy::DeclineShare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brakes() -> Brakes {
        Brakes {
            charges_per_run: 3,
            amount_per_run: [(Currency::Thb, Money::new(250, Currency::Thb).unwrap())].into(),
            amount_per_customer_per_day: BTreeMap::new(),
            decline_share_milli: 500,
            pause_file: None,
        }
    }

    fn thb(minor: i64) -> Money {
        Money::new(minor, Currency::Thb).unwrap()
    }

    #[test]
    fn counts_and_sums_are_never_exceeded() {
        let mut run = RunBrakes::new(brakes(), None);
        assert_eq!(run.reserve(thb(100)), Ok(()));
        assert_eq!(run.reserve(thb(151)), Err(StoppedBy::AmountPerRun));
        assert_eq!(run.reserve(thb(150)), Ok(()));
        run.release(thb(150));
        assert_eq!(run.reserve(thb(100)), Ok(()));
        assert_eq!(run.reserve(Money::new(9, Currency::Jpy).unwrap()), Ok(()), "no cap for yen");
        assert_eq!(run.reserve(thb(1)), Err(StoppedBy::ChargesPerRun));
    }

    #[test]
    fn a_limit_of_the_command_line_comes_first() {
        let mut run = RunBrakes::new(brakes(), Some(1));
        assert_eq!(run.reserve(thb(1)), Ok(()));
        assert_eq!(run.reserve(thb(1)), Err(StoppedBy::Limit));
    }

    #[test]
    fn declines_are_judged_over_the_last_two_hundred() {
        let mut run = RunBrakes::new(brakes(), None);
        for _ in 0..199 {
            assert_eq!(run.answered(true), None);
        }
        assert_eq!(run.answered(true), Some(StoppedBy::DeclineShare));
        for _ in 0..100 {
            run.answered(false);
        }
        assert_eq!(run.answered(false), None, "half of the last 200 is not more than half");
    }
}

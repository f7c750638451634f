//! How often a card may be tried after it was declined.
//!
//! The card networks charge for, and then forbid, too many tries of one card. Visa: 20 declines in 30 days, of which
//! the operator may use fewer; Mastercard: 10 in 24 hours, and 35 in 30 days of one amount. Of every other network, and
//! of a card whose network nobody told us, the strictest of all is taken. Our own ceiling is lower: one retry after a
//! decline, per invoice and card, in 24 hours. Declines dated later than now count too: the book may have been run
//! ahead. A card that must never be tried again has no budget at all; that is judged with the card itself.
//! Promises: every way to a charge leads through here.
//! Must never know: the dunning policy, and who asked for the try.

use jiff::{SignedDuration, Timestamp};

use super::Circumstances;
use crate::hooks::{Bug, planted};
use crate::model::settings::Budgets;
use crate::model::{AttemptStatus, CardDecline, CardId, Money, Network, OpenInvoice, Snapshot};

const DAY: SignedDuration = SignedDuration::from_hours(24);
const MONTH: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Declines of one Mastercard in 24 hours after which it rests.
const MASTERCARD_A_DAY: usize = 10;
/// Declines of one Mastercard and amount in 30 days after which it rests for that amount.
const MASTERCARD_A_MONTH: usize = 35;

/// Declines within a window after which a card rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Allowance {
    most: usize,
    window: SignedDuration,
    /// Only declines of the amount that is asked for now.
    of_amount: bool,
}

/// A card as the networks count it.
#[derive(Clone, Copy, Debug)]
struct Counted<'a> {
    card: &'a CardId,
    /// The same for the same number; `None` when the provider gives none.
    fingerprint: Option<&'a str>,
    /// `None`: nobody told us.
    network: Option<Network>,
}

impl<'a> Counted<'a> {
    fn of(s: &'a Snapshot, card: &'a CardId) -> Self {
        let read = s.customer.card(card);
        Self {
            card,
            fingerprint: read.and_then(|card| card.fingerprint.as_deref()),
            network: read.and_then(|card| Network::of_brand(&card.brand)),
        }
    }

    /// Whether that decline was of this card, or of another one of the same number.
    fn was_declined_by(&self, decline: &CardDecline) -> bool {
        decline.card == *self.card
            || (self.fingerprint.is_some() && decline.fingerprint.as_deref() == self.fingerprint)
    }
}

/// When this card may be tried for this invoice; `None`: now.
pub(super) fn rests_until(
    s: &Snapshot,
    open: &OpenInvoice,
    card: &CardId,
    c: &Circumstances,
) -> Option<Timestamp> {
    if planted(Bug::OverBudget) {
        return None;
    }
    let now = c.budget_now;
    let counted = Counted::of(s, card);
    let of_network = allowances(counted.network, c.budgets)
        .into_iter()
        .filter_map(|allowance| allowance.frees_at(&s.declines, counted, open.invoice.amount, now));
    let own = frees_at(retries(open, card), now, DAY, 1);
    of_network.chain(own).max()
}

/// What the network allows; `None`: nobody told us which it is, or it publishes nothing.
fn allowances(network: Option<Network>, budgets: Budgets) -> [Allowance; 2] {
    let visa = usize::try_from(budgets.visa_30_days.min(Budgets::MOST_VISA_30_DAYS)).unwrap_or(0);
    let of = |most, window, of_amount| Allowance { most, window, of_amount };
    match network {
        Some(Network::Visa) => [of(visa, MONTH, false); 2],
        Some(Network::Mastercard) => [of(MASTERCARD_A_DAY, DAY, false), of(MASTERCARD_A_MONTH, MONTH, true)],
        _ => [of(MASTERCARD_A_DAY, DAY, false), of(visa.min(MASTERCARD_A_MONTH), MONTH, false)],
    }
}

impl Allowance {
    fn frees_at(
        self,
        declines: &[CardDecline],
        card: Counted<'_>,
        amount: Money,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let counted = declines
            .iter()
            .filter(|decline| card.was_declined_by(decline))
            .filter(|decline| !self.of_amount || decline.amount == amount);
        frees_at(counted.map(|decline| decline.at), now, self.window, self.most)
    }
}

/// When fewer than `most` of these lie within the window before now; `None`: that is so now.
fn frees_at(
    instants: impl Iterator<Item = Timestamp>,
    now: Timestamp,
    window: SignedDuration,
    most: usize,
) -> Option<Timestamp> {
    let mut counted: Vec<_> = instants.filter(|at| now.duration_since(*at) < window).collect();
    if counted.len() < most {
        return None;
    }
    counted.sort_unstable();
    let last_that_must_age = counted.len().checked_sub(most).and_then(|place| counted.get(place))?;
    last_that_must_age.checked_add(window).ok()
}

/// When this invoice was tried again with this card after it had been declined with it. An answer that showed no
/// card is taken for this one.
fn retries<'a>(open: &'a OpenInvoice, card: &'a CardId) -> impl Iterator<Item = Timestamp> {
    open.attempts
        .iter()
        .filter(|a| a.status == AttemptStatus::Declined)
        .filter(move |a| a.card.as_ref().is_none_or(|of| of == card))
        .skip(1)
        .map(|a| a.intended_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decline(hours: i64, minor: i64, card: &str, fingerprint: Option<&str>) -> CardDecline {
        CardDecline {
            card: card.parse().unwrap(),
            fingerprint: fingerprint.map(Into::into),
            at: at(hours),
            amount: Money::new(minor, crate::model::Currency::Thb).unwrap(),
            never: false,
        }
    }

    fn at(hours: i64) -> Timestamp {
        "2026-03-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    /// Declines of 1.00 THB at these hours; when the card of that network may be tried again at `now`, in hours.
    fn rests(network: Option<Network>, hours: &[i64], now: i64) -> Option<i64> {
        let declines: Vec<_> =
            hours.iter().map(|hours| decline(*hours, 100, "card_test_1", Some("print"))).collect();
        rests_with(network, &declines, 100, now)
    }

    fn rests_with(network: Option<Network>, declines: &[CardDecline], minor: i64, now: i64) -> Option<i64> {
        let card = "card_test_1".parse().unwrap();
        let counted = Counted { card: &card, fingerprint: Some("print"), network };
        let amount = Money::new(minor, crate::model::Currency::Thb).unwrap();
        allowances(network, Budgets::default())
            .into_iter()
            .filter_map(|one| one.frees_at(declines, counted, amount, at(now)))
            .max()
            .map(|free| free.duration_since(at(0)).as_hours())
    }

    const A_MONTH: i64 = 30 * 24;

    #[test]
    fn visa_rests_after_fifteen_in_thirty_days() {
        let hours: Vec<i64> = (0..15).collect();
        assert_eq!(rests(Some(Network::Visa), &hours[..14], 15), None);
        assert_eq!(rests(Some(Network::Visa), &hours, 15), Some(A_MONTH));
        assert_eq!(rests(Some(Network::Visa), &hours, A_MONTH), None, "the first has aged");
    }

    #[test]
    fn visa_may_be_given_what_it_allows_and_no_more() {
        for (wished, most) in [(1, 1), (20, 20), (99, 20)] {
            let [visa, _] = allowances(Some(Network::Visa), Budgets { visa_30_days: wished });
            assert_eq!((visa.most, visa.window), (most, MONTH));
        }
    }

    #[test]
    fn mastercard_rests_after_ten_in_a_day_and_thirty_five_of_one_amount_in_thirty() {
        let burst: Vec<i64> = vec![0; 10];
        assert_eq!(rests(Some(Network::Mastercard), &burst, 1), Some(24));
        assert_eq!(rests(Some(Network::Mastercard), &burst, 24), None);
        let slow: Vec<i64> = (0..35).map(|n| n * 12).collect();
        assert_eq!(rests(Some(Network::Mastercard), &slow[..34], 35 * 12), None);
        assert_eq!(rests(Some(Network::Mastercard), &slow, 35 * 12), Some(A_MONTH));
        let mut declines: Vec<_> = slow.iter().map(|h| decline(*h, 100, "card_test_1", None)).collect();
        assert_eq!(rests_with(Some(Network::Mastercard), &declines, 101, 35 * 12), None, "another amount");
        declines[0].amount = Money::new(101, crate::model::Currency::Thb).unwrap();
        assert_eq!(rests_with(Some(Network::Mastercard), &declines, 100, 35 * 12), None);
    }

    #[test]
    fn a_network_that_nobody_told_us_gets_the_strictest_of_all() {
        for network in [None, Some(Network::Jcb), Some(Network::Amex), Some(Network::UnionPay)] {
            assert_eq!(rests(network, &[0; 10], 1), Some(24), "{network:?}");
            let slow: Vec<i64> = (0..15).map(|n| n * 24).collect();
            assert_eq!(rests(network, &slow, 16 * 24), Some(A_MONTH), "{network:?}");
        }
    }

    #[test]
    fn another_card_of_the_same_number_counts_and_another_number_does_not() {
        let of = |card: &str, print: Option<&str>| -> Vec<_> {
            (0..10).map(|_| decline(0, 100, card, print)).collect()
        };
        assert_eq!(rests_with(None, &of("card_test_2", Some("print")), 100, 1), Some(24));
        assert_eq!(rests_with(None, &of("card_test_2", Some("other")), 100, 1), None);
        assert_eq!(rests_with(None, &of("card_test_2", None), 100, 1), None);
    }

    #[test]
    fn declines_dated_later_than_now_count() {
        assert_eq!(rests(None, &[5; 10], 1), Some(29));
    }
}

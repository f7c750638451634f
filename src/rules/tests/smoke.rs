//! The shortest way through: a period is charged once.

use super::book::{Book, Look};
use super::kit::day;
use crate::model::{ChargeOutcome, EventKind, InvoiceStatus, SkipReason, SubscriptionStatus};

#[test]
fn a_due_period_is_charged_once_and_the_next_one_a_month_later() {
    let mut book = Book::monthly("2026-01-31");
    for (index, when) in ["2026-01-31", "2026-02-28", "2026-03-31"].into_iter().enumerate() {
        book.go_to(day(when));
        assert!(book.is_due(), "{when}");
        let Look::Charge(charge) = book.look() else { panic!("{when}") };
        assert_eq!(charge.request.amount.to_string(), "990.00 THB");
        let charged = format!("chrg_test_{index}").parse().unwrap();
        book.conclude(&charge.request.attempt, &ChargeOutcome::Succeeded { charge: charged, card: None });
        assert_eq!(book.rows.invoices[index].invoice.status, InvoiceStatus::Paid);
        assert!(!book.is_due(), "{:?}", book.rows.subscription);
        assert!(matches!(book.look(), Look::Skipped(SkipReason::NotDue)));
        assert_eq!(book.rows.subscription.status, SubscriptionStatus::Active);
    }
    assert_eq!(book.happened(EventKind::InvoicePaid), 3);
    assert_eq!(book.rows.subscription.wake_at, Some(day("2026-04-30")));
}

//! When doubt is looked at, where, and how a look is judged.

use jiff::SignedDuration;

use super::book::Book;
use super::kit::day;
use super::story::{seen, tell};
use crate::model::{Attempt, SeenStatus};
use crate::rules::{DoubtStep, Scan, commands, doubt};

fn in_doubt() -> (Book, Attempt) {
    let mut book = Book::monthly("2026-01-31");
    tell(&mut book, "01-31 | silence | 0.last:in_doubt");
    let attempt = book.rows.invoices[0].attempts[0].clone();
    (book, attempt)
}

fn scan(book: &Book, complete: bool, dated: bool) -> Scan {
    let at = book.circumstances.at;
    Scan { complete, provider_at: dated.then_some(at), wall_at: at }
}

#[test]
fn old_doubt_is_looked_for_where_it_can_be_and_overlapping_windows_are_one() {
    let (mut book, oldest) = in_doubt();
    let later = |hours: i64, deadline: bool| {
        let mut attempt = oldest.clone();
        let intent = attempt.intent.as_mut().unwrap();
        let at = day("2026-01-31") + SignedDuration::from_hours(hours);
        intent.provider_seen = Some(at);
        intent.deadline = deadline.then_some(at + SignedDuration::from_secs(95));
        attempt
    };
    let hours = |book: &Book, attempts: &[Attempt]| -> Vec<(i64, i64)> {
        let since = |at: jiff::Timestamp| at.duration_since(day("2026-01-31")).as_hours();
        let windows = doubt::windows(attempts, &book.circumstances);
        windows.into_iter().map(|(from, to)| (since(from), since(to))).collect()
    };
    let all = [oldest.clone(), later(10, true), later(96, true)];
    book.go_to(day("2026-01-31") + SignedDuration::from_hours(20));
    assert_eq!(hours(&book, &all[..2]), [(0, 20)], "within a day: one");
    book.go_to(day("2026-02-05"));
    assert_eq!(hours(&book, &all), [(0, 34), (95, 120)], "the first two overlap");
    let endless = [all[0].clone(), later(10, false)];
    assert_eq!(hours(&book, &endless), [(0, 120)], "without a deadline up to now");
}

#[test]
fn a_window_reaches_from_before_the_oldest_intent_to_after_now() {
    let (book, attempt) = in_doubt();
    let (from, to) = doubt::window(std::slice::from_ref(&attempt), &book.circumstances);
    assert_eq!(from, day("2026-01-31") - SignedDuration::from_mins(5));
    assert_eq!(to, day("2026-01-31") + SignedDuration::from_mins(5));
    let mut unknown = attempt.clone();
    unknown.intent.as_mut().unwrap().provider_seen = None;
    let (from, _) = doubt::window(&[attempt, unknown], &book.circumstances);
    assert_eq!(from, jiff::Timestamp::UNIX_EPOCH, "no provider time was known: everything is read");
}

#[test]
fn looks_follow_the_age_of_the_doubt_not_their_number() {
    let (_, attempt) = in_doubt();
    let mut intent = attempt.intent.unwrap();
    let since = intent.doubt_since.unwrap();
    let after = |minutes| since + SignedDuration::from_mins(minutes);
    assert_eq!(doubt::next_look(&intent), Some(after(1)), "nobody has looked");
    intent.looked_at = Some(after(1));
    assert_eq!(doubt::next_look(&intent), Some(after(5)));
    intent.looked_at = Some(after(70));
    assert_eq!(
        doubt::next_look(&intent),
        Some(after(6 * 60)),
        "ages that a late look has passed are not made up"
    );
    intent.looked_at = Some(after(25 * 60));
    assert_eq!(doubt::next_look(&intent), Some(after(48 * 60)));
    intent.looked_at = Some(after(5 * 24 * 60));
    assert_eq!(doubt::next_look(&intent), Some(after(6 * 24 * 60)), "one that did not end is not forgotten");
    intent.doubt_since = None;
    assert_eq!(doubt::next_look(&intent), None);
}

#[test]
fn a_scan_without_the_providers_time_or_without_its_end_never_proves_absence() {
    let (mut book, mut attempt) = in_doubt();
    attempt.intent.as_mut().unwrap().first_empty_scan = Some(day("2026-01-31"));
    book.go_to(day("2026-02-01"));
    let judge = |scan: &Scan| doubt::judge(&attempt, &[], &[], scan, &book.circumstances);
    assert!(matches!(judge(&scan(&book, false, true)), DoubtStep::Wait));
    assert!(matches!(judge(&scan(&book, true, false)), DoubtStep::Wait));
    assert!(matches!(judge(&scan(&book, true, true)), DoubtStep::Absent));
}

#[test]
fn without_a_deadline_the_first_dated_look_gives_one() {
    let (mut book, _) = in_doubt();
    let attempt = &mut book.rows.invoices[0].attempts[0];
    attempt.intent.as_mut().unwrap().deadline = None;
    tell(
        &mut book,
        "01-31T01:00 | look empty | 0.last:in_doubt
         01-31T01:09 | look empty | 0.last:in_doubt
         01-31T01:10 | look empty | 0.last:in_doubt
         01-31T01:19 | look empty | 0.last:in_doubt
         01-31T01:20 | look empty | 0.last:absent",
    );
}

#[test]
fn a_charge_that_carries_the_attempt_but_another_amount_needs_a_person() {
    let (book, attempt) = in_doubt();
    let mut other = seen(SeenStatus::Successful, "chrg_test_1");
    other.amount = Some("9.90 THB".parse().unwrap());
    let step = doubt::judge(&attempt, &[other], &[], &scan(&book, true, true), &book.circumstances);
    assert!(matches!(&step, DoubtStep::Manual(why) if why.contains("found 9.90 THB")), "{step:?}");
}

#[test]
fn of_several_the_oldest_success_is_adopted() {
    let (book, attempt) = in_doubt();
    let at = |status, id, minutes| {
        let mut charge = seen(status, id);
        charge.created_at += SignedDuration::from_mins(minutes);
        charge
    };
    let all = [
        at(SeenStatus::Pending(None), "chrg_test_1", 0),
        at(SeenStatus::Successful, "chrg_test_3", 9),
        at(SeenStatus::Successful, "chrg_test_2", 5),
    ];
    let step = doubt::judge(&attempt, &all, &[], &scan(&book, true, true), &book.circumstances);
    let DoubtStep::Incident { adopt, detail } = step else { panic!("{step:?}") };
    assert_eq!(adopt.charge.as_str(), "chrg_test_2");
    assert!(["chrg_test_1", "chrg_test_2", "chrg_test_3"].iter().all(|id| detail.contains(id)), "{detail}");
}

#[test]
fn a_status_that_nobody_knows_waits_and_then_needs_a_person() {
    let (mut book, attempt) = in_doubt();
    let strange = seen(SeenStatus::Unknown("moonlit".into()), "chrg_test_1");
    let found = std::slice::from_ref(&strange);
    let id = attempt.id.clone();
    let now = scan(&book, true, true);
    let step = doubt::judge(&attempt, found, &[], &now, &book.circumstances);
    let kept = doubt::transition(&book.snapshot(), &id, &step, &now, &book.circumstances).unwrap();
    book.apply(&kept);
    let intent = book.rows.invoices[0].attempts[0].intent.clone().unwrap();
    assert_eq!((intent.looked_at, intent.first_empty_scan), (Some(now.wall_at), None));
    book.go_to(day("2026-02-05"));
    let now = scan(&book, true, true);
    let step = doubt::judge(&attempt, found, &[], &now, &book.circumstances);
    let told = |why: &str| why.contains("chrg_test_1") && why.contains("\"moonlit\"");
    assert!(matches!(&step, DoubtStep::Manual(why) if told(why)), "{step:?}");
    // The charge was seen, so a person cannot call it absent and have the invoice charged again.
    let kept = doubt::transition(&book.snapshot(), &id, &step, &now, &book.circumstances).unwrap();
    book.apply(&kept);
    let absent = commands::resolve_absent(&book.snapshot(), &id, "x", &book.circumstances).unwrap_err();
    assert!(absent.to_string().contains("charge chrg_test_1 carries its marks"), "{absent}");
}

#[test]
fn even_past_the_last_age_an_empty_look_that_counts_goes_on_to_prove_absence() {
    let (mut book, _) = in_doubt();
    tell(
        &mut book,
        "02-10T00:00 | look empty | 0.last:in_doubt
         02-10T00:10 | look empty | 0.last:absent",
    );
}

//! Planted bugs: each is let loose in the real binary, and the judge must see it; without it, nothing.
//!
//! The table is a `match` over every bug there is, so a new one without its catch does not compile.

mod messages;
mod scenes;

use dues::hooks::Bug;

use scenes::{Found, Plant};

/// The course that brings the bug to light, and the kind of fault that the judge must name.
fn catch(bug: Bug) -> (&'static str, fn(&Plant) -> Found) {
    match bug {
        Bug::NoIntent => ("twice", scenes::killed_before_the_answer_is_kept),
        Bug::KeyMadeAnew => ("key", scenes::a_retry_after_a_decline),
        Bug::ServerErrorIsDecline => ("lost", scenes::an_error_after_the_charge),
        Bug::DoubtRetriedBlindly => ("twice", scenes::silence_after_the_charge),
        Bug::DeferredTransactions => ("refused", scenes::a_result_while_another_program_writes),
        Bug::LastDatePlusInterval => ("missed", scenes::months_from_the_thirty_first),
        Bug::AnniversaryIsToday => ("missed", scenes::a_run_three_days_late),
        Bug::ExpiredCardCharged => ("uncalled for", scenes::an_expired_card),
        Bug::SecondRunCharges => ("twice", scenes::two_runs_at_one_instant),
        Bug::RetriedAfterNever => ("after never", scenes::a_stolen_card_and_a_month),
        Bug::BackupWithoutConsent => ("uncalled for", scenes::a_second_card_that_nobody_agreed_to),
        Bug::WrongUnit => ("wrong amount", scenes::one_plain_charge),
        Bug::ResultWithoutVersion => ("overwritten", scenes::a_cancel_while_the_answer_is_on_its_way),
        Bug::SilenceBroken => ("told of what was mended", messages::a_decline_in_the_silence),
        Bug::OutcomeToldTwice => ("told twice", messages::an_end_that_was_set_and_came),
        Bug::OverBudget => ("over budget", scenes::a_card_declined_past_its_budget),
        Bug::RetriedAfterCancel => ("after cancel", scenes::a_cancel_between_two_tries),
        Bug::BesideUnfinished => ("beside", scenes::a_run_beside_a_doubt),
        Bug::WrongCardBelieved => ("after never", scenes::a_stolen_card_that_nobody_had_read),
    }
}

/// The same course without and with the bug: clean, then named.
fn caught(bug: Bug) {
    let (kind, course) = catch(bug);
    let clean = course(&Plant::none());
    assert!(
        clean.faults.is_empty(),
        "no bug, but faults:\n{}\n{}",
        clean.faults.join("\n"),
        clean.scene.story()
    );
    let found = course(&Plant::of(bug));
    assert!(
        found.faults.iter().any(|fault| fault.starts_with(kind)),
        "planted {}, wanted a fault that begins with `{kind}:`, found {:#?}\n{}",
        bug.name(),
        found.faults,
        found.scene.story()
    );
}

#[test]
fn no_intent() {
    caught(Bug::NoIntent);
}

#[test]
fn key_made_anew() {
    caught(Bug::KeyMadeAnew);
}

#[test]
fn server_error_is_decline() {
    caught(Bug::ServerErrorIsDecline);
}

#[test]
fn doubt_retried_blindly() {
    caught(Bug::DoubtRetriedBlindly);
}

#[test]
fn deferred_transactions() {
    caught(Bug::DeferredTransactions);
}

#[test]
fn last_date_plus_interval() {
    caught(Bug::LastDatePlusInterval);
}

#[test]
fn anniversary_is_today() {
    caught(Bug::AnniversaryIsToday);
}

#[test]
fn expired_card_charged() {
    caught(Bug::ExpiredCardCharged);
}

#[test]
fn second_run_charges() {
    caught(Bug::SecondRunCharges);
}

#[test]
fn retried_after_never() {
    caught(Bug::RetriedAfterNever);
}

#[test]
fn backup_without_consent() {
    caught(Bug::BackupWithoutConsent);
}

#[test]
fn wrong_unit() {
    caught(Bug::WrongUnit);
}

#[test]
fn result_without_version() {
    caught(Bug::ResultWithoutVersion);
}

#[test]
fn silence_broken() {
    caught(Bug::SilenceBroken);
}

#[test]
fn outcome_told_twice() {
    caught(Bug::OutcomeToldTwice);
}

#[test]
fn over_budget() {
    caught(Bug::OverBudget);
}

#[test]
fn retried_after_cancel() {
    caught(Bug::RetriedAfterCancel);
}

#[test]
fn beside_unfinished() {
    caught(Bug::BesideUnfinished);
}

#[test]
fn every_bug_has_a_test_that_names_it() {
    let source = include_str!("planted.rs");
    for bug in Bug::ALL {
        let call = format!("caught(Bug::{bug:?});");
        let test = format!("fn {}()", bug.name().replace('-', "_"));
        assert!(source.contains(&call) && source.contains(&test), "no test {test} with {call}");
    }
}

#[test]
fn the_suite_runs_a_binary_with_the_switches() {
    let ended = scenes::killed_at_once();
    assert!(ended.killed(), "DUES_KILL_AT does nothing, so every crash proof would be empty: {ended:#?}");
}

#[test]
fn wrong_card_believed() {
    caught(Bug::WrongCardBelieved);
}

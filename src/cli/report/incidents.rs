//! Where a person looks for what stands behind a run's incidents.
//!
//! Promises: no command that would show nothing: each fits the incidents that are there. Must never know: what caused
//! them.

use crate::model::{AttemptId, AttemptStatus, InvoiceId, RunReport, SubscriptionId};

/// Subscriptions named one by one; more would hide the other commands.
const MOST_NAMED: usize = 3;

/// What an incident is about. The report's sentences begin with it.
#[derive(Debug, PartialEq, Eq)]
enum About {
    /// Something that the diary tells whole.
    Diary,
    /// One subscription.
    Of(SubscriptionId),
    /// The book itself.
    Book,
}

/// Commands and what each shows. `config` is appended to each.
pub(super) fn next_steps(report: &RunReport, config: &str) -> Vec<(String, &'static str)> {
    let mut steps = Vec::new();
    let became = report.resolved.get(&AttemptStatus::Manual).is_some_and(|n| *n > 0);
    if became || report.manual_left > 0 {
        steps.push((format!("dues list attempts --status manual{config}"), "what waits for `dues resolve`"));
    }
    let all: Vec<About> = report.incidents.iter().map(|incident| about(incident)).collect();
    if all.contains(&About::Diary) && !report.dry_run {
        let command = format!("dues list events --status incident{config}");
        steps.push((command, "what happened, whole; `dues why SUB` tells what comes next"));
    }
    let mut named: Vec<&SubscriptionId> = Vec::new();
    for about in &all {
        if let About::Of(id) = about
            && !named.contains(&id)
        {
            named.push(id);
        }
    }
    for id in named.into_iter().take(MOST_NAMED) {
        steps.push((format!("dues why {id}{config}"), "how it came to that incident, and what ends it"));
    }
    if all.contains(&About::Book) {
        steps.push((format!("dues check{config}"), "what is wrong with the book"));
    }
    steps
}

fn about(incident: &str) -> About {
    let Some((first, rest)) = incident.split_once(": ") else { return About::Book };
    let subscription = match first.split_once(' ') {
        Some(("subscription", id)) => SubscriptionId::parse(id).ok(),
        Some(("attempt", id)) => id.parse::<AttemptId>().ok().map(|id| id.invoice.subscription),
        // An event of the diary is told with its data.
        Some(("invoice", _)) if rest.starts_with('{') => return About::Diary,
        Some(("invoice", id)) => id.parse::<InvoiceId>().ok().map(|id| id.subscription),
        _ => None,
    };
    subscription.map_or(About::Book, About::Of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Zone;

    fn report(incidents: &[&str]) -> RunReport {
        let at = Zone::UTC.at("2026-11-21T02:00:00Z".parse().unwrap());
        let incidents = incidents.iter().map(|text| (*text).to_owned()).collect();
        RunReport { incidents, ..RunReport::new("run-7".into(), at, false, false) }
    }

    fn commands(report: &RunReport) -> Vec<String> {
        next_steps(report, " --config c.toml").into_iter().map(|(command, _)| command).collect()
    }

    #[test]
    fn each_kind_of_incident_points_at_what_shows_it() {
        let table: &[(&str, &str)] = &[
            ("subscription sub_1: the book refused a write: CHECK constraint failed", "dues why sub_1"),
            ("attempt sub_1.0.2: its result could not be kept (full): Pending", "dues why sub_1"),
            (
                "invoice sub_1.0: the provider refused our request (bad_request: no); mend it, then `dues retry sub_1`",
                "dues why sub_1",
            ),
            (
                r#"invoice sub_1.0: {"attempt":"sub_1.0.1","detail":"two charges"}"#,
                "dues list events --status incident",
            ),
            ("a subscription cannot be read: row 7: nonsense", "dues check"),
            ("the book cannot be written: database or disk is full", "dues check"),
        ];
        for (incident, wanted) in table {
            assert_eq!(commands(&report(&[incident])), [format!("{wanted} --config c.toml")], "{incident}");
        }
        assert!(commands(&report(&[])).is_empty());
    }

    #[test]
    fn attempts_that_wait_for_a_person_are_listed_only_where_there_are_some() {
        let told = r#"invoice sub_1.0: {"attempt":"sub_1.0.1","detail":"could not be settled"}"#;
        let mut report = report(&[told]);
        report.resolved.insert(AttemptStatus::Manual, 1);
        assert_eq!(
            commands(&report),
            [
                "dues list attempts --status manual --config c.toml",
                "dues list events --status incident --config c.toml"
            ]
        );
    }

    #[test]
    fn one_subscription_is_named_once_and_a_crowd_in_part() {
        let crowd: Vec<String> = (0..9).map(|n| format!("subscription sub_{}: no", n / 2)).collect();
        let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
        let named = ["sub_0", "sub_1", "sub_2"].map(|id| format!("dues why {id} --config c.toml"));
        assert_eq!(commands(&report(&crowd)), named);
    }
}

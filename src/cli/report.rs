//! A run's report, shown to people with what to try next, and to programs as it is.

mod incidents;

use jiff::{Timestamp, ToSpan as _};

use super::args::Global;
use super::exit::{Exit, Failure, shown};
use super::output::Output;
use super::rows::{grouped, short};
use crate::model::{AttemptStatus, Money, RunReport, StoppedBy, Zone, counted};

/// Shows a report; for people with what to try next. Returns how the run counts.
pub fn render_report(report: &RunReport, global: &Global, strict: bool) -> Result<Exit, Failure> {
    shown(show(report, global))?;
    Ok(exit_of(report, strict))
}

fn show(report: &RunReport, global: &Global) -> Result<(), Failure> {
    let mut out = Output::stdout(global.json);
    if global.json {
        out.object(report)?;
    } else {
        for line in story(report) {
            out.line(&line)?;
        }
        for line in next_steps(report, global) {
            out.line(&line)?;
        }
    }
    out.finish()
}

/// How a run counts for scripts.
pub fn exit_of(report: &RunReport, strict: bool) -> Exit {
    match report.stopped_by {
        Some(StoppedBy::Keys) => Exit::Provider,
        Some(StoppedBy::Store | StoppedBy::Lease) => Exit::Store,
        // No brake: nothing could be begun, and a unit that counts 3 as success must not hide that.
        Some(StoppedBy::ProviderUnreachable) if report.considered == 0 => Exit::Failed,
        // `--limit` is a wish, not a brake.
        Some(StoppedBy::Limit) | None if report.incidents.is_empty() => {
            let unfinished = report.doubt_left > 0 || !report.flagged.is_empty();
            if strict && unfinished { Exit::Attention } else { Exit::Done }
        }
        _ => Exit::Attention,
    }
}

/// The report, a line each, names aligned.
fn story(report: &RunReport) -> Vec<String> {
    let zone = Zone::parse(report.at.time_zone().iana_name().unwrap_or("UTC")).unwrap_or(Zone::UTC);
    let mut rows = vec![
        ("considered", counted(report.considered, "subscription")),
        ("invoiced", counted(report.invoiced, "period")),
        (if report.dry_run { "would charge" } else { "charged" }, tries(report)),
    ];
    let resolved = words(report.resolved.iter().map(|(status, n)| (human(*status), *n)));
    optional(&mut rows, "settled", resolved, " (older attempts looked up)");
    let collected: Vec<String> = report
        .collected
        .iter()
        .map(|(currency, minor)| Money::new(*minor, *currency).map_or_else(|_| minor.to_string(), grouped))
        .collect();
    optional(&mut rows, "collected", collected.join(", "), "");
    optional(
        &mut rows,
        "declined",
        words(report.declined_by_code.iter().map(|(code, n)| (code.as_str(), *n))),
        "",
    );
    if report.unknown_declines > 0 {
        let codes = counted(report.unknown_declines, "decline");
        rows.push(("unknown code", format!("{codes}; tried once more each, see [[declines.rows]]")));
    }
    if report.retries_scheduled > 0 {
        rows.push(("retries", format!("{} scheduled", report.retries_scheduled)));
    }
    optional(&mut rows, "flagged", words(report.flagged.iter().map(|(reason, n)| (reason.word(), *n))), "");
    optional(&mut rows, "skipped", words(report.skipped.iter().map(|(reason, n)| (reason.word(), *n))), "");
    if report.held_periods > 0 {
        let periods = counted(report.held_periods, "missed period");
        rows.push(("held", format!("{periods}, see [catch_up] hold_after; collected after `dues resume`")));
    }
    let looked_up = report.doubt_left.saturating_sub(report.manual_left);
    if looked_up > 0 {
        rows.push(("in doubt", format!("{looked_up}; every run looks them up again")));
    }
    if report.manual_left > 0 {
        let attempts = counted(report.manual_left, "attempt");
        rows.push(("for a person", format!("{attempts}, which no run looks up; `dues resolve` ends each")));
    }
    if let Some(why) = report.stopped_by {
        rows.push(("stopped by", stopped(why, report.considered).to_owned()));
    }
    rows.extend(report.incidents.iter().map(|incident| ("incident", incident.clone())));
    rows.extend(next_due(report, &zone).map(|text| ("next due", text)));
    let mut lines = vec![headline(report)];
    lines.extend(rows.into_iter().map(|(name, text)| format!("  {name:<13} {text}")));
    lines
}

/// When something is next due; `None`: nothing.
fn next_due(report: &RunReport, zone: &Zone) -> Option<String> {
    let told = if report.due_left > 0 {
        format!("now ({} still due)", counted(report.due_left, "subscription"))
    } else {
        short(report.next_due_at?, zone)
    };
    Some(if report.dry_run { format!("{told}, if every charge succeeds") } else { told })
}

fn headline(report: &RunReport) -> String {
    let what = if report.dry_run {
        "Dry run, nothing written or sent".into()
    } else {
        format!("Run {}", report.run)
    };
    let keys = if report.livemode { "live keys" } else { "test keys" };
    format!(
        "{what}, for {} ({keys}): {}.{:03} s, {}",
        report.at.strftime("%Y-%m-%d %H:%M %Q"),
        report.elapsed_ms / 1_000,
        report.elapsed_ms % 1_000,
        counted(report.api_calls, "request"),
    )
}

fn tries(report: &RunReport) -> String {
    let said = words(report.attempts.iter().map(|(status, n)| {
        (if *status == AttemptStatus::Intended { "planned" } else { human(*status) }, *n)
    }));
    if said.is_empty() { "nobody".into() } else { said }
}

fn optional(rows: &mut Vec<(&'static str, String)>, name: &'static str, text: String, after: &str) {
    if !text.is_empty() {
        rows.push((name, text + after));
    }
}

fn words<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    counts.filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")).collect::<Vec<_>>().join(", ")
}

fn human(status: AttemptStatus) -> &'static str {
    match status {
        AttemptStatus::InDoubt => "in doubt",
        AttemptStatus::NotSent => "not sent",
        AttemptStatus::Manual => "left to a person",
        AttemptStatus::Absent => "proved never made",
        other => other.word(),
    }
}

/// `considered`: how many subscriptions it came to before.
const fn stopped(why: StoppedBy, considered: u64) -> &'static str {
    match why {
        StoppedBy::ChargesPerRun => "[brakes] charges_per_run: no more charges in one run than these",
        StoppedBy::AmountPerRun => "[brakes] amount_per_run: the next charge would have exceeded it",
        StoppedBy::DeclineShare => "[brakes] decline_share: too many of the last answers were new declines",
        StoppedBy::PauseFile => "[brakes] pause_file: it is there, or nobody could look for it",
        StoppedBy::ProviderUnreachable if considered == 0 => "the provider: it gave no usable answer",
        StoppedBy::ProviderUnreachable => "the provider: too many requests in a row never reached it",
        StoppedBy::Keys => "the provider: it refused the keys",
        StoppedBy::Limit => "--limit",
        StoppedBy::Signal => "a signal; what was sent was recorded",
        StoppedBy::Store => "the book: it refused a write",
        StoppedBy::Lease => "the charging lock: another process took it",
        StoppedBy::Clock => "the clock: it jumped; check the host's time",
    }
}

/// What lets the rest be charged after that stop.
const fn goes_on(why: StoppedBy) -> &'static str {
    match why {
        StoppedBy::ChargesPerRun | StoppedBy::AmountPerRun => "run again for the rest, or raise the brake",
        StoppedBy::DeclineShare => "look at the declines first, then run again",
        StoppedBy::PauseFile => {
            "remove the pause file (`dues check` says which, or why nobody can look), then run again"
        }
        StoppedBy::ProviderUnreachable => "once `dues check` reaches the provider, run again",
        StoppedBy::Keys => "set the key right, until `dues check` is content, then run again",
        StoppedBy::Limit | StoppedBy::Signal => "run again for the rest",
        StoppedBy::Store => "`dues check` says what is wrong with the book; then run again",
        StoppedBy::Lease => "the other process goes on with it; once that has ended, run again",
        StoppedBy::Clock => "set the clock right, then run again",
    }
}

/// What people would wonder about: why nobody was charged, or not all. `None`: nothing is left to say.
fn remark(report: &RunReport) -> Option<String> {
    if let Some(why) = report.stopped_by {
        let it = if report.dry_run { "A run like this would be" } else { "It was" };
        return Some(format!("{it} stopped before its end; what is due stays due: {}.", goes_on(why)));
    }
    if report.considered == 0 && report.due_left > 0 {
        return Some("Nothing that was asked for is due.".into());
    }
    if report.considered == 0 && report.next_due_at.is_none() {
        let nothing = "Nothing is due, now or later: the book has no subscription that is billed by itself. `dues \
                       subscribe` or `dues import` adds one; `dues list subscriptions` shows those that rest or ended.";
        return Some(nothing.into());
    }
    if report.considered == 0 {
        let nothing = "Nothing is due: every period that has started is invoiced, every retry lies ahead.";
        return Some(nothing.into());
    }
    if report.attempts.values().any(|n| *n > 0) {
        return None;
    }
    let reasons: Vec<&str> = [
        (!report.flagged.is_empty(), "\"flagged\""),
        (!report.skipped.is_empty(), "\"skipped\""),
        (!report.incidents.is_empty(), "\"incident\""),
    ]
    .into_iter()
    .filter_map(|(stands, line)| stands.then_some(line))
    .collect();
    // Not "nobody was charged": an older attempt may have been settled as paid.
    let none = "No charge was sent: whoever is due is passed over for what stands under";
    (!reasons.is_empty()).then(|| format!("{none} {}.", reasons.join(" and ")))
}

/// Commands that fit what happened.
fn next_steps(report: &RunReport, global: &Global) -> Vec<String> {
    let config = global.config_words();
    let mut steps: Vec<(String, &str)> = Vec::new();
    if report.dry_run {
        steps.push((format!("dues run-now{config}"), "charge what is due now"));
    }
    if !report.flagged.is_empty() {
        steps.push((format!("dues list flags{config}"), "who cannot be charged, and why"));
    }
    if report.held_periods > 0 && !report.dry_run {
        let command = format!("dues list events --status catch_up_held{config}");
        steps.push((command, "who missed so many periods; `dues resume SUB` collects them, one a day"));
    }
    if report.sent(AttemptStatus::Declined) > 0 {
        let command = format!("dues list attempts --status declined{config}");
        steps.push((command, "what the bank refused; then `dues why SUB`"));
    }
    steps.extend(incidents::next_steps(report, &config));
    if report.stopped_by == Some(StoppedBy::ProviderUnreachable) {
        steps.push((format!("dues check{config}"), "whether the provider answers; then run again"));
    } else if let (false, Some(at)) = (report.livemode, month_later(report)) {
        steps.push((format!("dues run-now{config} --at {at}"), "the same a month later, with test keys"));
    }
    if let (true, 0, Some(at)) = (report.livemode, report.due_left, report.next_due_at) {
        steps.push((
            format!("dues run-now{config} --dry-run --at {}", day_of(report, at)),
            "what is due next",
        ));
    }
    let mut lines = Vec::with_capacity(steps.len() + 2);
    lines.extend(remark(report).map(|remark| format!("\n{remark}")));
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    lines.push("\nNext:".into());
    lines.extend(steps.into_iter().map(|(command, why)| format!("  {command:<width$}  # {why}")));
    lines
}

fn month_later(report: &RunReport) -> Option<String> {
    let later = report.at.checked_add(1.month()).ok()?;
    Some(later.strftime("%Y-%m-%d").to_string())
}

/// The day after the one of that instant, so that its first instant is not before it.
fn day_of(report: &RunReport, at: Timestamp) -> String {
    let local = at.to_zoned(report.at.time_zone().clone());
    local.date().tomorrow().unwrap_or_else(|_| local.date()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Currency, FlagReason};

    fn report() -> RunReport {
        let at: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
        RunReport::new("run-7".into(), Zone::parse("Asia/Bangkok").unwrap().at(at), false, false)
    }

    fn global() -> Global {
        Global {
            config: Some("config/demo.toml".into()),
            json: false,
            verbose: 0,
            quiet: false,
            log_format: super::super::args::LogFormat::Text,
        }
    }

    #[test]
    fn a_report_reads_as_a_short_story() {
        let mut report = report();
        report.considered = 200;
        report.invoiced = 1;
        report.attempts.insert(AttemptStatus::Succeeded, 150);
        report.attempts.insert(AttemptStatus::Declined, 20);
        report.resolved.insert(AttemptStatus::Absent, 1);
        report.collected.insert(Currency::Thb, 123_456_789);
        report.declined_by_code.insert("insufficient_fund".into(), 20);
        report.unknown_declines = 1;
        report.retries_scheduled = 15;
        report.flagged.insert(FlagReason::NoCard, 5);
        report.held_periods = 7;
        report.doubt_left = 3;
        report.manual_left = 1;
        report.stopped_by = Some(StoppedBy::PauseFile);
        report.api_calls = 1;
        report.elapsed_ms = 1_034;
        let said = story(&report).join("\n");
        let wanted = "\
Run run-7, for 2026-11-21 09:00 Asia/Bangkok (test keys): 1.034 s, 1 request
  considered    200 subscriptions
  invoiced      1 period
  charged       150 succeeded, 20 declined
  settled       1 proved never made (older attempts looked up)
  collected     1,234,567.89 THB
  declined      20 insufficient_fund
  unknown code  1 decline; tried once more each, see [[declines.rows]]
  retries       15 scheduled
  flagged       5 no_card
  held          7 missed periods, see [catch_up] hold_after; collected after `dues resume`
  in doubt      2; every run looks them up again
  for a person  1 attempt, which no run looks up; `dues resolve` ends each
  stopped by    [brakes] pause_file: it is there, or nobody could look for it";
        assert_eq!(said, wanted);
        let steps = next_steps(&report, &global()).join("\n");
        assert!(steps.contains("dues list flags --config config/demo.toml"), "{steps}");
        assert!(steps.contains("--at 2026-12-21"), "{steps}");
        assert!(
            steps.contains("dues list events --status catch_up_held --config config/demo.toml"),
            "{steps}"
        );
    }

    #[test]
    fn what_is_to_be_typed_can_be_pasted_into_a_shell() {
        let global = Global { config: Some("my conf's/demo.toml".into()), ..global() };
        let report = RunReport { flagged: [(FlagReason::NoCard, 1)].into(), dry_run: true, ..report() };
        let steps = next_steps(&report, &global).join("\n");
        assert!(steps.contains(r"dues list flags --config 'my conf'\''s/demo.toml' "), "{steps}");
        assert_eq!(steps.matches("--config 'my").count(), steps.matches("--config").count(), "{steps}");
    }

    #[test]
    fn what_waits_for_a_person_is_not_said_to_be_looked_up() {
        let told = |doubt_left, manual_left| {
            let report = RunReport { doubt_left, manual_left, ..report() };
            (story(&report).join("\n"), next_steps(&report, &global()).join("\n"), exit_of(&report, true))
        };
        let (said, steps, exit) = told(2, 2);
        assert!(said.contains("  for a person  2 attempts, which no run looks up"), "{said}");
        assert!(!said.contains("in doubt"), "{said}");
        assert!(steps.contains("dues list attempts --status manual --config config/demo.toml"), "{steps}");
        assert_eq!(exit, Exit::Attention);
        let (said, steps, _) = told(2, 0);
        assert!(said.contains("  in doubt      2; every run") && !said.contains("for a person"), "{said}");
        assert!(!steps.contains("manual"), "{steps}");
    }

    #[test]
    fn brakes_and_incidents_are_told_to_scripts() {
        let with = |stopped| RunReport { stopped_by: stopped, considered: 9, ..report() };
        for (stopped, wanted) in [
            (None, Exit::Done),
            (Some(StoppedBy::Limit), Exit::Done),
            (Some(StoppedBy::AmountPerRun), Exit::Attention),
            (Some(StoppedBy::ProviderUnreachable), Exit::Attention),
            (Some(StoppedBy::Keys), Exit::Provider),
            (Some(StoppedBy::Lease), Exit::Store),
        ] {
            assert_eq!(exit_of(&with(stopped), false), wanted, "{stopped:?}");
        }
        let nothing = RunReport { considered: 0, ..with(Some(StoppedBy::ProviderUnreachable)) };
        assert_eq!(exit_of(&nothing, false), Exit::Failed, "nothing was begun");
        let incident = RunReport { incidents: vec!["two charges".into()], ..report() };
        assert_eq!(exit_of(&incident, false), Exit::Attention);
        let doubtful = RunReport { doubt_left: 1, ..report() };
        assert_eq!((exit_of(&doubtful, false), exit_of(&doubtful, true)), (Exit::Done, Exit::Attention));
    }

    #[test]
    fn what_is_due_still_is_told_before_any_date() {
        let line = |report: &RunReport| {
            let said = story(report).into_iter().find(|line| line.starts_with("  next due"));
            said.map(|line| line["  next due".len()..].trim().to_owned())
        };
        let mut report = report();
        assert_eq!(line(&report), None);
        report.next_due_at = Some("2026-12-21T02:00:00Z".parse().unwrap());
        assert_eq!(line(&report).as_deref(), Some("2026-12-21 09:00"));
        report.dry_run = true;
        assert_eq!(line(&report).as_deref(), Some("2026-12-21 09:00, if every charge succeeds"));
        (report.dry_run, report.due_left) = (false, 1);
        assert_eq!(line(&report).as_deref(), Some("now (1 subscription still due)"));
        assert_eq!(remark(&report).as_deref(), Some("Nothing that was asked for is due."));
        // A day after which it would be due is no advice for what is due already.
        report.livemode = true;
        assert!(!next_steps(&report, &global()).join("\n").contains("what is due next"));
    }

    #[test]
    fn a_second_run_says_that_nothing_is_due() {
        let next_due_at = Some("2026-12-21T02:00:00Z".parse().unwrap());
        let said = next_steps(&RunReport { next_due_at, ..report() }, &global()).join("\n");
        assert!(said.contains("Nothing is due: every period that has started is invoiced"), "{said}");
    }

    #[test]
    fn a_run_over_an_empty_book_says_what_it_lacks() {
        let said = next_steps(&report(), &global()).join("\n");
        assert!(said.contains("no subscription that is billed by itself. `dues subscribe`"), "{said}");
        assert!(!said.contains("every period that has started is invoiced"), "{said}");
    }

    #[test]
    fn a_run_that_was_stopped_never_says_that_nothing_is_due() {
        for why in StoppedBy::ALL {
            for considered in [0, 9] {
                let report = RunReport { considered, stopped_by: Some(*why), ..report() };
                let said = next_steps(&report, &global()).join("\n");
                assert!(!said.contains("Nothing is due"), "{why}: {said}");
                assert!(
                    said.contains("what is due stays due") && said.contains(goes_on(*why)),
                    "{why}: {said}"
                );
            }
        }
    }

    #[test]
    fn who_was_passed_over_is_looked_up_in_a_line_that_is_there() {
        let flagged = [(FlagReason::NoCard, 2)].into();
        let skipped = [(crate::model::SkipReason::Held, 1)].into();
        let said = |report: &RunReport| remark(report).unwrap_or_default();
        let mut report = RunReport { considered: 3, flagged, ..report() };
        assert!(said(&report).ends_with("stands under \"flagged\"."), "{}", said(&report));
        report.skipped = skipped;
        assert!(said(&report).ends_with("stands under \"flagged\" and \"skipped\"."), "{}", said(&report));
        report.flagged.clear();
        assert!(said(&report).ends_with("stands under \"skipped\"."), "{}", said(&report));
        report.attempts.insert(AttemptStatus::Declined, 1);
        assert_eq!(remark(&report), None);
    }
}

//! `dues check`: looks at config, store, clock, keys and gateway, says what to fix, and changes nothing.

mod book;
mod provider;
mod start;

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};

use super::args::Global;
use super::context::Context;
use super::exit::{Exit, Failure};
use super::output::Output;
use crate::model::counted;
use crate::model::settings::Brakes;
use crate::wiring;

/// Nothing but what every command takes.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  dues check\n  dues check --json | jq '.checks[] | select(.status != \"ok\")'"
)]
pub struct CheckArgs {}

/// How one look ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Must be mended before a run.
    Bad,
}

/// One look.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    check: &'static str,
    status: Status,
    found: String,
    /// The same in numbers, where there is more to count.
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip)]
    exit: Exit,
}

/// All looks, in their order.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, check: &'static str, found: impl Into<String>) {
        self.0.push(Finding { check, status: Status::Ok, found: found.into(), data: None, exit: Exit::Done });
    }

    fn note(&mut self, check: &'static str, found: impl Into<String>) {
        self.0.push(Finding {
            check,
            status: Status::Note,
            found: found.into(),
            data: None,
            exit: Exit::Done,
        });
    }

    fn bad(&mut self, check: &'static str, exit: Exit, found: impl Into<String>) {
        self.0.push(Finding { check, status: Status::Bad, found: found.into(), data: None, exit });
    }

    /// Adds numbers to the last look.
    fn data(&mut self, data: Value) {
        if let Some(last) = self.0.last_mut() {
            last.data = Some(data);
        }
    }

    fn failed(&mut self, check: &'static str, failure: Failure) {
        self.bad(check, failure.exit, failure.sentence);
    }

    /// Of the first that must be mended.
    fn exit(&self) -> Exit {
        self.0.iter().find(|finding| finding.status == Status::Bad).map_or(Exit::Done, |finding| finding.exit)
    }
}

/// Looks at everything.
pub(super) fn run(_: &CheckArgs, global: Global) -> Result<Exit, Failure> {
    let context = Context::load(global)?;
    let mut findings = Findings::default();
    let config = &context.config;
    findings.ok(
        "config",
        format!(
            "{}, {}, zone {}",
            counted(config.files.len() as u64, "file"),
            counted(config.plans.len() as u64, "plan"),
            context.zone()
        ),
    );
    if let Some(sentence) = context.settings().hasty() {
        findings.note("doubt", sentence);
    }
    let live = provider::look_at_key(&context, &mut findings);
    book::look(&context, live, &mut findings);
    provider::look(&context, &mut findings);
    brakes(&context, &mut findings);
    webhooks(&context, &mut findings);
    letters(&context, &mut findings);
    command(&context, &mut findings);
    show(&context, &findings)?;
    Ok(findings.exit())
}

fn brakes(context: &Context, findings: &mut Findings) {
    let caps = &context.settings().brakes.amount_per_customer_per_day;
    for (key, terms) in &context.config.plans {
        if let Some(why) = Brakes::day_refuses(caps, terms.price) {
            findings.note("brakes", format!("plans.{key}.price: {why}, or nobody on that plan is charged"));
        }
    }
    let Some(file) = context.settings().brakes.pause_file.as_deref() else {
        return findings.ok("brakes", "no pause file");
    };
    match file.try_exists() {
        Ok(false) => findings.ok("brakes", "no pause file"),
        Ok(true) => findings.note(
            "brakes",
            format!("found the pause file {}: nothing is charged until it is removed", file.display()),
        ),
        Err(error) => findings.bad(
            "brakes",
            Exit::Attention,
            format!(
                "{}: nobody can look for the pause file ({error}), so nothing is charged; mend the path in [brakes] \
                 pause_file, or who may search its folder",
                file.display()
            ),
        ),
    }
}

fn webhooks(context: &Context, findings: &mut Findings) {
    match context.settings().web.as_ref().map(crate::config::WebSettings::webhook_secrets) {
        None => {}
        Some(Ok(secrets)) => match secrets.len() {
            0 => {}
            1 => findings.ok("webhooks", "a signing secret"),
            n => findings
                .ok("webhooks", format!("{n} signing secrets: remove the old one when it is no longer used")),
        },
        Some(Err(why)) => findings.failed("webhooks", why.into()),
    }
}

/// A wrong template ended the command when the config was read.
fn letters(context: &Context, findings: &mut Findings) {
    if let Ok(Some(told)) = wiring::letters(context.settings()) {
        let (wishes, own) = (&told.wishes, told.own_templates());
        let own = counted(own as u64, "template");
        let found = format!("from {}, in {}, {own} of your own", wishes.merchant, wishes.language);
        findings.ok("letters", found);
    }
}

/// The program that messages are handed to.
fn command(context: &Context, findings: &mut Findings) {
    let Some(program) = context.settings().notify.command.as_ref().and_then(|wishes| wishes.program.first())
    else {
        return;
    };
    match wiring::command_refused(context.settings()) {
        None => findings.ok("messages", format!("{program} can be run")),
        Some(sentence) => findings.bad("messages", Exit::Usage, sentence),
    }
}

fn show(context: &Context, findings: &Findings) -> Result<(), Failure> {
    let mut out = Output::stdout(context.global.json);
    let ok = findings.exit() == Exit::Done;
    if context.global.json {
        out.object(&json!({ "ok": ok, "checks": findings.0 }))?;
        return out.finish();
    }
    for finding in &findings.0 {
        let (word, colour) = match finding.status {
            Status::Ok => ("ok  ", AnsiColor::Green),
            Status::Note => ("note", AnsiColor::Yellow),
            Status::Bad => ("BAD ", AnsiColor::Red),
        };
        let style = Style::new().fg_color(Some(colour.into()));
        out.line(&format!("{style}{word}{style:#}  {:<9} {}", finding.check, finding.found))?;
    }
    let bad = findings.0.iter().filter(|finding| finding.status == Status::Bad).count();
    out.line(&if ok { "\nReady.".to_owned() } else { format!("\nNot ready: mend the {bad} marked BAD.") })?;
    out.finish()
}

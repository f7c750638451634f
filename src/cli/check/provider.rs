//! Looks at the key and, through it, at the provider: its answer, its clock, its limits.

use jiff::{SignedDuration, Timestamp};

use super::super::context::Context;
use super::super::exit::{Exit, Failure};
use super::super::rows::grouped;
use super::Findings;
use crate::billing;
use crate::gateway::{Access, AccountFacts, Gateway, OmiseGateway};
use crate::model::Money;
use crate::model::settings::AccountLimits;
use crate::sandbox::{self, SandboxOptions};
use crate::wiring::{self, WiringError};

/// Clocks of two hosts differ by less, if both are kept right.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(60);

/// The kind of the key: live (`true`) or test; `None`: none, or refused.
pub(super) fn look_at_key(context: &Context, findings: &mut Findings) -> Option<bool> {
    let settings = context.settings();
    if settings.omise.sandbox {
        findings.ok("key", "the embedded sandbox needs none");
        return Some(false);
    }
    let key = match settings.omise.key.read() {
        Ok(Some(key)) => key,
        Ok(None) => {
            findings.failed("key", WiringError::NoKey.into());
            return None;
        }
        Err(why) => {
            findings.failed("key", why.into());
            return None;
        }
    };
    let live = key.is_live_key();
    match settings.check_key(live) {
        Ok(()) => findings.ok("key", if live { "a live key: charges move money" } else { "a test key" }),
        Err(mistake) => findings.bad("key", Exit::Usage, mistake.in_short()),
    }
    Some(live)
}

/// Asks the provider who we are.
pub(super) fn look(context: &Context, findings: &mut Findings) {
    let settings = context.settings();
    if !settings.omise.sandbox {
        let Some(key) = settings.omise.key.read().ok().flatten() else {
            return findings.note("provider", "not asked: there is no key to ask with");
        };
        if settings.check_key(key.is_live_key()).is_err() {
            return findings.note("provider", "not asked: what the key forbids comes first");
        }
    }
    match context.wait(account(context)) {
        Ok(account) => {
            let limits = &account.limits;
            findings.ok("provider", format!("answers; {}", bounds(limits)));
            clock(context, account.provider_now, findings);
            prices(context, limits, findings);
        }
        Err(failure) => findings.failed("provider", failure),
    }
}

async fn account(context: &Context) -> Result<AccountFacts, Failure> {
    if !context.settings().omise.sandbox {
        let door = wiring::open_door(context.settings()).await?;
        return Ok(door.gateway.account().await?);
    }
    // One in memory alone: the book's own sandbox would write its state, and `check` changes nothing.
    let pretend = sandbox::start(SandboxOptions::default()).await.map_err(Failure::unexpected)?;
    let access = Access {
        secret_key: pretend.secret_key(),
        api_url: &pretend.api_url(),
        vault_url: None,
        timeout: None,
        connections: None,
        return_uri: None,
    };
    let gateway = OmiseGateway::open(&access).map_err(Failure::unexpected)?;
    Ok(gateway.account().await?)
}

fn bounds(limits: &AccountLimits) -> String {
    let amount = |minor: Option<i64>| {
        let money = Money::new(minor?, limits.currency?).ok()?;
        Some(grouped(money))
    };
    match (amount(limits.least_minor), amount(limits.most_minor)) {
        (Some(least), Some(most)) => format!("charges from {least} to {most}"),
        _ => "it names no limits".into(),
    }
}

fn clock(context: &Context, theirs: Option<Timestamp>, findings: &mut Findings) {
    let Some(theirs) = theirs else {
        return findings.note("clock", "the provider sent no usable date to hold this host's clock against");
    };
    let off = context.now().duration_since(theirs);
    let side = if off.is_negative() { "behind" } else { "ahead of" };
    let text = format!("this host's clock is {:#} {side} the provider's", off.abs());
    if billing::is_apart(off) {
        let wanted = ", wanted at most an hour ahead of it or five minutes behind: no run charges; set the host's time";
        findings.bad("clock", Exit::Attention, text + wanted);
    } else if off.abs() >= CLOCKS_DIFFER {
        findings.note("clock", text + "; is its time kept right?");
    } else {
        findings.ok("clock", text);
    }
}

fn prices(context: &Context, limits: &AccountLimits, findings: &mut Findings) {
    let mut all_right = true;
    for (key, terms) in &context.config.plans {
        if let Some(why) = limits.refuses(terms.price) {
            all_right = false;
            let mistake = context.settings().mistakes(&[format!("plans.{key}.price: {why}")]);
            findings.bad("prices", Exit::Usage, mistake.in_short());
        }
    }
    if all_right {
        findings.ok("prices", "the account can charge every plan");
    }
}

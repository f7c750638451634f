//! What an answer to a charge means. Every status and every silence has a case here.
//!
//! A decline is a 200 whose charge says `failed`. A genuine error object means that no charge was made. All
//! else, a server fault above all, is doubt: only a look at the provider's own list can end it.

use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::words::{ATTEMPT, INSTALLATION, INVOICE, code, sentence, whole};
use crate::hooks::{Bug, planted};
use crate::model::{
    CardId, ChargeId, ChargeOutcome, ChargeRequest, Decline, NoAnswer, NotSent, Rejected, RejectedWhy,
};
use crate::omise::{ApiError, ApiObject, Error, Reply, TransportError};

/// The part of a charge that decides what became of it. Borrowed from the answer: this is the hot path.
#[derive(Deserialize)]
struct Echo<'a> {
    #[serde(borrow)]
    object: &'a str,
    id: &'a str,
    livemode: bool,
    status: &'a str,
    amount: i64,
    currency: &'a str,
    #[serde(borrow, default)]
    customer: Option<&'a RawValue>,
    #[serde(default)]
    card: Option<EchoCard<'a>>,
    #[serde(default)]
    metadata: Option<Marks<'a>>,
    #[serde(default)]
    failure_code: Option<String>,
    #[serde(default)]
    failure_message: Option<String>,
    #[serde(default)]
    merchant_advice: Option<String>,
    #[serde(borrow, default)]
    merchant_advice_code: Option<&'a RawValue>,
    #[serde(default)]
    authorize_uri: Option<String>,
}

#[derive(Deserialize)]
struct EchoCard<'a> {
    id: &'a str,
}

#[derive(Deserialize)]
struct Marks<'a> {
    #[serde(borrow, default, rename = "dues_installation")]
    installation: Option<&'a str>,
    #[serde(default, rename = "dues_invoice")]
    invoice: Option<&'a str>,
    #[serde(default, rename = "dues_attempt")]
    attempt: Option<&'a str>,
}

#[derive(Deserialize)]
struct IdOnly<'a> {
    id: &'a str,
}

impl ApiObject for Echo<'_> {
    const OBJECT: &'static str = "charge";
    fn object(&self) -> &str {
        self.object
    }
}

/// What the world answered to that request.
pub(super) fn outcome(
    request: &ChargeRequest,
    livemode: bool,
    reply: Result<&Reply, &TransportError>,
) -> ChargeOutcome {
    match reply {
        Err(TransportError::NeverSent { reason }) => not_sent(reason),
        Err(error @ TransportError::PerhapsProcessed { .. }) => doubt(&error.to_string()),
        Ok(reply) => match reply.parse::<Echo<'_>>() {
            Ok(echo) => match contradiction(&echo, request, livemode) {
                None => by_status(&echo),
                Some(why) => alarm(&why),
            },
            Err(Error::Api(error)) => by_error(&error),
            Err(error) if reply.status == 200 => alarm(&error.to_string()),
            Err(_) if planted(Bug::ServerErrorIsDecline) && reply.status >= 500 => planted_decline(),
            Err(error) => doubt(&error.to_string()),
        },
    }
}

/// The first way in which the answer is not about what was asked; `None`: it echoes all of it.
fn contradiction(echo: &Echo<'_>, request: &ChargeRequest, livemode: bool) -> Option<String> {
    let differs = |what: &str, found: Option<&str>, wanted: Option<&str>| {
        (found != wanted).then(|| {
            let shown = |text: Option<&str>| text.unwrap_or("nothing").to_owned();
            format!("the answer shows {what} {}, wanted {}", shown(found), shown(wanted))
        })
    };
    let marked = |what: &str, found: Option<&str>, wanted: &dyn Display| {
        (!is_written(found, wanted))
            .then(|| format!("the answer shows {what} {}, wanted {wanted}", found.unwrap_or("nothing")))
    };
    let (found, attempt) = (echo.metadata.as_ref(), &request.attempt);
    let currency = request.amount.currency().word();
    if echo.amount != request.amount.minor() {
        return Some(format!("the answer shows amount {}, wanted {}", echo.amount, request.amount.minor()));
    }
    if !echo.currency.eq_ignore_ascii_case(currency) {
        return differs("currency", Some(echo.currency), Some(currency));
    }
    if echo.livemode != livemode {
        return Some(format!("the answer shows livemode {}, wanted {livemode}", echo.livemode));
    }
    let named = request.card.as_ref().map(CardId::as_str);
    let card = echo.card.as_ref().map(|card| card.id);
    differs("customer", echo.customer.and_then(id_of), Some(request.customer.as_str()))
        .or_else(|| named.and_then(|named| differs("card", card, Some(named))))
        .or_else(|| marked(INSTALLATION, found.and_then(|m| m.installation), &request.installation))
        .or_else(|| marked(INVOICE, found.and_then(|m| m.invoice), &attempt.invoice))
        .or_else(|| marked(ATTEMPT, found.and_then(|m| m.attempt), attempt))
}

/// Whether that text is what `wanted` writes; compared as it is written, so that nothing is made for it.
fn is_written(found: Option<&str>, wanted: &dyn Display) -> bool {
    struct Rest<'a>(&'a str);
    impl fmt::Write for Rest<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    found.is_some_and(|found| {
        let mut rest = Rest(found);
        write!(rest, "{wanted}").is_ok() && rest.0.is_empty()
    })
}

/// An id, given bare or inside its object.
fn id_of(raw: &RawValue) -> Option<&str> {
    serde_json::from_str::<&str>(raw.get())
        .ok()
        .or_else(|| serde_json::from_str::<IdOnly<'_>>(raw.get()).ok().map(|object| object.id))
}

fn by_status(echo: &Echo<'_>) -> ChargeOutcome {
    let Ok(charge) = ChargeId::parse(echo.id) else {
        return alarm(&format!("the answer shows charge id {:?}", echo.id));
    };
    let card = echo.card.as_ref().and_then(|card| CardId::parse(card.id).ok());
    match echo.status {
        "successful" => ChargeOutcome::Succeeded { charge, card },
        "failed" => match &echo.failure_code {
            Some(word) => ChargeOutcome::Declined(Decline {
                charge: Some(charge),
                card,
                code: code(word),
                message: echo.failure_message.as_deref().map(sentence),
                advice: echo.merchant_advice.as_deref().map(sentence),
                advice_code: echo
                    .merchant_advice_code
                    .map(|raw| code(raw.get().trim_matches('"')))
                    .filter(|code: &Arc<str>| code.as_ref() != "null"),
            }),
            None => alarm("the answer shows a failed charge without a failure code"),
        },
        "pending" => {
            ChargeOutcome::Pending { charge, card, authorize_uri: echo.authorize_uri.as_deref().map(whole) }
        }
        "expired" | "reversed" => ChargeOutcome::Declined(Decline {
            charge: Some(charge),
            card,
            code: echo.status.into(),
            message: None,
            advice: None,
            advice_code: None,
        }),
        other => alarm(&format!("the answer shows status {other:?}, which is none we know")),
    }
}

/// What a genuine error object means for a charge.
fn by_error(error: &ApiError) -> ChargeOutcome {
    if planted(Bug::ServerErrorIsDecline) && error.status >= 500 {
        return planted_decline();
    }
    let rejected = |why| {
        let message = match &error.request_id {
            Some(request) => format!("{} (request {request})", error.message),
            None => error.message.clone(),
        };
        ChargeOutcome::Rejected(Rejected { why, code: error.code.as_str().into(), message: message.into() })
    };
    match (error.status, error.code.as_str()) {
        (400 | 404 | 422, "failed_fraud_check") => ChargeOutcome::Declined(Decline {
            charge: None,
            card: None,
            code: "failed_fraud_check".into(),
            message: Some(error.message.as_str().into()),
            advice: None,
            advice_code: None,
        }),
        (400 | 404 | 422, "backend_error") => doubt(&error.to_string()),
        (404, "not_found") | (400, "invalid_card" | "missing_card") => rejected(RejectedWhy::Source),
        (400 | 404 | 422, _) => rejected(RejectedWhy::Request),
        (401 | 403, _) => rejected(RejectedWhy::Keys),
        (429, _) => ChargeOutcome::NotSent(NotSent {
            reason: error.to_string().into(),
            rate_limited: true,
            retry_after_s: error.retry_after.map(|wait| wait.as_secs()),
        }),
        _ => doubt(&error.to_string()),
    }
}

fn planted_decline() -> ChargeOutcome {
    ChargeOutcome::Declined(Decline {
        charge: None,
        card: None,
        code: "failed_processing".into(),
        message: None,
        advice: None,
        advice_code: None,
    })
}

pub(super) fn not_sent(reason: &str) -> ChargeOutcome {
    ChargeOutcome::NotSent(NotSent { reason: reason.into(), rate_limited: false, retry_after_s: None })
}

fn doubt(reason: &str) -> ChargeOutcome {
    ChargeOutcome::NoAnswer(NoAnswer { reason: reason.into(), alarm: false })
}

fn alarm(reason: &str) -> ChargeOutcome {
    ChargeOutcome::NoAnswer(NoAnswer { reason: sentence(reason), alarm: true })
}

#[cfg(test)]
mod tests;

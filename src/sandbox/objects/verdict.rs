//! How the bank and the switches decide about a charge.
//!
//! Promises: a card's conduct as published, unless a switch or a bank that was brought along says otherwise. Must never change the world.

use std::borrow::Cow;

use super::charges::{Failure, Status};
use super::order::Order;
use super::testcards::Temper;
use crate::sandbox::state::bank::{Bank, Question, Ruling};
use crate::sandbox::state::faults::Fault;
use crate::sandbox::state::world::World;

/// How the bank and the switches decide.
pub struct Verdict {
    pub status: Status,
    pub failure: Option<Failure>,
    pub three_ds: bool,
    pub settles_ms: Option<u64>,
}

pub fn decide(world: &World, order: &Order, card: u32, faults: &[Fault]) -> Verdict {
    let now = world.now_ms();
    let fail = |code: Cow<'static, str>| {
        let (advice, advice_code) = advice_in(faults);
        let failure = Some(Failure { code, advice, advice_code });
        Verdict { status: Status::Failed, failure, three_ds: false, settles_ms: None }
    };
    let pending =
        |three_ds, settles_ms| Verdict { status: Status::Pending, failure: None, three_ds, settles_ms };
    for fault in faults {
        match fault {
            Fault::Decline(code) => return fail(Cow::Owned(code.clone())),
            Fault::InFlight(after) => {
                return pending(false, Some(after.map_or(u64::MAX, |after| now.saturating_add(after))));
            }
            _ => {}
        }
    }
    let saved = world.cards.at(card);
    if saved.expired(now) {
        return fail(Cow::Borrowed("expired_card"));
    }
    let asks = faults.contains(&Fault::ThreeDs) || world.settings.three_ds;
    if let Some(bank) = world.bank.as_deref().filter(|_| !asks) {
        return ruled(world, bank, order, card);
    }
    match &saved.temper {
        Temper::EnrolmentFails if asks => fail(Cow::Borrowed("failed_processing")),
        Temper::Declines(code) if !asks => fail(code.clone()),
        Temper::Advises => {
            let mut verdict = fail(Cow::Borrowed("payment_rejected"));
            if let Some(failure) = &mut verdict.failure {
                failure.advice = Some("Do not retry this transaction with the same card".into());
                failure.advice_code = Some(order.amount.to_string().into());
            }
            verdict
        }
        _ if asks => pending(true, None),
        _ => Verdict { status: Status::Successful, failure: None, three_ds: false, settles_ms: None },
    }
}

/// As a bank that was brought along rules.
fn ruled(world: &World, bank: &dyn Bank, order: &Order, card: u32) -> Verdict {
    let customer = order.customer.map(|place| world.customers.name(place)).unwrap_or_default();
    let question = Question {
        customer: &customer,
        card: &world.cards.name(card),
        amount: order.amount,
        at_ms: world.now_ms(),
    };
    let (status, failure) = match bank.rule(&question) {
        Ruling::Pays => (Status::Successful, None),
        Ruling::Declines { code, advice, advice_code } => {
            let (advice, advice_code) = (advice.map(Into::into), advice_code.map(Into::into));
            (Status::Failed, Some(Failure { code: Cow::Borrowed(code), advice, advice_code }))
        }
    };
    Verdict { status, failure, three_ds: false, settles_ms: None }
}

/// Advice that switches carry: digits are a code, anything else is the text.
pub fn advice_in(faults: &[Fault]) -> (Option<Box<str>>, Option<Box<str>>) {
    let (mut advice, mut code) = (None, None);
    for fault in faults {
        if let Fault::Advice(said) = fault {
            let digits = said.bytes().all(|byte| byte.is_ascii_digit());
            *(if digits { &mut code } else { &mut advice }) = Some(said.as_str().into());
        }
    }
    (advice, code)
}

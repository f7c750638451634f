//! The bank's door at Omise.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::webhooks::{self, News};
use super::{
    AccountFacts, Answer, Charged, CustomerFacts, CustomerRead, Gateway, GatewayError, Latency, Page, Window,
    all_cards, classify, contact, seen, words,
};
use crate::clock::Stopwatch;
use crate::hooks::kill_point;
use crate::model::{ChargeId, ChargeOrder, ChargeRequest, ChargeSeen, Contact, CustomerId, Histogram};
use crate::omise::{Client, CustomerCards, Error, ErrorKind, List, ListQuery};

/// Charges customers saved at Omise.
#[derive(Debug)]
pub struct OmiseGateway {
    client: Client,
    return_uri: Option<String>,
    charges: Histogram,
    reads: Histogram,
}

impl OmiseGateway {
    /// A door for that client; `return_uri` is where a customer comes back after 3-D Secure.
    pub fn new(client: Client, return_uri: Option<String>) -> Self {
        Self { client, return_uri, charges: Histogram::default(), reads: Histogram::default() }
    }

    /// The API client behind the door.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for a read, and notes how long it took.
    async fn timed<T>(&self, read: impl Future<Output = T>) -> T {
        let watch = Stopwatch::start();
        let answer = read.await;
        self.reads.note(watch.elapsed());
        answer
    }
}

impl Gateway for OmiseGateway {
    fn account(&self) -> Answer<'_, Result<AccountFacts, GatewayError>> {
        Box::pin(async {
            let (account, capability) =
                tokio::join!(self.timed(self.client.account()), self.timed(self.client.capability()));
            let account = account.map_err(|e| read_error(&e))?;
            let capability = capability.map_err(|e| read_error(&e))?;
            Ok(AccountFacts {
                livemode: self.client.livemode(),
                limits: seen::limits(&account.value, &capability.value),
                provider_now: capability.provider_date,
            })
        })
    }

    fn ping(&self) -> Answer<'_, Result<(), GatewayError>> {
        Box::pin(async {
            let account = self.timed(self.client.account()).await;
            account.map(|_| ()).map_err(|e| read_error(&e))
        })
    }

    fn body(&self, order: &ChargeOrder) -> Arc<str> {
        words::body(order, self.return_uri.as_deref()).into()
    }

    fn charge<'a>(
        &'a self,
        request: &'a ChargeRequest,
        still_allowed: &'a (dyn Fn() -> bool + Sync),
    ) -> Answer<'a, Charged> {
        Box::pin(async move {
            let body = Bytes::copy_from_slice(request.body.as_bytes());
            let key = request.key.to_string();
            if !still_allowed() {
                let outcome = classify::not_sent("too long passed between the intent and its request");
                return Charged { outcome, provider_now: None };
            }
            kill_point("request.before");
            let watch = Stopwatch::start();
            let reply = self.client.charges().create_raw(body, &key).await;
            self.charges.note(watch.elapsed());
            kill_point("answer.after_read");
            Charged {
                outcome: classify::outcome(request, self.client.livemode(), reply.as_ref()),
                provider_now: reply.ok().and_then(|reply| reply.provider_date),
            }
        })
    }

    fn charge_seen<'a>(
        &'a self,
        charge: &'a ChargeId,
    ) -> Answer<'a, Result<Option<ChargeSeen>, GatewayError>> {
        Box::pin(async move {
            match self.timed(self.client.charges().retrieve(charge.as_str())).await {
                Ok(answer) => Ok(seen::charge_seen(&answer.value)),
                Err(error) if is_not_found(&error) => Ok(None),
                Err(error) => Err(read_error(&error)),
            }
        })
    }

    fn event<'a>(&'a self, id: &'a str) -> Answer<'a, Result<Option<News>, GatewayError>> {
        Box::pin(async move {
            match self.timed(self.client.events().retrieve(id)).await {
                Ok(answer) if answer.value.id == id => Ok(Some(webhooks::news(&answer.value))),
                Ok(_) => Err(GatewayError::Unreachable("the answer shows another event".into())),
                Err(error) if is_not_found(&error) => Ok(None),
                Err(error) => Err(read_error(&error)),
            }
        })
    }

    fn expire<'a>(&'a self, charge: &'a ChargeId) -> Answer<'a, Result<Option<ChargeSeen>, GatewayError>> {
        Box::pin(async move {
            match self.client.charges().expire(charge.as_str()).await {
                Ok(answer) => Ok(seen::charge_seen(&answer.value)),
                // It cannot be ended, or nobody knows whether it was: what it says of itself counts.
                Err(error) if !is_about_keys(&error) => self.charge_seen(charge).await,
                Err(error) => Err(read_error(&error)),
            }
        })
    }

    fn charges(&self, window: Window, offset: u64) -> Answer<'_, Result<Page<ChargeSeen>, GatewayError>> {
        Box::pin(async move {
            let query = ListQuery { offset, ..ListQuery::window(window.from, window.to) };
            let answer = self.timed(self.client.charges().list(&query)).await.map_err(|e| read_error(&e))?;
            let rows: Option<Vec<_>> = answer.value.data.iter().map(seen::charge_seen).collect();
            let unreadable =
                || GatewayError::Unreachable("a row of the list has no usable id or date".into());
            Ok(Page {
                rows: rows.ok_or_else(unreadable)?,
                total: answer.value.total,
                provider_now: answer.provider_date,
            })
        })
    }

    fn customer<'a>(&'a self, id: &'a CustomerId) -> Answer<'a, Result<CustomerRead, GatewayError>> {
        Box::pin(async move {
            let customer = match self.timed(self.client.customers().retrieve(id.as_str())).await {
                Ok(answer) => answer.value,
                Err(error) if is_not_found(&error) => return Ok(CustomerRead::Gone),
                Err(error) => return Err(read_error(&error)),
            };
            let another = || GatewayError::Unreachable("the answer shows another customer".into());
            if !customer.deleted && customer.id != id.as_str() {
                return Err(another());
            }
            let read = if customer.deleted || seen::embeds_all(&customer) {
                seen::customer(&customer, &customer.cards.data)
            } else {
                let all = self.timed(all_cards::read(&self.client, &customer)).await?;
                seen::customer(&customer, &all)
            };
            read.ok_or_else(another)
        })
    }

    fn contact<'a>(&'a self, id: &'a CustomerId) -> Answer<'a, Result<Option<Contact>, GatewayError>> {
        Box::pin(async move {
            match self.client.customers().retrieve(id.as_str()).await {
                Ok(answer) => Ok(contact::of(&answer.value, id)),
                Err(error) if is_not_found(&error) => Ok(None),
                Err(error) => Err(read_error(&error)),
            }
        })
    }

    fn customers(&self, to: Timestamp, offset: u64) -> Answer<'_, Result<Page<CustomerFacts>, GatewayError>> {
        Box::pin(async move {
            let query = ListQuery { offset, ..ListQuery::window(Timestamp::UNIX_EPOCH, to) };
            let reply =
                self.timed(self.client.customers().list_raw(&query)).await.map_err(|e| read_error(&e))?;
            let list: List<CustomerCards<'_>> = reply.parse().map_err(|e| read_error(&e))?;
            Ok(Page {
                rows: list.data.iter().filter(|c| !c.deleted).filter_map(seen::listed).collect(),
                total: list.total,
                provider_now: reply.provider_date,
            })
        })
    }

    fn calls(&self) -> u64 {
        self.client.requests()
    }

    fn latency(&self) -> Latency {
        Latency { charges: self.charges.seen(), reads: self.reads.seen() }
    }
}

/// 404 with the provider's own word: deleted, or never there. Another machine's 404 proves nothing.
fn is_not_found(error: &Error) -> bool {
    error.api().is_some_and(|api| api.status == 404 && api.code == "not_found")
}

fn is_about_keys(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Authentication | ErrorKind::Permission)
}

pub(super) fn read_error(error: &Error) -> GatewayError {
    match (error.kind(), error.api()) {
        (ErrorKind::Authentication | ErrorKind::Permission, Some(api)) => {
            GatewayError::Keys { code: api.code.as_str().into(), message: api.message.as_str().into() }
        }
        (ErrorKind::RateLimited, _) => GatewayError::RateLimited,
        (ErrorKind::NotFound | ErrorKind::InvalidRequest, Some(api)) => {
            GatewayError::Refused { code: api.code.as_str().into(), message: api.message.as_str().into() }
        }
        _ => GatewayError::Unreachable(error.to_string().into()),
    }
}

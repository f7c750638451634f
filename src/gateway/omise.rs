//! The bank's door at Omise.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    AccountFacts, Answer, Charged, CustomerFacts, CustomerRead, Gateway, GatewayError, Page, Window,
    classify, contact, seen, words,
};
use crate::hooks::kill_point;
use crate::model::{ChargeId, ChargeOrder, ChargeRequest, ChargeSeen, Contact, CustomerId};
use crate::omise::{Client, Error, ErrorKind, ListQuery};

/// Charges customers saved at Omise.
#[derive(Debug)]
pub struct OmiseGateway {
    client: Client,
    return_uri: Option<String>,
}

impl OmiseGateway {
    /// A door for that client; `return_uri` is where a customer comes back after 3-D Secure.
    pub const fn new(client: Client, return_uri: Option<String>) -> Self {
        Self { client, return_uri }
    }

    /// The API client behind the door.
    pub const fn client(&self) -> &Client {
        &self.client
    }
}

impl Gateway for OmiseGateway {
    fn account(&self) -> Answer<'_, Result<AccountFacts, GatewayError>> {
        Box::pin(async {
            let account = self.client.account().await.map_err(|e| read_error(&e))?;
            let capability = self.client.capability().await.map_err(|e| read_error(&e))?;
            Ok(AccountFacts {
                livemode: self.client.livemode(),
                limits: seen::limits(&account.value, &capability.value),
                provider_now: capability.provider_date,
            })
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
            let reply = self.client.charges().create_raw(body, &key).await;
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
            match self.client.charges().retrieve(charge.as_str()).await {
                Ok(answer) => Ok(seen::charge_seen(&answer.value)),
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
            let answer = self.client.charges().list(&query).await.map_err(|e| read_error(&e))?;
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
            match self.client.customers().retrieve(id.as_str()).await {
                Ok(answer) => seen::customer(&answer.value)
                    .filter(|read| !matches!(read, CustomerRead::Present(facts) if facts.id != *id))
                    .ok_or_else(|| GatewayError::Unreachable("the answer shows another customer".into())),
                Err(error) if is_not_found(&error) => Ok(CustomerRead::Gone),
                Err(error) => Err(read_error(&error)),
            }
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
            let answer = self.client.customers().list(&query).await.map_err(|e| read_error(&e))?;
            Ok(Page {
                rows: answer.value.data.iter().filter(|c| !c.deleted).filter_map(seen::facts).collect(),
                total: answer.value.total,
                provider_now: answer.provider_date,
            })
        })
    }

    fn calls(&self) -> u64 {
        self.client.requests()
    }
}

/// 404 with the provider's own word: deleted, or never there. Another machine's 404 proves nothing.
fn is_not_found(error: &Error) -> bool {
    error.api().is_some_and(|api| api.status == 404 && api.code == "not_found")
}

fn is_about_keys(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Authentication | ErrorKind::Permission)
}

fn read_error(error: &Error) -> GatewayError {
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

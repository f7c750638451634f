//! All cards of a customer whose own answer embeds only some of them.
//!
//! Promises: every card, or an error; never a part that is taken for the whole. Must never know: what they are for.

use super::GatewayError;
use super::omise::read_error;
use crate::omise::{Card, Client, Customer, ListQuery};

/// Cards of one customer that are taken in: each stays in the book and comes along with every look at the customer.
/// Nobody keeps as many; somebody who tries stolen cards may.
const MOST_CARDS: usize = 500;

/// Reads the customer's cards page by page, to their end; none where there are too many.
pub(super) async fn read(client: &Client, customer: &Customer) -> Result<Vec<Card>, GatewayError> {
    if usize::try_from(customer.cards.total).map_or(true, |total| total > MOST_CARDS) {
        return Err(too_many(customer));
    }
    let mut rows =
        client.customers().cards(&customer.id).rows(&ListQuery::default()).map_err(|e| read_error(&e))?;
    let mut cards = Vec::new();
    while let Some(card) = rows.next().await.map_err(|e| read_error(&e))? {
        if cards.len() == MOST_CARDS {
            return Err(too_many(customer)); // They were saved while the pages were turned.
        }
        cards.push(card);
    }
    Ok(cards)
}

fn too_many(customer: &Customer) -> GatewayError {
    let id = &customer.id;
    let what = format!(
        "{id} has more than {MOST_CARDS} cards; delete some with `dues customers cards delete {id} CARD`"
    );
    GatewayError::TooMany(what.into())
}

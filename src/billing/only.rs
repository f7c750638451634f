//! What a run is narrowed to is looked up before anything is begun: a slip of the pen leaves no trace in the book.
//!
//! Must never know: how the id was given.

use super::{Billing, Only, RunError, RunOrder};
use crate::store::{Filter, Store, StoreError};

/// Ids that a wrong one is compared with, so that who mistyped is answered at once in a large book too.
const MOST_COMPARED: usize = 10_000;
/// Rows read at a time.
const PAGE_ROWS: usize = 1_000;
/// Ids that differ in more letters than this are not one another's misspelling: the provider's look much alike.
const MOST_LETTERS_OFF: usize = 2;

/// Refuses a run of a subscription or a customer that the book does not know.
pub(super) async fn must_be_known(billing: &Billing, order: &RunOrder) -> Result<(), RunError> {
    let Some(only) = order.only.clone() else { return Ok(()) };
    billing.lane.run(move |store| refuse_unknown(store, &only, "--only")).await?
}

/// Refuses an id that the book does not know, with the nearest one that it does; `option` is how it was given.
///
/// # Errors
/// [`RunError::Usage`], or what the book refused.
pub fn refuse_unknown(store: &mut dyn Store, only: &Only, option: &str) -> Result<(), RunError> {
    let (id, what) = match only {
        Only::Subscription(id) => (id.as_str(), "a subscription"),
        Only::Customer(id) => (id.as_str(), "a customer with a subscription"),
    };
    // One that cannot be read is known all the same: the run says what is wrong with it.
    if !store.page_of_subscriptions(&only.filter(), 0, 1)?.is_empty() {
        return Ok(());
    }
    let near = nearest(store, only, id)?.map_or_else(String::new, |near| format!("did you mean {near:?}? "));
    Err(RunError::Usage(format!(
        "{option}: found {id:?}, wanted {what} in this book; {near}`dues list subscriptions` shows them"
    )))
}

/// The id of the same kind that the wrong one most likely meant; `None`: none is near.
fn nearest(store: &mut dyn Store, only: &Only, wrong: &str) -> Result<Option<String>, StoreError> {
    let (mut after, mut compared) = (0, 0);
    let mut best: Option<(usize, String)> = None;
    while compared < MOST_COMPARED {
        let page = store.page_of_subscriptions(&Filter::default(), after, PAGE_ROWS)?;
        let read = page.rows.iter().map(|row| (&row.subscription.id, &row.subscription.customer));
        let unread = page.unreadable.iter().filter_map(|found| found.whose.as_ref());
        for (subscription, customer) in read.chain(unread.map(|(id, customer)| (id, customer))) {
            let id: &str = match only {
                Only::Subscription(_) => subscription.as_str(),
                Only::Customer(_) => customer.as_str(),
            };
            let off = strsim::damerau_levenshtein(wrong, id);
            if off <= MOST_LETTERS_OFF && best.as_ref().is_none_or(|(least, _)| off < *least) {
                best = Some((off, id.to_owned()));
            }
        }
        compared += page.len();
        match page.last {
            Some(last) if page.len() == PAGE_ROWS => after = last,
            _ => break,
        }
    }
    Ok(best.map(|(_, id)| id))
}

//! The outbox: reads the diary after the commit, writes what the rules want told, and hands it out to be delivered.
//!
//! Promises: what an event leads to is written together with how far the diary was read, so that it is neither
//! forgotten nor written twice, whenever the process dies; nothing is written of what nobody wants to be told; what
//! is told is still so at that moment.
//! Must never know: mail, webhooks, commands, and what a letter says.

mod hand_out;
mod looks;
mod read;
#[cfg(test)]
mod tests;

use crate::model::settings::Notify;
use crate::store::Waiting;

use super::{Billing, RunError};

pub use hand_out::{HandedOut, hand_out, mark};
pub use read::{PageRead, read_page};

/// Reads the diary to its end and looks for what comes soon; how many messages are new. Cheap where nothing happened.
pub async fn gather(billing: &Billing, wishes: &Notify) -> Result<u64, RunError> {
    let mut new = 0;
    while !billing.stop.is_cancelled() {
        let (wanted, now) = (wishes.clone(), billing.clock.now());
        let page = billing.lane.run(move |store| read_page(store, &wanted, now)).await??;
        new += page.new;
        if page.at_end {
            break;
        }
    }
    if wishes.is_off() {
        return Ok(0);
    }
    Ok(new + looks::look(billing, wishes).await?)
}

/// How many messages wait.
pub async fn waiting(billing: &Billing) -> Result<Waiting, RunError> {
    let now = billing.clock.now();
    Ok(billing.lane.run(move |store| store.count_waiting(now)).await??)
}

//! `dues notify send`: reads the diary, delivers what is due, once, and says how much still waits.

use std::sync::Arc;

use clap::Args;
use futures_util::future::try_join_all;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::super::context::Context;
use super::super::exit::{Exit, Failure};
use super::super::output::Output;
use crate::billing::{Billing, Unwatched, outbox};
use crate::config::Settings;
use crate::store::Waiting;
use crate::wiring::{self, Claim, Post, Sent};

/// Nothing but what every command takes.
#[derive(Debug, Args)]
#[command(
    after_help = "The service does this by itself. Beside it, and beside a run, this command is harmless: each \
                        message is taken by one of them.\n\nExamples:\n  dues run-now && dues notify send\n  \
                        dues notify send --json"
)]
pub struct SendArgs {}

/// Delivers what is due.
pub(super) fn run(_: &SendArgs, context: &Context) -> Result<Exit, Failure> {
    let (new, sent, waiting) = context.wait(send(context))?;
    let mut out = Output::stdout(context.global.json);
    if out.is_json() {
        out.object(&json!({
            "new": new, "sent": sent.sent, "failed": sent.failed, "refused": sent.refused, "waiting": waiting.all,
        }))?;
    } else {
        out.line(&format!(
            "{} sent, {} failed, {} refused for good, {} wait",
            sent.sent, sent.failed, sent.refused, waiting.all
        ))?;
    }
    out.finish()?;
    Ok(Exit::Done)
}

async fn send(context: &Context) -> Result<(u64, Sent, Waiting), Failure> {
    let settings = context.settings();
    let store = wiring::open_existing(settings)?;
    let door = wiring::open_door_beside(settings).await?;
    let stop = CancellationToken::new();
    let house = wiring::build(settings, store, door, Arc::new(Unwatched), stop, (Claim::None, None))?;
    let post = Post::new(settings, house.billing.clone())?;
    let new = post.gather().await?;
    let each = try_join_all(post.channels().into_iter().map(|channel| post.deliver_due(channel))).await?;
    let sent = each.into_iter().fold(Sent::default(), Sent::and);
    let waiting = outbox::waiting(&house.billing).await?;
    house.close(settings).await?;
    Ok((new, sent, waiting))
}

/// After a run: reads the diary for what is to be told, and says how much waits to be delivered. The run was made,
/// whatever comes of this.
pub(in crate::cli) async fn gather(settings: &Settings, billing: &Billing) -> u64 {
    let gathered = async {
        outbox::gather(billing, &settings.notify).await?;
        outbox::waiting(billing).await
    };
    match gathered.await {
        Ok(waiting) => waiting.all,
        Err(error) => {
            tracing::error!(%error, "the diary could not be read for messages; `dues notify send` does it again");
            0
        }
    }
}

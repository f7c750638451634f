//! `dues daemon`: puts the house together, lets it serve until it is told to stop, and closes it.

use std::sync::Arc;

use clap::Args;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::house::first_subscriptions;
use crate::billing::Billing;
use crate::billing::webhooks::{Doorbell, Ring};
use crate::config::{self, Loaded, SecretText, Settings, WebSettings};
use crate::daemon::{Desk, EndedBadly, Job, Pulse, Reload, Timetable, Wishes, schedule, signals};
use crate::gateway::webhooks::Secrets;
use crate::store::{ChargingLock, StoreError};
use crate::web::{self, Standing, Windows};
use crate::wiring::{self, Backups, Claim, House, Post, WiringError};

/// Nothing but what every command takes.
#[derive(Debug, Args)]
#[command(
    after_help = "SIGTERM and SIGINT stop it calmly, a second one at once; SIGHUP reads the config again.\n\n\
                        Examples:\n  dues daemon --config /etc/dues/dues.toml\n  dues daemon --config config/demo.toml -v"
)]
pub struct DaemonArgs {}

/// Between two tries to take the lock from a run.
const ASK_AGAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// The service, until it is told to stop.
pub(super) fn run(_: &DaemonArgs, context: &Context) -> Result<Exit, Failure> {
    context.wait(serve(context))
}

async fn serve(context: &Context) -> Result<Exit, Failure> {
    let settings = context.settings();
    let stop = CancellationToken::new();
    let orders = signals::listen(stop.clone())
        .map_err(|why| Failure::unexpected(format!("signals cannot be listened to ({why})")))?;
    let pulse = Arc::new(Pulse::default());
    let house = Arc::new(open(context, pulse.clone(), stop).await?);
    let (ticker, ticks) = schedule::start().await.map_err(Failure::unexpected)?;
    let (standing, told) = watch::channel(Standing::default());
    let (in_force, billing) = watch::channel(house.billing.clone());
    let (doorbell, rings) = hang_doorbell(settings, &house.billing).await?.unzip();
    // Not with the work's own stop: who looks in during a long stop is told so.
    let windows_close = CancellationToken::new();
    if let Some(web) = &settings.web {
        let windows = Windows {
            billing,
            standing: told,
            hosts: web.hosts.clone(),
            due_limit: web.due_limit,
            doorbell: doorbell.clone(),
            provider: Arc::default(),
        };
        let listen = web::open(web.listen, windows, windows_close.clone()).await;
        let addr = listen
            .map_err(|why| Failure::usage(format!("[web] listen: {} cannot be used: {why}", web.listen)))?;
        tracing::info!(%addr, "the windows are open");
    }
    let wishes = wishes(settings, house.billing.clone()).map_err(Failure::usage)?;
    let reload = reload(context, house.clone(), in_force, doorbell.clone());
    let mut desk = Desk::new(wishes, ticks, orders, reload, pulse, standing);
    if let Some((doorbell, rings)) = doorbell.zip(rings) {
        desk = desk.with_doorbell(doorbell, rings);
    }
    let served = desk.serve().await;
    windows_close.cancel();
    ticker.stop().await;
    // The desk is gone and with it the only other holder.
    if let Some(house) = Arc::into_inner(house) {
        house.close(settings).await?;
    }
    match served {
        Ok(()) => Ok(Exit::Done),
        Err(EndedBadly::Run(error)) => Err(error.into()),
        Err(error) => Err(Failure::unexpected(error)),
    }
}

/// Where signing secrets are configured.
async fn hang_doorbell(
    settings: &Settings,
    billing: &Billing,
) -> Result<Option<(Arc<Doorbell>, mpsc::Receiver<Ring>)>, Failure> {
    match settings.web.as_ref().map(secrets).transpose()?.flatten() {
        Some(secrets) => Ok(Some(Doorbell::hang(billing, secrets).await?)),
        None => Ok(None),
    }
}

/// `None`: none are wished.
fn secrets(web: &WebSettings) -> Result<Option<Secrets>, Failure> {
    let texts = web.webhook_secrets()?;
    let secrets = Secrets::parse(texts.iter().map(SecretText::expose));
    let secrets = secrets.map_err(|why| Failure::usage(format!("[web] webhook_secret_file: {why}")))?;
    Ok((!texts.is_empty()).then_some(secrets))
}

/// The lock first: beside another process that charges nothing is opened.
async fn open(context: &Context, pulse: Arc<Pulse>, stop: CancellationToken) -> Result<House, Failure> {
    let settings = context.settings();
    let lock = claim_in_turn(settings, &stop).await?;
    let door = wiring::open_door(settings).await?;
    let mut store = wiring::open_book(settings)?;
    wiring::bring_plans(settings, &context.config.plans, &mut store, Some(&door)).await?;
    first_subscriptions(context, &mut store, &door)?;
    Ok(wiring::build(settings, store, door, pulse, stop, (Claim::Serve, lock))?)
}

/// Another service is refused at once; a single run is waited for, since it ends by itself.
async fn claim_in_turn(
    settings: &Settings,
    stop: &CancellationToken,
) -> Result<Option<ChargingLock>, Failure> {
    let mut waited = false;
    loop {
        match wiring::claim(settings, Claim::Serve) {
            Err(WiringError::Store(StoreError::InUse { stays: false, holder, .. }))
                if !stop.is_cancelled() =>
            {
                if !std::mem::replace(&mut waited, true) {
                    tracing::warn!("waiting for the run of process {holder} to end");
                }
                tokio::time::sleep(ASK_AGAIN).await;
            }
            claimed => return Ok(claimed?),
        }
    }
}

fn wishes(settings: &Settings, billing: Billing) -> Result<Wishes, String> {
    let (schedule, backup) = (&settings.schedule, settings.backup.as_ref());
    let mut words = vec![
        (Job::Billing, schedule.billing.as_str()),
        (Job::CardWatch, &schedule.card_watch),
        (Job::Reconcile, &schedule.reconcile),
        (Job::Notifications, &schedule.notifications),
        (Job::Housekeeping, &schedule.housekeeping),
    ];
    words.extend(backup.map(|_| (Job::Backup, schedule.backup.as_str())));
    let post = Post::new(settings, billing.clone()).map_err(|error| error.to_string())?;
    Ok(Wishes {
        billing,
        timetable: Timetable::new(settings.zone.clone(), &words)?,
        backups: backup.map(|wishes| Backups::new(&settings.store.path, wishes)),
        post,
    })
}

/// Reads the same file again; what it says holds from the next piece of work on, or is refused as a whole.
fn reload(
    context: &Context,
    house: Arc<House>,
    in_force: watch::Sender<Billing>,
    doorbell: Option<Arc<Doorbell>>,
) -> Reload {
    let (given, old) = (context.global.config.clone(), context.settings().clone());
    Box::new(move || {
        let (given, old, house, in_force) = (given.clone(), old.clone(), house.clone(), in_force.clone());
        let doorbell = doorbell.clone();
        Box::pin(async move {
            let new = read_again(given.as_deref())?;
            let billing = wiring::renew(&house, &old, &new.settings, &new.plans).await;
            let wishes = wishes(&new.settings, billing.map_err(|error| error.to_string())?)?;
            let read = new.settings.web.as_ref().map(secrets).transpose();
            let secrets = read.map_err(|failure| failure.sentence)?.flatten();
            if let (Some(doorbell), Some(secrets)) = (&doorbell, secrets) {
                doorbell.change_secrets(secrets);
            }
            in_force.send_replace(wishes.billing.clone());
            Ok(wishes)
        })
    })
}

fn read_again(given: Option<&std::path::Path>) -> Result<Loaded, String> {
    let read = config::find(given).and_then(|path| config::load(&path));
    read.map_err(|errors| errors.to_string())
}

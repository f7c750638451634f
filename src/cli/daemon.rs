//! `dues daemon`: puts the house together, lets it serve until it is told to stop, and closes it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::exit::{Exit, Failure};
use super::house::first_subscriptions;
use crate::billing::Billing;
use crate::billing::webhooks::{Doorbell, Ring};
use crate::config::{self, SecretText, Settings, WebSettings};
use crate::daemon::{Desk, EndedBadly, Job, Pulse, Reload, Timetable, Wishes, schedule, signals, waits};
use crate::gateway::GatewayError;
use crate::gateway::webhooks::Secrets;
use crate::store::sqlite::{OpenOptions, SqliteStore};
use crate::store::{ChargingLock, StoreError};
use crate::web::{self, Standing, Windows};
use crate::wiring::{self, Backups, Claim, Door, House, Post, WiringError};

/// Nothing but what every command takes.
#[derive(Debug, Args)]
#[command(
    after_help = "SIGTERM and SIGINT stop it calmly, a second one at once; SIGHUP reads the config again.\n\n\
                        Examples:\n  dues daemon --config /etc/dues/dues.toml\n  dues daemon --config config/demo.toml -v"
)]
pub struct DaemonArgs {}

/// Between two tries to take the lock from a run.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// What a supervisor is asked for at each of them: a wait of any length is no start that hangs.
const MORE_TIME: Duration = Duration::from_mins(1);

/// A start waits for others who write no longer than this at a time, so that a signal is heard meanwhile.
const BUSY_WAIT: Duration = Duration::from_secs(1);
/// One try to ask the provider about new plans; shorter than [`MORE_TIME`].
const ONE_TRY: Duration = Duration::from_secs(40);

/// Where the files of the signing secrets are named.
const SECRET_FILES: &str = "web.webhook_secret_file";
/// Where the file of the key is named.
const KEY_FILE: &str = "omise.secret_key_file";

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
    let Some(house) = open(context, pulse.clone(), stop).await? else {
        tracing::info!("told to stop before anything was begun");
        return Ok(Exit::Done);
    };
    let house = Arc::new(house);
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

/// `None`: none are wished. A mistake begins with its key.
fn secrets(web: &WebSettings) -> Result<Option<Secrets>, Failure> {
    let named = |why: &dyn std::fmt::Display| format!("{SECRET_FILES}: {why}");
    let texts = web.webhook_secrets().map_err(|why| Failure::usage(named(&why)))?;
    let secrets = Secrets::parse(texts.iter().map(SecretText::expose)).map_err(|why| named(&why));
    let secrets = secrets.map_err(Failure::usage)?;
    Ok((!texts.is_empty()).then_some(secrets))
}

/// The lock first: beside another process that charges nothing is opened. `None`: told to stop while it waited.
async fn open(
    context: &Context,
    pulse: Arc<Pulse>,
    stop: CancellationToken,
) -> Result<Option<House>, Failure> {
    let settings = context.settings();
    let Some(lock) = claim_in_turn(settings, &stop).await? else { return Ok(None) };
    let door = wiring::open_door(settings).await?;
    let Some(mut store) = open_in_turn(context, &door, &stop).await? else { return Ok(None) };
    first_subscriptions(context, &mut store, &door)?;
    Ok(Some(wiring::build(settings, store, door, pulse, stop, (Claim::Serve, Some(lock)))?))
}

/// Another service is refused at once; a single run is waited for, since it ends by itself. `None`: told to stop
/// meanwhile.
async fn claim_in_turn(
    settings: &Settings,
    stop: &CancellationToken,
) -> Result<Option<ChargingLock>, Failure> {
    let mut waited = false;
    loop {
        match wiring::claim(settings, Claim::Serve) {
            Err(WiringError::Store(StoreError::InUse { stays: false, holder, .. })) => {
                if !rest(&format!("waiting for the run of process {holder} to end"), &mut waited, stop).await
                {
                    return Ok(None);
                }
            }
            claimed => return Ok(claimed?),
        }
    }
}

/// The book with the config's zone and plans in it. Another program that keeps it locked is waited for, and so is a
/// provider that does not answer where there are new plans to be held against the account; refused keys are not. `None`:
/// told to stop meanwhile.
async fn open_in_turn(
    context: &Context,
    door: &Door,
    stop: &CancellationToken,
) -> Result<Option<SqliteStore>, Failure> {
    let (settings, plans) = (context.settings(), &context.config.plans);
    let bring = async |store: &mut SqliteStore| {
        let unanswered = || GatewayError::Unreachable(format!("no answer within {ONE_TRY:?}").into());
        let brought = timeout(ONE_TRY, wiring::bring_plans(settings, plans, store, Some(door))).await;
        brought.unwrap_or_else(|_| Err(unanswered().into()))
    };
    let open = async || {
        let makes_it = wiring::would_make_book(settings)?;
        if makes_it {
            // Plans that are refused make no book.
            bring(&mut SqliteStore::in_memory()?).await?;
        }
        let mut store = wiring::open_book_within(settings, BUSY_WAIT)?;
        if makes_it {
            wiring::bring_judged_plans(settings, plans, &mut store)?;
        } else {
            bring(&mut store).await?;
        }
        store.wait_for_others(OpenOptions::default().busy_wait)?;
        Ok(store)
    };
    let mut waited = false;
    loop {
        let opened = tokio::select! {
            opened = open() => opened,
            () = stop.cancelled() => return Ok(None),
        };
        let why = match opened {
            Err(WiringError::Store(StoreError::Busy { path, .. })) => {
                format!("waiting for another program that keeps {} locked", path.display())
            }
            Err(WiringError::Gateway(error @ (GatewayError::Unreachable(_) | GatewayError::RateLimited))) => {
                format!("waiting for the provider, which is to judge new plans: {error}")
            }
            opened => return Ok(Some(opened?)),
        };
        if !rest(&why, &mut waited, stop).await {
            return Ok(None);
        }
    }
}

/// Tells why it waits, in the log once, and waits until it may look again; `false`: told to stop.
async fn rest(why: &str, told: &mut bool, stop: &CancellationToken) -> bool {
    waits(why, MORE_TIME);
    if !std::mem::replace(told, true) {
        tracing::warn!("{why}");
    }
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(ASK_AGAIN) => true,
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

/// Reads the same file again; what it says holds from the next piece of work on, or is refused as a whole. Everything
/// that can be refused comes before the book is touched, and what cannot fail after it.
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
            let path = config::find(given.as_deref()).map_err(|errors| errors.to_string())?;
            let new = config::load(&path).map_err(|errors| errors.to_string())?;
            let renewal = wiring::renew(&house, &old, &new.settings, &new.plans).await;
            let renewal = renewal.map_err(|error| placed(&path, &error))?;
            let wishes = wishes(&new.settings, renewal.billing().clone())
                .map_err(|sentence| at_its_key(&path, &sentence))?;
            let read = new.settings.web.as_ref().map(secrets).transpose();
            let secrets = read.map_err(|failure| at_its_key(&path, &failure.sentence))?.flatten();
            renewal.commit().await.map_err(|error| error.to_string())?;
            if let (Some(doorbell), Some(secrets)) = (&doorbell, secrets) {
                doorbell.change_secrets(secrets);
            }
            in_force.send_replace(wishes.billing.clone());
            Ok(wishes)
        })
    })
}

/// The mistake with its place in the config, where it is one of the config or of the key that it names.
fn placed(path: &Path, error: &WiringError) -> String {
    match error {
        WiringError::Fixed { key, .. } => config::mistake_at(path, key, &error.to_string()).to_string(),
        WiringError::Secret(_)
        | WiringError::Access { .. }
        | WiringError::Store(StoreError::WrongMode { .. })
        | WiringError::Gateway(GatewayError::Keys { .. }) => {
            config::mistake_at(path, KEY_FILE, &error.to_string()).to_string()
        }
        WiringError::Wish(sentence) => at_its_key(path, sentence),
        other => other.to_string(),
    }
}

/// The same for a sentence that begins with its dotted key; another is left as it is.
fn at_its_key(path: &Path, sentence: &str) -> String {
    match sentence.split_once(": ") {
        Some((key, _)) if key.contains('.') && !key.contains([' ', '/']) => {
            config::mistake_at(path, key, sentence).to_string()
        }
        _ => sentence.to_owned(),
    }
}

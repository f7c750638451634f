//! The sandbox's HTTP: connections, requests, and carrying out what the switches ask.
//!
//! Promises: the world is locked only while it works, never while bytes travel; a request that was to be
//! processed late is processed even if the client has gone. Must never know what a call means.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answer::{Answer, Outgoing};
use super::call::Call;
use super::wire::{Cut, Wire};
use super::{control, handling, sending, webhooks};
use crate::sandbox::objects::error::ApiError;
use crate::sandbox::state::faults::{Fault, When};
use crate::sandbox::state::world::World;
use crate::sandbox::state::{ids, time};

/// No request of the API is larger.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What every connection shares.
pub struct Shared {
    world: Mutex<World>,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Calls that were taken and are still to be processed.
    owed: watch::Sender<usize>,
}

impl Shared {
    pub fn new(world: World) -> Self {
        Self {
            world: Mutex::new(world),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            owed: watch::Sender::new(0),
        }
    }

    /// Waits until nothing is still to be processed, so that the clock never jumps over what was late by a moment.
    async fn caught_up(&self) {
        tokio::select! {
            () = self.stop.cancelled() => {}
            // The sender lives as long as we do, so the wait itself cannot fail.
            _ = async { self.owed.subscribe().wait_for(|owed| *owed == 0).await.map(|_| ()) } => {}
        }
    }

    /// The world, for as long as the guard lives. Never held across an await.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs something until the sandbox stops.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Tells every connection to end.
    pub fn cancel(&self) {
        self.stop.cancel();
    }

    /// Ends every connection and waits until all tasks are gone.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Takes connections until stopped.
pub async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let arrived = tokio::select! {
            () = shared.stop.cancelled() => return,
            arrived = listener.accept() => arrived,
        };
        // A connection that broke before it was taken is the client's business.
        let Ok((stream, _)) = arrived else { continue };
        shared.spawn(connection(Arc::clone(&shared), stream));
    }
}

/// Starts taking connections.
pub fn spawn(shared: &Arc<Shared>, listener: TcpListener) {
    shared.tasks.spawn(accept(Arc::clone(shared), listener));
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    // Answers are small and awaited: waiting to fill a packet would only slow them.
    drop(stream.set_nodelay(true));
    let cut = Arc::new(Cut::default());
    let wire = TokioIo::new(Wire::new(stream, Arc::clone(&cut)));
    let service = hyper::service::service_fn(move |request| {
        let (shared, cut) = (Arc::clone(&shared), Arc::clone(&cut));
        async move { Ok::<_, Infallible>(respond(&shared, &cut, request).await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.auto_date_header(false).writev(false);
    // What ends a connection early is a switch or the client: neither is ours to report.
    drop(server.serve_connection(wire, service).await);
}

async fn respond(shared: &Arc<Shared>, cut: &Cut, request: Request<Incoming>) -> Response<Outgoing> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let version = head.headers.get("omise-version").cloned();
    let answer = match Call::read(head.method, &head.uri, &head.headers, &body) {
        Ok(call) => carry_out(shared, cut, call).await,
        Err(error) => Answer::refusal(&error),
    };
    let (now, number) = {
        let world = shared.world();
        let hidden = answer.no_date || world.settings.no_date;
        ((!hidden).then(|| world.now_seconds()), ids::mix(world.traffic.requests))
    };
    sending::send(answer, now, version, number)
}

/// Processes a call as its switches ask.
async fn carry_out(shared: &Arc<Shared>, cut: &Cut, call: Call) -> Answer {
    if call.segments().first() == Some(&control::ROOT) {
        if call.segments().get(1) == Some(&"clock") {
            shared.caught_up().await;
        }
        let mut world = shared.world();
        let answer = control::answer(&mut world, &call);
        let answer = saved(&mut world, answer);
        webhooks::dispatch(shared, std::mem::take(&mut world.parcels));
        return answer;
    }
    let (faults, latency) = {
        let mut world = shared.world();
        match handling::admit(&mut world, &call) {
            Ok(faults) => (faults, world.settings.latency_ms),
            Err(refused) => return refused,
        }
    };
    if let Some(answer) = before(shared, cut, &faults, &call).await {
        return answer;
    }
    let mut answer = process(shared, call, &faults).await;
    for fault in &faults {
        match fault {
            Fault::Silence(When::After) => pending::<()>().await,
            Fault::Close(When::After) => cut.after(0, false),
            Fault::Reset(When::After) => cut.after(0, true),
            Fault::Cut(bytes, reset) => cut.after(*bytes, *reset),
            Fault::Delay(When::After, ms) => tokio::time::sleep(time::ms(*ms)).await,
            other => answer = answer.suffer(other),
        }
    }
    if latency > 0 {
        tokio::time::sleep(time::ms(latency)).await;
    }
    answer
}

/// What happens instead of processing, if anything does.
async fn before(shared: &Arc<Shared>, cut: &Cut, faults: &[Fault], call: &Call) -> Option<Answer> {
    for fault in faults {
        match fault {
            Fault::Silence(When::Before) => pending::<()>().await,
            Fault::Close(When::Before) => cut.after(0, false),
            Fault::Reset(When::Before) => cut.after(0, true),
            Fault::Late(ms) => {
                cut.after(0, false);
                process_later(shared, call, faults, *ms);
            }
            other => {
                if let Some(answer) = Answer::instead(other) {
                    return Some(answer);
                }
                continue;
            }
        }
        return Some(Answer::refusal(&ApiError::of_status(500)));
    }
    None
}

fn process_later(shared: &Arc<Shared>, call: &Call, faults: &[Fault], ms: u64) {
    let (own, call, faults) = (Arc::clone(shared), call.clone(), faults.to_vec());
    shared.owed.send_modify(|owed| *owed += 1);
    shared.spawn(async move {
        tokio::time::sleep(time::ms(ms)).await;
        work(&own, &call, &faults);
        own.owed.send_modify(|owed| *owed -= 1);
    });
}

/// Processes now, or after the delay that a switch asks: then even if the client has gone meanwhile.
async fn process(shared: &Arc<Shared>, call: Call, faults: &[Fault]) -> Answer {
    let delay = faults.iter().find_map(|fault| match fault {
        Fault::Delay(When::Before, ms) => Some(*ms),
        _ => None,
    });
    let Some(delay) = delay else { return work(shared, &call, faults) };
    let (own, faults) = (Arc::clone(shared), faults.to_vec());
    shared.owed.send_modify(|owed| *owed += 1);
    let task = shared.tasks.spawn(async move {
        let answer = tokio::select! {
            () = own.stop.cancelled() => Answer::refusal(&ApiError::of_status(503)),
            () = tokio::time::sleep(time::ms(delay)) => work(&own, &call, &faults),
        };
        own.owed.send_modify(|owed| *owed -= 1);
        answer
    });
    task.await.unwrap_or_else(|_| Answer::refusal(&ApiError::of_status(500)))
}

fn work(shared: &Arc<Shared>, call: &Call, faults: &[Fault]) -> Answer {
    let mut world = shared.world();
    let answer = handling::process(&mut world, call, faults);
    let answer = saved(&mut world, answer);
    if !world.parcels.is_empty() {
        webhooks::dispatch(shared, std::mem::take(&mut world.parcels));
    }
    answer
}

/// The answer, once what changed stands in the state file.
fn saved(world: &mut World, answer: Answer) -> Answer {
    match world.save() {
        Ok(()) => answer,
        Err(_) => Answer::refusal(&ApiError::of_status(500)),
    }
}

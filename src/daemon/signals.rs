//! What the system and its people tell the service by signals.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::wishes::Order;

/// Orders that wait; more of the same say the same.
const QUEUE: usize = 4;
/// How a program ends that a second signal told to go at once.
const AT_ONCE: i32 = 130;

/// Listens from now on. SIGTERM and SIGINT cancel `stop` and are an order to stop; a second one ends the program at
/// once, which loses nothing, since everything is written before it is done. SIGHUP is an order to read the config
/// again.
///
/// # Errors
/// What the system said.
pub fn listen(stop: CancellationToken) -> std::io::Result<mpsc::Receiver<Order>> {
    let (orders, ordered) = mpsc::channel(QUEUE);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = either(&mut terminate, &mut interrupt) => {}
                _ = hang_up.recv() => {
                    // The last place is kept for the order to stop.
                    if orders.capacity() > 1 {
                        let _ = orders.try_send(Order::Reload);
                    }
                    continue;
                }
            }
            if stop.is_cancelled() {
                std::process::exit(AT_ONCE);
            }
            tracing::warn!("stopping: calls in flight are waited for; a second signal ends at once");
            stop.cancel();
            let _ = orders.try_send(Order::Stop);
        }
    });
    Ok(ordered)
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

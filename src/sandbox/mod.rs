//! The pretend Omise: API and vault over real HTTP on one loopback port.
//!
//! It answers as recordings of the real service do, fails where Omise's published test cards fail, and has
//! switches for what no test card can do. A ledger of charges truly made, written by other code than the
//! answers, judges everything that talks to it. It knows nothing of billing.
//!
//! Promises: test keys and loopback only; the same seed gives the same keys and customers; with a state
//! file, killing the process loses nothing that was answered.
//!
//! # Switches
//!
//! Words, some with an argument, joined by commas: `delay_before:50,status_after:503`. They are taken from
//! the header `X-Sandbox-Fault`, from the metadata key `sandbox_fate` of a charge or of its customer, and
//! from rules. *Before* means that nothing was processed; *after*, that the charge is made.
//!
//! | switch | what happens |
//! |---|---|
//! | `silence_before`, `silence_after` | the connection stays open and nothing ever comes |
//! | `close_before`, `close_after` | the connection is closed without an answer |
//! | `reset_before`, `reset_after` | the connection is reset |
//! | `late:MS` | closed at once, processed so many milliseconds later |
//! | `reset_at:N`, `cut_at:N` | the answer breaks off after N bytes, by a reset or quietly |
//! | `truncate` | half of the body is missing |
//! | `drip:MS` | the body comes byte by byte |
//! | `delay_before:MS`, `delay_after:MS` | waits |
//! | `status_before:N`, `status_after:N` | a genuine error object of that status |
//! | `page_before:N`, `page_after:N` | that status with a proxy's HTML page |
//! | `html_before`, `html_after` | an HTML page with status 200 |
//! | `too_many`, `too_many:SECONDS` | 429 before processing, the latter with `Retry-After` |
//! | `redirect:N` | a redirect elsewhere, before processing |
//! | `oversized:N`, `deep:N` | N bytes of padding; N levels of nesting |
//! | `wrong:FIELD` | `amount`, `currency`, `customer`, `card`, `metadata`, `livemode` or `object` comes back changed |
//! | `status_word:WORD` | a status that nobody knows |
//! | `no_date` | no `Date` header |
//! | `list_delay:MS`, `search_lag:MS` | lists or search find the charge late, by the sandbox's clock |
//! | `duplicate` | the provider makes the charge twice |
//! | `decline:CODE`, `advice:TEXT` | the charge fails with this code, and with this merchant advice (digits: its code) |
//! | `3ds` | the customer must authorise the charge on a page |
//! | `in_flight`, `in_flight:MS` | pending without a page; settles by itself after so long, or never |
//!
//! # Control
//!
//! Under `/__sandbox/`, without a key, in JSON:
//!
//! | call | does |
//! |---|---|
//! | `GET ledger`, `?summary=1`, `?customer=ID` | the charges truly made |
//! | `GET customers` | seeded customers: `id` and `fate` |
//! | `GET`, `POST`, `DELETE faults` | rules: `faults` (switches), and `path`, `method`, `customer`, `nth`, `every`, `per_mille`, `times`; several as `{"rules": […]}` |
//! | `GET`, `POST settings` | `latency_ms`, `rate_limit` {`requests`, `window_ms`, `retry_after`}, `idempotency` (`ignored`, `honoured`, `forgotten`), `three_ds`, `list_delay_ms`, `search_lag_ms`, `limits` {`minimum`, `maximum`}, `no_date`, `webhooks` {`url`, `secrets`, `travel` (`fine`, `lost`, `doubled`, `out_of_order`), `retry_ms`} |
//! | `GET`, `POST clock` | `{"set": INSTANT, "hold": true}`, `{"advance": SECONDS}`, `{"real": true}` |
//! | `POST seed` | `{"customers": N, "fates": "mixed" or "paying"}`, into a world without customers |
//! | `POST charges/ID/approve`, `…/deny` | the customer's answer to 3-D Secure |
//! | `GET home` | whose it is: `pid`, and the `state` file that it holds |
//! | `GET traffic` | requests so far, and how many were refused by the rate limit |

mod beside;
mod http;
mod objects;
mod state;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use http::server;
use state::{journal, seed, world};

pub use beside::{Running, find_running};
pub use state::bank::{Bank, Question, Ruling};
pub use state::ledger::Entry as LedgerEntry;
pub use state::seed::{Fate, Fates, SPREAD, SeededCustomer};

/// How a sandbox is to be.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Where to listen: loopback only. Port 0 picks a free one.
    pub listen: SocketAddr,
    /// The state file; `None` keeps everything in memory.
    pub state: Option<PathBuf>,
    /// Keys, ids and chances follow from it.
    pub seed: u64,
    /// Customers of a new world. A state file that exists keeps its own.
    pub customers: u32,
    /// What those customers' cards do.
    pub fates: Fates,
    /// Every answer waits so many milliseconds after its processing.
    pub latency_ms: u64,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            state: None,
            seed: 1,
            customers: 0,
            fates: Fates::Mixed,
            latency_ms: 0,
        }
    }
}

/// Why a sandbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Somebody asked for an address that others could reach.
    #[error("the sandbox listens on loopback only, and {0} is not: use 127.0.0.1 or ::1")]
    NotLoopback(SocketAddr),
    /// The port is taken, or may not be used.
    #[error("the sandbox cannot listen on {listen}: {source}")]
    Listen {
        /// What was asked for.
        listen: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The state file cannot be read or written.
    #[error("the sandbox's state file {} cannot be used: {source}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another sandbox holds the state file.
    #[error(
        "the sandbox's state file {} is in use by another process: wait for that one to end, or stop it",
        path.display()
    )]
    StateInUse {
        /// The file.
        path: PathBuf,
    },
    /// The state file holds something else, or was damaged in its middle.
    #[error("the sandbox's state file {} cannot be understood at line {line}: move it away to start anew", path.display())]
    StateBroken {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: u64,
    },
    /// The state file began with another seed, so its keys and customers are others.
    #[error("the sandbox's state file {} was made with seed {found}, not {wanted}", path.display())]
    OtherSeed {
        /// The file.
        path: PathBuf,
        /// The file's seed.
        found: u64,
        /// The seed asked for.
        wanted: u64,
    },
}

/// A running sandbox. Stop it with [`Sandbox::stop`]; dropping it stops it too, without waiting.
pub struct Sandbox {
    addr: SocketAddr,
    public_key: String,
    secret_key: String,
    /// The state file, whose holder's address is written down; `None`: all is in memory.
    state: Option<PathBuf>,
    shared: Arc<server::Shared>,
}

/// Starts a sandbox on the caller's tokio runtime.
pub async fn start(options: SandboxOptions) -> Result<Sandbox, SandboxError> {
    start_with(options, None).await
}

/// The same with a bank that decides every charge on a card; without one the test cards' published conduct does.
pub async fn start_with(
    options: SandboxOptions,
    bank: Option<Arc<dyn Bank>>,
) -> Result<Sandbox, SandboxError> {
    let listen = options.listen;
    if !listen.ip().is_loopback() {
        return Err(SandboxError::NotLoopback(listen));
    }
    let refused = |source| SandboxError::Listen { listen, source };
    let listener = tokio::net::TcpListener::bind(listen).await.map_err(refused)?;
    let addr = listener.local_addr().map_err(refused)?;
    let mut world = begin(&options)?;
    world.base_url = format!("http://{addr}");
    world.home = options.state.as_deref().and_then(beside::name_of);
    world.settings.latency_ms = options.latency_ms;
    world.bank = bank;
    let (public_key, secret_key) = (world.keys.public.clone(), world.keys.secret.clone());
    let shared = Arc::new(server::Shared::new(world));
    server::spawn(&shared, listener);
    if let Some(state) = &options.state {
        beside::tell_address(state, addr);
    }
    Ok(Sandbox { addr, public_key, secret_key, state: options.state, shared })
}

/// The customers that a new sandbox of these options begins with: ids follow from the seed alone.
pub fn customers_of(options: &SandboxOptions) -> Vec<SeededCustomer> {
    let mut world = world::World::new(options.seed);
    seed::plant(&mut world, options.customers, options.fates);
    seed::list(&world)
}

fn begin(options: &SandboxOptions) -> Result<world::World, SandboxError> {
    let SandboxOptions { seed, customers, fates, .. } = *options;
    if let Some(path) = &options.state {
        return journal::Journal::open(
            path,
            journal::Head { sandbox: journal::FORM, seed, customers, fates },
        );
    }
    let mut world = world::World::new(seed);
    seed::plant(&mut world, customers, fates);
    Ok(world)
}

impl Sandbox {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Base address of the API.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Base address of the vault: the same port, since the paths do not collide.
    pub fn vault_url(&self) -> String {
        self.api_url()
    }

    /// The key that may only make tokens.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// The key for everything else.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// Seeded customers with what was arranged for them, destroyed ones included.
    pub fn customers(&self) -> Vec<SeededCustomer> {
        seed::list(&self.shared.world())
    }

    /// The charges truly made, oldest first.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.shared.world().ledger.entries()
    }

    /// Its clock stands still at that instant, until it is moved again.
    pub fn hold_clock(&self, at: Timestamp) {
        let mut world = self.shared.world();
        world.time.set(at, true);
        world.pass_time();
    }

    /// The customer enters another card, which becomes the default; returns its id. `None`: no such customer.
    pub fn renew_card(&self, customer: &str) -> Option<String> {
        let mut world = self.shared.world();
        let place = world.customers.find(customer)?;
        let card = seed::renew_card(&mut world, place);
        Some(world.cards.name(card))
    }

    /// Counts and sums of the ledger by status and currency, as `/__sandbox/ledger?summary=1` gives them.
    pub fn ledger_summary(&self) -> Value {
        self.shared.world().ledger.summary()
    }

    /// Ends every connection and waits until nothing of it runs.
    pub async fn stop(mut self) {
        self.forget_address();
        self.shared.stop().await;
    }
}

impl Sandbox {
    /// While the state file is still ours: a moment later the address is that of its next holder.
    fn forget_address(&mut self) {
        if let Some(state) = self.state.take() {
            beside::forget_address(&state);
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.forget_address();
        self.shared.cancel();
    }
}

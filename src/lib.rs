//! Recurring billing for customers saved at Omise: never a customer charged twice, never a result lost, never a
//! period missed, and always an answer to "why?".
//!
//! # The house
//!
//! Rooms are modules, arrows are imports, and arrows only go down. `tests/it/architecture.rs` holds this drawing as
//! a table and fails on any other arrow.
//!
//! ```text
//!  6   main.rs                                 the street door
//!  5   cli/                                    the counter: what people type
//!  4   daemon/  simulator/                     two ways to run the house
//!  3   web/  wiring.rs                         windows to look in; the fuse box
//!  2   billing/  notify/  config/  sandbox/    the work; its messengers; the wishes; the pretend Omise
//!  1   rules/  gateway/  store/                decisions; the bank's door; the book
//!  0   model/  omise/  clock.rs                the words; the API client; the time
//! -1   hooks.rs                                the test-suite's switches, empty in what is shipped
//! ```
//!
//! Two files stand lower than their work suggests. The clock is on the ground floor, below `gateway` and `store` rather
//! than beside them: both measure how long a call or a commit took, and since arrows only go down, what they take their
//! stopwatch from must lie beneath them. They are told the time all the same. The hooks are the cellar: whatever the
//! suite must stop, mislead or hurry, the clock among it, calls them, so they can stand on nothing and nothing may stand
//! beside them. As a room of an upper floor they would be an arrow up from everywhere.
//!
//! - [`model`]: every noun the others speak. A value that can be constructed makes sense: [`model::Money`] is exact and
//!   never negative, an [`model::InvoiceId`] is a function of subscription and period, a [`model::Transition`] is
//!   everything one decision changes, a [`model::ChargeOutcome`] every way the world can answer. No I/O, no clock.
//! - [`omise`]: a complete, typed client of the Omise API that knows no billing. It tells a request that never left
//!   from one that was perhaps processed, and repeats nothing that changes anything.
//! - [`rules`]: decisions, pure. From a [`model::Snapshot`] and a `now` they say what is due, what it costs, what
//!   follows an answer, when to try again, and what a silence may be taken for.
//! - [`gateway`]: turns "charge this" into a request and its answer into an outcome. It knows no book and no rule.
//! - [`store`]: the book. One synchronous trait with SQLite behind it, a method for each question and each note; `commit`
//!   is the only way to write what a decision changes, names the versions it expects, and is durable when it returns. The
//!   lane in front of it commits in groups.
//! - `clock`: the only file that reads the system clock. Everyone else is told the time; who measures how long a call
//!   or a commit took has its stopwatch from there.
//! - [`billing`]: the work. Loads what is due, lets the rules decide, makes intents durable, sends each once, keeps
//!   every result, and takes up old doubt before anything new.
//! - [`notify`]: delivers what the outbox holds, by letter, signed webhook or command. It decides nothing.
//! - [`config`]: reads the wishes from TOML and refuses a wrong one whole, with every mistake at its place.
//! - [`sandbox`]: the pretend Omise over real HTTP, with switches for every way a provider can fail and a ledger of
//!   charges truly made that judges everything else.
//! - [`wiring`]: joins config, book, gateway, sandbox and clock, and refuses what must not be joined: test keys and a
//!   live book, a book of another host, a book older than its witness or without it.
//! - [`web`]: windows on loopback, `/healthz`, `/readyz` and `/metrics`. It shows counts and ages, nobody's name. And a
//!   doorbell for the provider, whose news are believed only when they were asked for again.
//! - [`daemon`]: the service. A tick without meaning wakes it, it asks what is due, does one piece of work at a time,
//!   and tells systemd how it stands.
//! - [`simulator`]: the other way to run it: months of a made-up book in minutes, the real billing against the
//!   sandbox, with time that is told and cards that fail for hidden reasons.
//! - `cli`: a file for each command, but for those that share one: `run-now`, `adopt` and `reconcile` are in `charging`,
//!   kindred commands of one noun in a file named after it. It prints; it decides nothing.
//! - [`hooks`]: kill points, planted bugs, a leaping clock, a hanging loop; empty in a shipped binary.
//!
//! # The walk of one charge
//!
//! 1. [`billing::run`] proves the keys, compares the clocks, and compares the book with the provider's own list since the
//!    last such look (`billing/hold.rs`, `billing/behind.rs`): a book that lacks a charge of its own is an older copy, and
//!    is refused with nothing written. Then it raises the book's epoch (every attempt that an older process left
//!    `intended` becomes `in_doubt`) and settles old doubt from that list. Customers are read by pages of a hundred, beside
//!    the charging: whoever is due waits for nobody's page but their own.
//! 2. `billing/serve.rs` takes a due [`model::Snapshot`] and asks [`rules::prepare`]: nothing, flag, skip, or charge. Before
//!    anybody is flagged the customer is read again.
//! 3. With the rate permit and a slot in hand, `billing/charge.rs` commits the **intent**: the invoice if it is new, the
//!    attempt with its key and exact body. It is on disk before a byte leaves.
//! 4. [`gateway::Gateway::charge`] sends it **once**; its last act before that is to ask whether too long has passed.
//! 5. The answer, or the silence, becomes a [`model::ChargeOutcome`].
//! 6. [`rules::conclude`] says what follows; its transition is committed, and if somebody changed the subscription
//!    meanwhile it is concluded again from a fresh snapshot until the book has it. The result is never dropped.
//! 7. Events were written in the same transaction. `billing/outbox` reads them later, in order, and writes what is to
//!    be told; [`notify`] delivers it.
//!
//! Killed anywhere in between, the next start finds an attempt without a result and looks it up: found, it is adopted;
//! twice provably absent, it may be tried anew under another number; otherwise a person is asked.

pub mod billing;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod gateway;
pub mod hooks;
pub mod model;
pub mod notify;
pub mod omise;
pub mod rules;
pub mod sandbox;
pub mod simulator;
pub mod store;
pub mod web;
pub mod wiring;

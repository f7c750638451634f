//! The service against a pretend provider: what its ticks may do, and what people and systemd see of it.

mod beforehand;
mod crowd;
mod daily;
mod full_disk;
mod leaving;
mod locked;
mod pending;
mod process;
mod reload;
mod rests;
mod status;
mod ticks;
mod webhooks;
mod windows;

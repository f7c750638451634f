//! Finding a sandbox that another process runs on the same state file, such as the service on the demo's book, so that a
//! command beside it asks the same pretend provider.
//!
//! Promises: an address is believed only if whoever answers there says that it holds this very state file, which it does
//! for its whole life; an address left behind by a process that died leads to nobody. Must never know who asks.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::SandboxOptions;
use super::http::control::ROOT;
use super::state::keys::Keys;

/// It answers at once or not at all: it is on this host.
const PATIENCE: Duration = Duration::from_secs(3);
/// The answer is a line of JSON with a path in it.
const MOST_BYTES: u64 = 64 * 1024;

/// A sandbox that another process runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// Base address of the API and of the vault.
    pub api_url: String,
    /// The key that may only make tokens.
    pub public_key: String,
    /// The key for everything else.
    pub secret_key: String,
}

/// The sandbox that runs on the state file of these options; `None`: none can be found for certain.
pub async fn find_running(options: &SandboxOptions) -> Option<Running> {
    let state = options.state.as_deref()?;
    let addr: SocketAddr = std::fs::read_to_string(address_file(state)).ok()?.trim().parse().ok()?;
    if !addr.ip().is_loopback() {
        return None;
    }
    let told = tokio::time::timeout(PATIENCE, ask(addr)).await.ok()??;
    if told["state"].as_str() != Some(name_of(state)?.as_str()) {
        return None;
    }
    let keys = Keys::from_seed(options.seed);
    Some(Running { api_url: format!("http://{addr}"), public_key: keys.public, secret_key: keys.secret })
}

/// What the holder of a state file says of itself when it is asked.
pub(super) fn told(state: Option<&str>) -> Value {
    json!({ "pid": std::process::id(), "state": state })
}

/// The one name that a state file has, however it was reached; `None`: there is none.
pub(super) fn name_of(state: &Path) -> Option<String> {
    state.canonicalize().ok().map(|path| path.display().to_string())
}

/// Writes down where the holder of the state file listens. Without it the others find nobody, which is no fault of ours.
pub(super) fn tell_address(state: &Path, addr: SocketAddr) {
    if let Err(error) = std::fs::write(address_file(state), format!("{addr}\n")) {
        tracing::debug!(%error, state = %state.display(), "the sandbox's address could not be written down");
    }
}

/// Takes the address back, while the state file is still ours. That there was none is no matter.
pub(super) fn forget_address(state: &Path) {
    let _ = std::fs::remove_file(address_file(state));
}

fn address_file(state: &Path) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push(".at");
    name.into()
}

async fn ask(addr: SocketAddr) -> Option<Value> {
    let mut stream = TcpStream::connect(addr).await.ok()?;
    let request = format!("GET /{ROOT}/home HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.take(MOST_BYTES).read_to_string(&mut answer).await.ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::start;

    fn on(state: &Path) -> SandboxOptions {
        SandboxOptions { state: Some(state.to_owned()), ..SandboxOptions::default() }
    }

    #[tokio::test]
    async fn the_one_that_holds_the_state_is_found_while_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let (state, other) = (folder.path().join("a"), folder.path().join("b"));
        assert_eq!(find_running(&on(&state)).await, None);
        let sandbox = start(on(&state)).await.unwrap();
        let found = find_running(&on(&state)).await.unwrap();
        assert_eq!(found.api_url, sandbox.api_url());
        assert_eq!(
            (found.public_key.as_str(), found.secret_key.as_str()),
            (sandbox.public_key(), sandbox.secret_key())
        );
        // An address that a dead process left behind, and that another book's sandbox has now.
        std::fs::write(&other, "").unwrap();
        tell_address(&other, sandbox.addr());
        assert_eq!(find_running(&on(&other)).await, None);
        sandbox.stop().await;
        assert!(!address_file(&state).exists());
        assert_eq!(find_running(&on(&state)).await, None);
    }
}

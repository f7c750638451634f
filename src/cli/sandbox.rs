//! `dues sandbox`: the pretend Omise as a process of its own, until it is interrupted.
//!
//! Promises: the first line of output says that it is pretend, with address and keys. Must never know what
//! the sandbox does with a request.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::exit::{Exit, Failure, shown};
use super::output::Output;
use crate::sandbox::{Fates, Sandbox, SandboxOptions, start};

/// How the sandbox is to be.
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  dues sandbox --listen 127.0.0.1:4020 --customers 200 --state sandbox.jsonl"
)]
pub struct SandboxArgs {
    /// Where to listen: loopback only; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Begin with so many customers
    #[arg(long, value_name = "N", default_value_t = 0)]
    customers: u32,
    /// What the cards of those customers do
    #[arg(long, value_enum, default_value_t = FatesArg::Mixed)]
    fates: FatesArg,
    /// Keep everything in this file; without it all is forgotten at the end
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Keys, ids and chances follow from this number
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Let every answer wait so many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency_ms: u64,
}

/// What seeded cards do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FatesArg {
    /// Every fate, three in four paying
    Mixed,
    /// All pay
    Paying,
}

impl From<&SandboxArgs> for SandboxOptions {
    fn from(args: &SandboxArgs) -> Self {
        Self {
            listen: args.listen,
            state: args.state.clone(),
            seed: args.seed,
            customers: args.customers,
            fates: match args.fates {
                FatesArg::Mixed => Fates::Mixed,
                FatesArg::Paying => Fates::Paying,
            },
            latency_ms: args.latency_ms,
        }
    }
}

/// Serves until interrupted. With `json` the first line is one JSON object.
pub(super) fn run(args: &SandboxArgs, json: bool) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        // Before the first line: whoever has read it may end us.
        let stop = interruption()?;
        serve(args, json, stop).await
    })?;
    Ok(Exit::Done)
}

/// Serves until `stop` resolves.
async fn serve(args: &SandboxArgs, json: bool, stop: impl Future<Output = ()>) -> Result<(), Failure> {
    let sandbox = start(args.into()).await.map_err(Failure::usage)?;
    // Who has read the line and left still wants to be served; who could not be given it does not know where.
    let told = shown(tell(&first_line(&sandbox, json)));
    if told.is_ok() {
        stop.await;
    }
    sandbox.stop().await;
    told
}

fn tell(line: &str) -> Result<(), Failure> {
    let mut out = Output::stdout(false);
    out.line(line)?;
    out.finish()
}

/// Listens from now on for the wish to end, by Ctrl-C or by a service manager; resolves when it comes.
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

fn first_line(sandbox: &Sandbox, json: bool) -> String {
    let (url, public, secret) = (sandbox.api_url(), sandbox.public_key(), sandbox.secret_key());
    if json {
        return json!({
            "api_url": url,
            "vault_url": sandbox.vault_url(),
            "public_key": public,
            "secret_key": secret,
        })
        .to_string();
    }
    format!("This is a pretend Omise, no money moves: {url} with keys {public} and {secret}. Ctrl-C ends it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: SandboxArgs,
    }

    #[tokio::test]
    async fn the_first_line_says_what_it_is_and_how_to_reach_it() {
        let line = <Line as clap::Parser>::parse_from(["sandbox", "--customers", "3", "--fates", "paying"]);
        let sandbox = start((&line.args).into()).await.expect("starts");
        assert_eq!(sandbox.customers().len(), 3);
        let people = first_line(&sandbox, false);
        assert!(people.contains("pretend") && people.contains(&sandbox.api_url()));
        let script: serde_json::Value = serde_json::from_str(&first_line(&sandbox, true)).expect("JSON");
        assert_eq!(script["secret_key"], sandbox.secret_key());
        assert_eq!(script["vault_url"], script["api_url"]);
        sandbox.stop().await;
    }

    #[tokio::test]
    async fn it_refuses_to_be_reached_from_elsewhere() {
        let line = <Line as clap::Parser>::parse_from(["sandbox", "--listen", "0.0.0.0:0"]);
        let refused = serve(&line.args, true, async {}).await.expect_err("refused");
        assert!(refused.exit == Exit::Usage && refused.sentence.contains("loopback only"), "{refused:?}");
    }
}

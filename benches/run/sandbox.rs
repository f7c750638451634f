//! The pretend Omise in a process of its own, and what the benchmark asks at its control desk.
//!
//! Promises: nothing of it outlives its handle. Must never know what is measured.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Fallible;
use crate::child::Owned;

/// A running sandbox.
pub struct Sandbox {
    /// Base address of its API.
    pub api_url: String,
    /// The key that charges.
    pub secret_key: String,
    http: reqwest::Client,
    runtime: tokio::runtime::Runtime,
    _process: Owned,
}

/// Its first line.
#[derive(Deserialize)]
struct Greeting {
    api_url: String,
    secret_key: String,
}

/// What the ledger says in sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Charges truly made, whatever became of them.
    pub charges: u64,
    /// Those that succeeded.
    pub successful: u64,
    /// The sum of these, in the smallest unit.
    pub sum: i64,
}

/// Requests so far.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Traffic {
    /// All of them, refused ones included.
    pub requests: u64,
    /// Those answered 429.
    pub refused: u64,
}

impl Sandbox {
    /// Starts one with so many customers whose cards all pay.
    pub fn start(dues: &Path, customers: usize) -> Fallible<Self> {
        let mut command = Command::new(dues);
        command.args(["sandbox", "--json", "--listen", "127.0.0.1:0"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Owned(command.spawn()?);
        let out = process.0.stdout.take().ok_or("the sandbox has no output")?;
        let mut first = String::new();
        BufReader::new(out).read_line(&mut first)?;
        let Greeting { api_url, secret_key } = serde_json::from_str(&first)
            .map_err(|e| format!("the sandbox's first line was {first:?}: {e}"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
        let sandbox = Self { api_url, secret_key, http, runtime, _process: process };
        sandbox.post("seed", &json!({"customers": customers, "fates": "paying"}))?;
        Ok(sandbox)
    }

    /// The ids of its customers.
    pub fn customers(&self) -> Fallible<Vec<String>> {
        #[derive(Deserialize)]
        struct Row {
            id: String,
        }
        let rows: Vec<Row> = serde_json::from_slice(&self.get("customers")?)?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// Changes settings.
    pub fn set(&self, settings: &Value) -> Fallible<()> {
        self.post("settings", settings)
    }

    /// What was truly charged so far.
    pub fn made(&self) -> Fallible<Made> {
        #[derive(Deserialize)]
        struct Summary {
            charges: u64,
            by_status: Vec<Sum>,
        }
        #[derive(Deserialize)]
        struct Sum {
            status: String,
            count: u64,
            #[serde(rename = "sum")]
            amount: i64,
        }
        let summary: Summary = serde_json::from_slice(&self.get("ledger?summary=1")?)?;
        let paid = || summary.by_status.iter().filter(|row| row.status == "successful");
        Ok(Made {
            charges: summary.charges,
            successful: paid().map(|row| row.count).sum(),
            sum: paid().map(|row| row.amount).sum(),
        })
    }

    /// Requests so far; the control desk's own are not among them.
    pub fn traffic(&self) -> Fallible<Traffic> {
        Ok(serde_json::from_slice(&self.get("traffic")?)?)
    }

    fn get(&self, what: &str) -> Fallible<Vec<u8>> {
        let url = format!("{}/__sandbox/{what}", self.api_url);
        let bytes = self
            .runtime
            .block_on(async { self.http.get(url).send().await?.error_for_status()?.bytes().await })?;
        Ok(bytes.into())
    }

    fn post(&self, what: &str, body: &Value) -> Fallible<()> {
        let url = format!("{}/__sandbox/{what}", self.api_url);
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_string());
        self.runtime.block_on(async { request.send().await?.error_for_status() })?;
        Ok(())
    }
}

//! A folder with config, key and book, and the pretend provider beside it.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use dues::sandbox::{Fates, LedgerEntry, Sandbox, SandboxOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Handle, Runtime};

use super::child::{Child, Ended};
use super::http;

/// The billing instant that tests begin at: years ahead of the machine's clock, which some commands go by, so that what waits
/// for a day after it waits whenever the tests are run. Where both clocks matter, begin today and run now.
pub const AT: &str = "2030-11-21T09:00:00+07:00";

/// How a scene is to be.
pub struct Setting {
    /// Customers of the sandbox.
    pub customers: u32,
    /// What their cards do.
    pub fates: Fates,
    /// `[omise] timeout`: far longer than an answer takes on a busy machine, and short enough that what was never sent is
    /// proved absent after 15 seconds of the provider's time.
    pub timeout: &'static str,
    /// `[omise] in_flight`.
    pub in_flight: u32,
    /// Plans, policies and sections that are not set here.
    pub toml: &'static str,
}

/// A plan and a policy that most tests use.
pub const PLANS: &str = r#"
[plans.monthly]
name = "Monthly"
price = "990.00 THB"
every = "month"
description = "{plan}, {period_start} to {period_end}"
dunning = "standard"

[plans.weekly]
name = "Weekly"
price = "120.50 THB"
every = "week"
description = "{plan}, {period_start} to {period_end}"
dunning = "standard"

[dunning.standard]
retry = ["2 days", "4 days", "7 days"]
then = "pause"
"#;

impl Default for Setting {
    fn default() -> Self {
        Self { customers: 6, fates: Fates::Paying, timeout: "6s", in_flight: 4, toml: PLANS }
    }
}

/// A house ready to bill: its own folder, its own provider.
pub struct Scene {
    folder: TempDir,
    runtime: Option<Runtime>,
    sandbox: Option<Sandbox>,
    setting: Setting,
    kept: RefCell<Vec<TcpSocket>>,
}

impl Scene {
    /// Starts the sandbox and writes config and key.
    pub fn new(setting: Setting) -> Self {
        let folder = TempDir::new_in(fast_folder()).expect("a folder for the test");
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let options = SandboxOptions {
            seed: 7,
            customers: setting.customers,
            fates: setting.fates,
            ..SandboxOptions::default()
        };
        let sandbox = runtime.block_on(dues::sandbox::start(options)).expect("the sandbox starts");
        let scene = Self {
            folder,
            runtime: Some(runtime),
            sandbox: Some(sandbox),
            setting,
            kept: RefCell::default(),
        };
        scene.write_secret("omise.key", scene.sandbox().secret_key());
        scene.write_config("dues.toml", scene.sandbox().addr());
        scene
    }

    /// The pretend provider.
    pub fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().expect("it runs as long as the scene")
    }

    /// An address of this machine at which nobody listens but who is told it: kept as long as the scene, so that no
    /// other test is given it in the meantime.
    pub fn free_address(&self) -> SocketAddr {
        let (socket, address) = free_address();
        self.kept.borrow_mut().push(socket);
        address
    }

    /// For proxies.
    pub fn runtime(&self) -> &Handle {
        self.runtime.as_ref().expect("it runs as long as the scene").handle()
    }

    /// The folder of config, key and book.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the scene.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file of the scene.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file of the test");
    }

    /// Writes a file that only its owner may read.
    pub fn write_secret(&self, name: &str, text: &str) {
        self.write(name, text);
        self.set_mode(name, 0o600);
    }

    /// Sets a file's mode.
    pub fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("a mode");
    }

    /// Writes a config that reaches the provider at that address; the book is the same for all of them.
    pub fn write_config(&self, name: &str, provider: SocketAddr) {
        let Setting { timeout, in_flight, toml, .. } = &self.setting;
        let text = format!(
            "zone = \"Asia/Bangkok\"\n\n[store]\npath = \"dues.db\"\n\n[omise]\nsecret_key_file = \"omise.key\"\n\
             api_url = \"http://{provider}\"\nvault_url = \"http://{provider}\"\nrequests_per_second = 10000\n\
             in_flight = {in_flight}\ntimeout = \"{timeout}\"\nreturn_uri = \"https://shop.example/return\"\n\n\
             [doubt]\nsettle = \"1s\"\n{toml}"
        );
        self.write(name, &text);
    }

    /// Imports subscriptions given as CSV.
    #[track_caller]
    pub fn import(&self, csv: &str) {
        self.write("import.csv", csv);
        self.dues(&["import", "import.csv"]).expect(0);
    }

    /// Customer ids of the sandbox, in the order they were made.
    pub fn customers(&self) -> Vec<String> {
        self.sandbox().customers().into_iter().map(|customer| customer.id).collect()
    }

    /// Runs the program to its end.
    pub fn dues(&self, words: &[&str]) -> Ended {
        self.start(words, &[]).wait()
    }

    /// Starts the program with variables of the test switches.
    pub fn start(&self, words: &[&str], variables: &[(&str, &str)]) -> Child {
        let mut all = words.to_vec();
        if !words.contains(&"--config") {
            all.extend(["--config", "dues.toml"]);
        }
        Child::start(self.folder(), &all, variables)
    }

    /// A billing run at that instant.
    pub fn run_at(&self, at: &str) -> Ended {
        self.dues(&["run-now", "--json", "--at", at])
    }

    /// Every row of a list.
    #[track_caller]
    pub fn list(&self, what: &str) -> Vec<Value> {
        self.dues(&["list", what, "--json"]).expect(0).rows()
    }

    /// The charges truly made, oldest first.
    pub fn ledger(&self) -> Vec<LedgerEntry> {
        self.sandbox().ledger()
    }

    /// Asks the sandbox's control desk, or its API when a key is given.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, key: &str, body: &Value) -> Value {
        http::ask(self.sandbox().addr(), method, path, key, body)
    }

    /// Plays switches on charges: of one customer or of all, so often or always.
    #[track_caller]
    pub fn charges_meet(&self, faults: &str, customer: Option<&str>, times: Option<u64>) {
        let mut rule = json!({"path": "/charges", "method": "POST", "faults": faults});
        if let Some(customer) = customer {
            rule["customer"] = json!(customer);
        }
        if let Some(times) = times {
            rule["times"] = json!(times);
        }
        self.ask("POST", "/__sandbox/faults", "", &rule);
    }

    /// Forgets every switch.
    pub fn behave(&self) {
        self.ask("DELETE", "/__sandbox/faults", "", &Value::Null);
    }

    /// The provider's clock moves on. Ours does not, and more than five minutes of that are refused.
    pub fn provider_time_passes(&self, seconds: u32) {
        self.ask("POST", "/__sandbox/clock", "", &json!({"advance": seconds}));
    }

    /// Makes a customer with a card of that number; returns their ids.
    #[track_caller]
    pub fn new_customer(&self, number: &str) -> (String, String) {
        let token = self.new_token(number);
        let customer = self.ask("POST", "/customers", self.sandbox().secret_key(), &json!({"card": token}));
        let field =
            |pointer: &str| customer.pointer(pointer).and_then(Value::as_str).expect("an id").to_owned();
        (field("/id"), field("/default_card"))
    }

    /// Makes a customer without any card; returns the id.
    #[track_caller]
    pub fn cardless_customer(&self) -> String {
        let made = self.ask("POST", "/customers", self.sandbox().secret_key(), &json!({"email": "a@b.test"}));
        made["id"].as_str().expect("an id").to_owned()
    }

    /// A token of a card of that number, good until 12/2046.
    #[track_caller]
    pub fn new_token(&self, number: &str) -> String {
        let card = json!({"name": "J. Doe", "number": number, "expiration_month": 12, "expiration_year": 2046,
            "security_code": "123"});
        let token = self.ask("POST", "/tokens", self.sandbox().public_key(), &json!({"card": card}));
        token["id"].as_str().expect("a token").to_owned()
    }

    /// All that is known about the scene, for a failed test.
    pub fn story(&self) -> String {
        let mut story = String::new();
        for entry in self.ledger() {
            let _ = writeln!(story, "ledger {entry:?}");
        }
        for what in ["subscriptions", "invoices", "attempts", "events"] {
            let rows = self.dues(&["list", what, "--json"]);
            let _ = write!(story, "{what}:\n{}{}", rows.stdout, rows.stderr);
        }
        story
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if let (Some(runtime), Some(sandbox)) = (self.runtime.take(), self.sandbox.take()) {
            runtime.block_on(sandbox.stop());
        }
    }
}

/// An address of this machine that nobody else is given while the socket lives. It is bound and never listens, so whoever
/// calls there is refused; and a server that names this very address may have it all the same, as servers ask for with
/// `SO_REUSEADDR`.
pub fn free_address() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a server may have it");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port on this machine");
    let address = socket.local_addr().expect("bound");
    (socket, address)
}

/// Memory where there is some: thousands of durable commits then cost no disk.
pub fn fast_folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    let usable = TempDir::new_in(&memory).is_ok();
    if usable { memory } else { std::env::temp_dir() }
}

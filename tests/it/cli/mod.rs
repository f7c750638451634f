//! The real binary at its counter: what it says, what it prints, how it exits.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why by panicking")]

mod bad_input;
mod cards;
mod care;
mod copies;
mod import;
mod letters;
mod lists;
mod looks;
mod lost_readers;
mod orders;
mod packaging;
mod plans;
mod reconciling;
mod told;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A config on the embedded sandbox, with two plans.
const CONFIG: &str = r#"zone = "Asia/Bangkok"

[store]
path = "book/dues.db"

[omise]
sandbox = true

[plans.pro-monthly]
name = "Pro"
price = "990.00 THB"
every = "month"

[plans.team-yearly]
name = "Team"
price = "9900.00 THB"
every = "year"
trial = "14 days"

[dunning.standard]
retry = ["2 days", "4 days"]
"#;

/// How a command ended.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// The one JSON object on stdout.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("{why}: {}", self.stdout))
    }

    /// One JSON object a line.
    pub fn rows(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn fails(self, code: i32, said: &[&str]) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        for words in said {
            assert!(self.stderr.contains(words), "wanted {words:?} in\n{}", self.stderr);
        }
        self
    }
}

/// A folder with a config, for one test.
pub struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    /// With the config above.
    pub fn new() -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap() };
        shop.write("dues.toml", CONFIG);
        shop
    }

    /// With the shipped demo.
    pub fn demo() -> Self {
        let shop = Self { folder: tempfile::tempdir().unwrap() };
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        for name in ["demo-plans.toml", "demo.csv"] {
            std::fs::copy(shipped.join(name), shop.path(name)).unwrap();
        }
        std::fs::copy(shipped.join("demo.toml"), shop.path("dues.toml")).unwrap();
        shop
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Changes the config.
    pub fn config(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path("dues.toml")).unwrap();
        assert!(text.contains(from), "{from:?} is not in the config");
        self.write("dues.toml", &text.replace(from, to));
    }

    /// A key file of that mode, and a config that names it instead of the sandbox.
    pub fn with_key(&self, key: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write("omise.key", key);
        std::fs::set_permissions(self.path("omise.key"), std::fs::Permissions::from_mode(mode)).unwrap();
        // Port 9 of this host answers nobody: whoever gets as far as asking the provider is told so.
        self.config("sandbox = true", "secret_key_file = \"omise.key\"\napi_url = \"http://127.0.0.1:9\"");
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dues"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in ["RUST_LOG", "NO_COLOR", "CLICOLOR_FORCE", "CREDENTIALS_DIRECTORY"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs it with this shop's config.
    pub fn dues(&self, args: &[&str]) -> Done {
        let mut all = args.to_vec();
        all.extend(["--config", "dues.toml"]);
        Self::done(&mut self.command(&all))
    }

    pub fn done(command: &mut Command) -> Done {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// A subscription of a customer of ours; its id.
    pub fn subscribe(&self, customer: &str) -> String {
        let done = self.dues(&["subscribe", "--customer", customer, "--plan", "pro-monthly"]).ok();
        done.stdout.trim().to_owned()
    }
}

//! The wishes as typed values, with the defaults of those that were not uttered.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::SignedDuration;

use super::problem::ConfigErrors;
use super::secret::{self, SecretError, SecretText};
use super::{place, scalar};
use crate::model::settings::{Brakes, Budgets, Cards, CatchUp, Doubt, Letters, Notify, ThreeDs};
use crate::model::{DeclineTable, Zone};

/// With live keys doubt settles no faster: the provider's own list lags behind its charges.
pub const SHORTEST_SETTLE: SignedDuration = SignedDuration::from_mins(10);

/// Every wish but the plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The file that they were asked for in: where mistakes are marked that only their granting shows.
    pub file: PathBuf,
    /// The book's zone.
    pub zone: Zone,
    /// The book.
    pub store: StoreSettings,
    /// The provider.
    pub omise: OmiseSettings,
    /// The pretend Omise, where `omise.sandbox` asks for it.
    pub sandbox: SandboxSettings,
    /// The windows; `None`: none are opened.
    pub web: Option<WebSettings>,
    /// Copies of the book that the service makes; `None`: it makes none.
    pub backup: Option<BackupSettings>,
    /// When the daemon asks what is due.
    pub schedule: ScheduleSettings,
    /// About cards.
    pub cards: Cards,
    /// About doubt.
    pub doubt: Doubt,
    /// Charges that wait for their customer.
    pub three_ds: ThreeDs,
    /// About missed periods.
    pub catch_up: CatchUp,
    /// What stops a run.
    pub brakes: Brakes,
    /// Who writes letters, and how; `None`: nobody was named.
    pub letters: Option<Letters>,
    /// Which messages go which way.
    pub notify: Notify,
    /// How often a card may be tried.
    pub budgets: Budgets,
    /// How a bank's "no" is read.
    pub declines: Arc<DeclineTable>,
}

impl Settings {
    /// Reads the password of the mail server. `Ok(None)`: none is wished.
    ///
    /// # Errors
    /// A sentence that never holds any of it.
    pub fn mail_password(&self) -> Result<Option<SecretText>, SecretError> {
        let file = self.notify.email.as_ref().and_then(|email| email.password_file.as_deref());
        file.map(secret::line_from_file).transpose()
    }

    /// Reads the secrets that sign our webhooks, one a line. Empty: none are wished.
    ///
    /// # Errors
    /// A sentence that never holds any of them.
    pub fn signing_secrets(&self) -> Result<Vec<SecretText>, SecretError> {
        let file = self.notify.webhook.as_ref().map(|webhook| webhook.secret_file.as_path());
        file.map_or_else(|| Ok(Vec::new()), secret::lines_from_file)
    }

    /// What is allowed with a test key and yet most likely a leftover of the sandbox: doubt that settles before the
    /// provider's own list can be believed. `None`: nothing of the kind.
    pub fn hasty(&self) -> Option<String> {
        let real = !self.omise.sandbox && !scalar::is_this_host(&self.omise.api_url);
        (real && self.doubt.settle < SHORTEST_SETTLE).then(|| {
            format!(
                "doubt.settle: found {:#} beside {}, wanted 10m or longer: its list shows charges late, so a charge that \
                 was made may be taken for absent and made again",
                self.doubt.settle, self.omise.api_url
            )
        })
    }

    /// What can only be judged once the kind of the keys is known.
    ///
    /// # Errors
    /// A live key beside `[doubt] settle` below ten minutes, with its place.
    pub fn check_key(&self, livemode: bool) -> Result<(), ConfigErrors> {
        if livemode && self.doubt.settle < SHORTEST_SETTLE {
            let sentence = format!(
                "doubt.settle: found {:#} beside a live key, wanted 10m or longer: shorter is for the sandbox and \
                 test keys",
                self.doubt.settle
            );
            return Err(self.mistakes(&[sentence]));
        }
        Ok(())
    }

    /// Sentences that each begin with their dotted key, as mistakes of the values of these keys.
    pub fn mistakes(&self, sentences: &[String]) -> ConfigErrors {
        place::mistakes_at(&self.file, sentences)
    }
}

/// The book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// The SQLite file; absolute, or relative to where the program was started.
    pub path: PathBuf,
}

/// Where the secret key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// `[omise] secret_key_file`.
    File(PathBuf),
    /// `[omise] secret_key_env`: the variable's name.
    Env(String),
    /// The systemd credential `omise_secret_key`.
    Credential(PathBuf),
    /// Nowhere: only the sandbox can be used.
    None,
}

impl KeySource {
    /// Reads the key there. `Ok(None)`: there is no source.
    ///
    /// # Errors
    /// A sentence that never holds any of the key.
    pub fn read(&self) -> Result<Option<SecretText>, SecretError> {
        match self {
            Self::File(path) => secret::from_file(path).map(Some),
            Self::Env(name) => secret::from_env(name).map(Some),
            Self::Credential(path) => secret::from_credential(path).map(Some),
            Self::None => Ok(None),
        }
    }
}

/// The provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OmiseSettings {
    /// Where the secret key is.
    pub key: KeySource,
    /// No slash at its end.
    pub api_url: String,
    /// Of the vault, which only test tokens need; `None`: the provider's own.
    pub vault_url: Option<String>,
    /// The embedded pretend Omise instead: `key`, `api_url` and `vault_url` are then not used.
    pub sandbox: bool,
    /// Requests a second, in thousandths.
    pub rate_milli_per_s: u32,
    /// Charges under way at one time.
    pub in_flight: u32,
    /// One call's total.
    pub timeout: SignedDuration,
    /// Where a customer returns after 3-D Secure; `None`: not sent.
    pub return_uri: Option<String>,
}

/// The embedded pretend Omise. Its state lies beside the book.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SandboxSettings {
    /// Customers it makes at its first start, of every fate; 0: none.
    pub customers: u32,
    /// A CSV of subscriptions that is imported into a book without any; `None`: none is.
    pub subscriptions: Option<PathBuf>,
}

/// The windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSettings {
    /// Address and port.
    pub listen: SocketAddr,
    /// Host headers that are answered besides the listener's own names.
    pub hosts: Vec<String>,
    /// Something due for longer makes the service not ready.
    pub due_limit: SignedDuration,
    /// Files with the provider's signing secrets for webhooks, base64, one a line; none: webhooks are refused.
    pub webhook_secret_files: Vec<PathBuf>,
}

impl WebSettings {
    /// Reads the signing secrets for webhooks, base64: several while the provider's is being changed. None: none is
    /// wished.
    ///
    /// # Errors
    /// A sentence that never holds any of a secret.
    pub fn webhook_secrets(&self) -> Result<Vec<SecretText>, SecretError> {
        let mut all = Vec::new();
        for file in &self.webhook_secret_files {
            all.extend(secret::base64_from_file(file)?);
        }
        Ok(all)
    }
}

/// Copies of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSettings {
    /// Where they lie; absolute, or relative to where the program was started.
    pub folder: PathBuf,
    /// How many are kept, 1 or more.
    pub keep: usize,
}

/// Cron words with seconds, in the book's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// A billing run.
    pub billing: String,
    /// Cards about to expire.
    pub card_watch: String,
    /// Our attempts against the provider's charges.
    pub reconcile: String,
    /// What happened since, for those who are to be told.
    pub notifications: String,
    /// A copy of the book, where `[backup]` asks for any.
    pub backup: String,
    /// What a book that runs for years needs now and then.
    pub housekeeping: String,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            billing: "0 */5 * * * *".into(),
            card_watch: "0 30 3 * * *".into(),
            reconcile: "0 15 4 * * *".into(),
            notifications: "30 * * * * *".into(),
            backup: "0 0 2 * * *".into(),
            housekeeping: "0 45 2 * * *".into(),
        }
    }
}

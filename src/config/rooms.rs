//! The sections that speak of rooms: `[store]`, `[omise]`, `[web]`, `[schedule]`.
//!
//! A section with mistakes gives its defaults: the mistakes were noted, so nobody sees them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::scalar;
use super::secret;
use super::section::{Found, Section};
use super::settings::{
    BackupSettings, KeySource, OmiseSettings, SandboxSettings, ScheduleSettings, StoreSettings, WebSettings,
};
use crate::store::true_place;

/// More calls at one time than that are not patience but an attack on the provider.
const MOST_IN_FLIGHT: u64 = 256;
const DEFAULT_IN_FLIGHT: u32 = 8;
const DEFAULT_RATE_MILLI_PER_S: u32 = 10_000;
const MOST_RATE_MILLI_PER_S: u32 = 1_000_000_000;
const DEFAULT_TIMEOUT: SignedDuration = SignedDuration::from_secs(90);
const LEAST_TIMEOUT: SignedDuration = SignedDuration::from_millis(100);
/// A bank's answer takes seconds: whoever waits less turns charges that were made into doubt.
const LEAST_REAL_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
const MOST_TIMEOUT: SignedDuration = SignedDuration::from_mins(10);
const DEFAULT_BACKUPS: usize = 14;
const MOST_BACKUPS: u64 = 10_000;
const DEFAULT_DUE_LIMIT: SignedDuration = SignedDuration::from_hours(2);
const LEAST_DUE_LIMIT: SignedDuration = SignedDuration::from_mins(1);
const MOST_DUE_LIMIT: SignedDuration = SignedDuration::from_hours(30 * 24);
const MOST_SANDBOX_CUSTOMERS: u64 = 1_000_000;
const API_URL: &str = "https://api.omise.co";

pub(super) fn store(found: Option<&Found<'_>>, folder: &Path) -> StoreSettings {
    let path = found
        .and_then(|found| found.section(&["path"], "[store] with `path`"))
        .and_then(|section| section.get("path"))
        .and_then(|path| {
            let text = path.text("a file's path")?;
            if text.contains("://") {
                path.wrong(format!("found {text:?}, wanted the path of an SQLite file"));
                return None;
            }
            path.path()
        });
    // Reached by two names it is still one book, with one lock and one witness.
    StoreSettings { path: true_place(&path.unwrap_or_else(|| folder.join("dues.db"))) }
}

/// Keys of `[omise]`.
pub(super) const OMISE_KEYS: &[&str] = &[
    "secret_key_file",
    "secret_key_env",
    "api_url",
    "vault_url",
    "sandbox",
    "requests_per_second",
    "in_flight",
    "timeout",
    "return_uri",
];

pub(super) fn omise(found: Option<&Found<'_>>) -> OmiseSettings {
    let section = found.and_then(|found| found.section(OMISE_KEYS, "[omise] with its keys"));
    let get = |key: &str| section.as_ref().and_then(|section| section.get(key));
    let url = |key: &str| get(key).and_then(|v| v.parse("an address", scalar::provider_url));
    let api_url = url("api_url").unwrap_or_else(|| API_URL.into());
    let sandbox = get("sandbox").and_then(|v| v.flag()).unwrap_or(false);
    let pretend = sandbox || scalar::is_this_host(&api_url);
    OmiseSettings {
        key: key_source(section.as_ref()),
        vault_url: url("vault_url"),
        sandbox,
        rate_milli_per_s: get("requests_per_second")
            .and_then(|v| {
                v.milli(1..=MOST_RATE_MILLI_PER_S, "a number from 0.001 to 1000000 with at most 3 decimals")
            })
            .unwrap_or(DEFAULT_RATE_MILLI_PER_S),
        in_flight: get("in_flight")
            .and_then(|v| v.whole(1..=MOST_IN_FLIGHT))
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(DEFAULT_IN_FLIGHT),
        timeout: get("timeout")
            .and_then(|v| if pretend { timeout(&v) } else { real_timeout(&v, &api_url) })
            .unwrap_or(DEFAULT_TIMEOUT),
        return_uri: get("return_uri").and_then(|v| v.parse("a web page's address", scalar::page_url)),
        api_url,
    }
}

fn timeout(found: &Found<'_>) -> Option<SignedDuration> {
    let wanted = "a length of time from \"100ms\" to \"10m\"";
    found.parse(wanted, |text| scalar::duration_between(text, LEAST_TIMEOUT, MOST_TIMEOUT, wanted))
}

/// Of a provider that is not on this host. What is no length of time at all is told as everywhere.
fn real_timeout(found: &Found<'_>, api_url: &str) -> Option<SignedDuration> {
    let read = timeout(found)?;
    if read < LEAST_REAL_TIMEOUT {
        let shown = format!("found \"{read:#}\" beside {api_url}, wanted \"10s\" or longer");
        found.wrong_help(shown, "shorter is for the sandbox; without this line it is \"90s\"".into());
        return None;
    }
    Some(read)
}

fn key_source(section: Option<&Section<'_>>) -> KeySource {
    let get = |key: &str| section.and_then(|section| section.get(key));
    match (get("secret_key_file"), get("secret_key_env")) {
        (Some(_), Some(env)) => {
            env.wrong("found beside secret_key_file, wanted one of the two");
            KeySource::None
        }
        (Some(file), None) => {
            let looks_like_a_key = |text: &str| text.starts_with("skey_") || text.starts_with("pkey_");
            match file.text("a file's path") {
                Some(text) if looks_like_a_key(text) => {
                    file.wrong("found a key itself, wanted the path of a file that holds it, mode 0600");
                    KeySource::None
                }
                Some(_) => file.path().map_or(KeySource::None, KeySource::File),
                None => KeySource::None,
            }
        }
        (None, Some(env)) => env
            .parse("the name of an environment variable", variable_name)
            .map_or(KeySource::None, KeySource::Env),
        (None, None) => secret::credential_path().map_or(KeySource::None, KeySource::Credential),
    }
}

/// The text is not shown: somebody may have put the key itself there.
fn variable_name(text: &str) -> Result<String, &'static str> {
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.is_empty() || !text.chars().all(sound) || text.starts_with("skey_") || text.starts_with("pkey_") {
        return Err(
            "found something else, wanted the name of an environment variable such as \"OMISE_SECRET_KEY\"",
        );
    }
    Ok(text.to_owned())
}

pub(super) fn sandbox(found: &Found<'_>) -> SandboxSettings {
    let section = found.section(&["customers", "subscriptions"], "[sandbox] with `customers`");
    let get = |key: &str| section.as_ref().and_then(|section| section.get(key));
    SandboxSettings {
        customers: get("customers")
            .and_then(|v| v.whole(0..=MOST_SANDBOX_CUSTOMERS))
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(0),
        subscriptions: get("subscriptions").and_then(|v| v.path()),
    }
}

/// `None`: no windows, since nothing says where; what would need them is then a mistake.
pub(super) fn web(found: &Found<'_>) -> Option<WebSettings> {
    let known = ["listen", "hosts", "due_limit", "webhook_secret_file"];
    let section = found.section(&known, "[web] with `listen`")?;
    let wanted = "an address and a port such as \"127.0.0.1:8780\"";
    let address =
        |text: &str| text.parse::<SocketAddr>().map_err(|_| format!("found {text:?}, wanted {wanted}"));
    let listen = section.get("listen");
    for idle in known.iter().filter(|_| listen.is_none()).filter_map(|key| section.get(key)) {
        idle.wrong(
            "found no `listen` beside it, wanted one such as \"127.0.0.1:8780\": without it nothing listens",
        );
    }
    // A mistake in any of them is told at once with the others.
    let hosts = section.get("hosts").map(|v| hosts(&v)).unwrap_or_default();
    let due_limit = section.get("due_limit").and_then(|v| due_limit(&v)).unwrap_or(DEFAULT_DUE_LIMIT);
    let webhook_secret_files = section.get("webhook_secret_file").map(|v| files(&v)).unwrap_or_default();
    let listen = listen?.parse(wanted, address)?;
    Some(WebSettings { listen, hosts, due_limit, webhook_secret_files })
}

/// One file, or a list of them.
fn files(found: &Found<'_>) -> Vec<PathBuf> {
    if found.is_list() {
        let all = found.list("a file's path, or a list of them").unwrap_or_default();
        return all.iter().filter_map(Found::path).collect();
    }
    found.path().into_iter().collect()
}

fn hosts(found: &Found<'_>) -> Vec<String> {
    let wanted = "a host such as \"billing.shop.example\", with its port if it is asked with one";
    let names = found.list("a list of hosts such as [\"billing.shop.example\"]").unwrap_or_default();
    let sound = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        let is_host = !text.is_empty() && text.chars().all(plain);
        if is_host { Ok(text.to_owned()) } else { Err(format!("found {text:?}, wanted {wanted}")) }
    };
    names.iter().filter_map(|name| name.parse(wanted, sound)).collect()
}

fn due_limit(found: &Found<'_>) -> Option<SignedDuration> {
    let wanted = "a length of time from \"1m\" to \"30 days\"";
    found.parse(wanted, |text| scalar::duration_between(text, LEAST_DUE_LIMIT, MOST_DUE_LIMIT, wanted))
}

pub(super) fn backup(found: &Found<'_>) -> Option<BackupSettings> {
    let section = found.section(&["folder", "keep"], "[backup] with `folder`")?;
    let folder = section.need("folder", "the folder that backups are kept in").and_then(|v| v.path());
    let keep = section.get("keep").and_then(|v| v.whole(1..=MOST_BACKUPS));
    let keep = keep.and_then(|n| usize::try_from(n).ok()).unwrap_or(DEFAULT_BACKUPS);
    Some(BackupSettings { folder: folder?, keep })
}

pub(super) fn schedule(found: &Found<'_>) -> ScheduleSettings {
    let section = found.section(
        &["billing", "card_watch", "reconcile", "notifications", "backup", "housekeeping"],
        "[schedule] with cron words",
    );
    let defaults = ScheduleSettings::default();
    let cron = |key: &str, default: String| {
        section
            .as_ref()
            .and_then(|section| section.get(key))
            .and_then(|v| v.parse("six cron words, seconds first", scalar::cron))
            .unwrap_or(default)
    };
    ScheduleSettings {
        billing: cron("billing", defaults.billing),
        card_watch: cron("card_watch", defaults.card_watch),
        reconcile: cron("reconcile", defaults.reconcile),
        notifications: cron("notifications", defaults.notifications),
        backup: cron("backup", defaults.backup),
        housekeeping: cron("housekeeping", defaults.housekeeping),
    }
}

//! The sandbox judged by clients that nobody here wrote: the official Python and Node SDKs.
//!
//! Each is installed by its name into a folder of its own under the build directory, once, and then lives
//! through a customer's life. A machine where they cannot be installed fails these tests, loudly: the proof
//! was not made.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::Pretend;

const PYTHON_SDK: &str = "omise==0.16.0";
const NODE_SDK: &str = "omise@1.1.0";

/// Runs to the end or fails the test with everything that was said.
pub fn must(what: &str, command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{what}: cannot run {command:?}: {error}"));
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what} failed\n{command:?}\n{said}");
    said
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk").join(name)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk").join(name)
}

/// A Python with these packages, in a folder of that name.
pub fn python(name: &str, packages: &[&str]) -> PathBuf {
    let home = folder(name);
    let done = home.join("installed");
    if !done.exists() {
        must(
            "making a Python environment",
            Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home),
        );
        let pip = home.join("bin/pip");
        let said = format!("installing {packages:?} for Python");
        must(&said, Command::new(pip).args(["install", "--quiet"]).args(packages));
        std::fs::write(done, packages.join(" ")).expect("a mark");
    }
    home.join("bin/python")
}

fn node_modules() -> PathBuf {
    let home = folder("node-1.1.0");
    let done = home.join("installed");
    if !done.exists() {
        std::fs::create_dir_all(&home).expect("a folder");
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&home).arg(NODE_SDK);
        must("installing the Node SDK", &mut npm);
        std::fs::write(done, NODE_SDK).expect("a mark");
    }
    home.join("node_modules")
}

/// A client process that knows where the sandbox is, and no proxy.
fn client(sandbox: &Pretend, program: &Path) -> Command {
    let mut command = Command::new(program);
    for proxy in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        command.env_remove(proxy);
    }
    command
        .env("SANDBOX_URL", sandbox.said("api_url"))
        .env("SANDBOX_PUBLIC_KEY", sandbox.said("public_key"))
        .env("SANDBOX_SECRET_KEY", sandbox.said("secret_key"));
    command
}

/// Five charges in each life: three paid, one declined, one reversed; and part of the first went back.
fn judge(sandbox: &Pretend, said: &str) {
    assert!(said.trim_end().ends_with("done"), "{said}");
    let ledger = sandbox.ask("GET", "/__sandbox/ledger", "").expect("answers");
    let rows = ledger.as_array().expect("rows");
    let statuses: Vec<&str> = rows.iter().filter_map(|row| row["status"].as_str()).collect();
    assert_eq!(statuses, ["successful", "successful", "failed", "successful", "reversed"]);
    assert_eq!(rows[0]["refunded"], 40_000);
}

#[test]
fn the_official_python_client_lives_a_customers_life() {
    let python = python("python-0.16.0", &[PYTHON_SDK]);
    let sandbox = Pretend::start(&[]);
    let said = must("the Python life", client(&sandbox, &python).arg(script("life.py")));
    judge(&sandbox, &said);
}

#[test]
fn the_official_node_client_lives_a_customers_life() {
    let modules = node_modules();
    let sandbox = Pretend::start(&[]);
    let mut node = client(&sandbox, Path::new("node"));
    node.arg("--require").arg(script("port.js")).arg(script("life.js")).env("NODE_PATH", modules);
    let said = must("the Node life", &mut node);
    judge(&sandbox, &said);
}

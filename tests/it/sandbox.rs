//! `dues sandbox` as a process of its own: started, spoken to, killed and started again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::Value;

/// The running process, ended by its handle.
pub(crate) struct Pretend {
    process: Child,
    /// What its first line says.
    line: Value,
}

impl Pretend {
    /// Starts it with these arguments and waits for its first line.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dues"));
        command.args(["sandbox", "--json"]).args(arguments).stdout(Stdio::piped());
        let mut process = command.spawn().expect("starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("its first line");
        let line = serde_json::from_str(&line).expect("JSON");
        Self { process, line }
    }

    /// A word of the first line, such as `api_url`.
    pub(crate) fn said(&self, name: &str) -> &str {
        self.line[name].as_str().expect("text")
    }

    /// One exchange with the secret key; `None` if no whole answer came.
    pub(crate) fn ask(&self, verb: &str, path: &str, body: &str) -> Option<Value> {
        let user = base64::engine::general_purpose::STANDARD.encode(format!("{}:", self.said("secret_key")));
        let request = format!(
            "{verb} {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nAuthorization: Basic {user}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.said("api_url").trim_start_matches("http://")).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    fn kill(&mut self) {
        self.process.kill().expect("killed");
        self.process.wait().expect("gone");
    }
}

impl Drop for Pretend {
    fn drop(&mut self) {
        // Already gone is as good.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn nothing_that_was_answered_is_lost_by_a_kill() {
    const ROUNDS: u64 = 6;
    /// Of each round, before its kill: a round of a slow disk is no shorter than one of a quick one.
    const ANSWERED: usize = 4;
    const LONGEST: Duration = Duration::from_mins(1);
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state.jsonl");
    let arguments = ["--state", state.to_str().expect("a name"), "--customers", "200", "--fates", "paying"];
    let mut answered: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let mut sandbox = Pretend::start(&arguments);
        let customers = sandbox.ask("GET", "/__sandbox/customers", "").expect("answers");
        let customer = customers[0]["id"].as_str().expect("an id").to_owned();
        let (over, made_here) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            let charging = threads.spawn(|| {
                let mut own = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let body = format!("amount=50000&currency=thb&customer={customer}");
                    let made = sandbox.ask("POST", "/charges", &body);
                    own.extend(made.and_then(|charge| charge["id"].as_str().map(str::to_owned)));
                    made_here.store(own.len(), Ordering::Relaxed);
                }
                own
            });
            let begun = Instant::now();
            while made_here.load(Ordering::Relaxed) < ANSWERED && begun.elapsed() < LONGEST {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(13 * round));
            let id = rustix::process::Pid::from_child(&sandbox.process);
            rustix::process::kill_process(id, rustix::process::Signal::KILL).expect("killed");
            over.store(true, Ordering::Relaxed);
            answered.extend(charging.join().expect("charged"));
        });
        sandbox.kill();
    }
    let sandbox = Pretend::start(&arguments);
    let ledger = sandbox.ask("GET", "/__sandbox/ledger", "").expect("answers");
    let kept: Vec<&str> =
        ledger.as_array().expect("rows").iter().filter_map(|row| row["id"].as_str()).collect();
    assert!(answered.len() > 20, "only {} charges in {ROUNDS} rounds prove nothing", answered.len());
    for id in &answered {
        assert!(kept.contains(&id.as_str()), "{id} was answered and is lost");
        let charge = sandbox.ask("GET", &format!("/charges/{id}"), "").expect("answers");
        assert_eq!(charge["status"], "successful");
    }
    // At most the one charge in flight at each kill was made without an answer.
    assert!(kept.len() <= answered.len() + usize::try_from(ROUNDS).expect("small"));
}

#[test]
fn two_processes_cannot_share_a_state_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state.jsonl");
    let arguments = ["--state", state.to_str().expect("a name")];
    let first = Pretend::start(&arguments);
    let second =
        Command::new(env!("CARGO_BIN_EXE_dues")).arg("sandbox").args(arguments).output().expect("runs");
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another process"));
    drop(first);
}

#[test]
fn the_first_line_for_people_says_that_it_is_pretend_and_an_interrupt_ends_it() {
    let mut process = Command::new(env!("CARGO_BIN_EXE_dues"))
        .args(["sandbox", "--customers", "3"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    assert!(
        line.contains("pretend") && line.contains("http://127.0.0.1:") && line.contains("skey_test_"),
        "{line}"
    );
    let id = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("told");
    assert_eq!(process.wait().expect("gone").code(), Some(0));
}

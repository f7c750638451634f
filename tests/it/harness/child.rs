//! The real binary as a child process: started with a clean environment, waited for with a limit, killed by its id.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Longer than this and the program hangs: the test fails.
const LONGEST_RUN: Duration = Duration::from_mins(4);
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A started program.
pub struct Child {
    process: std::process::Child,
    out: PathBuf,
    err: PathBuf,
    what: String,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    /// Variables and words it was started with, for a failed test.
    pub what: String,
}

impl Child {
    /// Starts `dues` with these words and variables; its output goes to files in `folder`.
    pub fn start(folder: &Path, words: &[&str], variables: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let (out, err) = (folder.join(format!("{number}.out")), folder.join(format!("{number}.err")));
        let mut command = Command::new(env!("CARGO_BIN_EXE_dues"));
        for name in [
            "DUES_KILL_AT",
            "DUES_PLANT",
            "DUES_CLOCK",
            "DUES_HANG",
            "RUST_LOG",
            "CREDENTIALS_DIRECTORY",
            "http_proxy",
            "HTTP_PROXY",
        ] {
            command.env_remove(name);
        }
        command.env("NO_COLOR", "1").envs(variables.iter().copied());
        command.args(words).current_dir(folder).stdin(Stdio::null());
        command.stdout(File::create(&out).expect("a file for its output"));
        command.stderr(File::create(&err).expect("a file for its log"));
        let process = command.spawn().expect("the binary starts");
        let plants: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        Self { process, out, err, what: format!("{}dues {}", plants.concat(), words.join(" ")) }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().expect("a child can be waited for").is_some()
    }

    /// Sends it that signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid =
            i32::try_from(self.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
        rustix::process::kill_process(pid, signal).expect("a child of ours can be told");
    }

    /// What it has said on stdout so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// Waits for its end; a program that hangs is killed and fails the test.
    pub fn wait(mut self) -> Ended {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().expect("a child can be waited for") {
                return self.ended(status);
            }
            if begun.elapsed() > LONGEST_RUN {
                let _ = self.process.kill();
                let status = self.process.wait().expect("killed");
                let ended = self.ended(status);
                panic!("hung for {LONGEST_RUN:?}: {ended:#?}");
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// SIGKILL after `life`, unless it ended by itself before.
    pub fn kill_after(mut self, life: Duration) -> Ended {
        let begun = Instant::now();
        while begun.elapsed() < life {
            if let Some(status) = self.process.try_wait().expect("a child can be waited for") {
                return self.ended(status);
            }
            std::thread::sleep(LOOK_EVERY.min(life.saturating_sub(begun.elapsed())));
        }
        self.kill()
    }

    /// SIGKILL now.
    pub fn kill(mut self) -> Ended {
        self.process.kill().expect("a child can be killed");
        let status = self.process.wait().expect("a killed child ends");
        self.ended(status)
    }

    fn ended(&mut self, status: ExitStatus) -> Ended {
        let read =
            |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned();
        let ended = Ended {
            status,
            stdout: read(&self.out),
            stderr: read(&self.err),
            what: std::mem::take(&mut self.what),
        };
        let _ = (std::fs::remove_file(&self.out), std::fs::remove_file(&self.err));
        ended
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            let _ = self.process.kill();
            let _ = self.process.wait();
        }
    }
}

impl Ended {
    /// By SIGKILL.
    pub fn killed(&self) -> bool {
        self.status.signal() == Some(9)
    }

    /// The exit code; -1 after a signal.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// Fails the test unless it ended with this exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code(), code, "{}: wanted exit code {code}:\n{self:#?}", self.what);
        self
    }

    /// One JSON object on stdout.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON on stdout ({error}): {self:#?}"))
    }

    /// One JSON object a line on stdout.
    #[track_caller]
    pub fn rows(&self) -> Vec<Value> {
        let row = |line: &str| {
            serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("no JSON in {line:?} ({error}): {self:#?}"))
        };
        self.stdout.lines().map(row).collect()
    }
}

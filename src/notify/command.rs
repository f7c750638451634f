//! The command hook: a program of the merchant's, with the message as JSON on its stdin.
//!
//! Promises: no shell reads anything; of the environment it has `PATH`, `DUES_KIND` and `DUES_KEY` alone; one that
//! takes too long is killed by its own handle and waited for; what it prints goes nowhere but for the first lines of
//! its stderr when it fails. Must never know: what a message means.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::model::settings::CommandWishes;
use crate::model::{Delivered, Message};

/// Of what it says on stderr.
const MOST_STDERR_BYTES: u64 = 1_024;

/// The merchant's program.
pub(super) struct Hook {
    program: String,
    words: Vec<String>,
    path: String,
    timeout: Duration,
}

impl Hook {
    /// `path` is the `PATH` that it gets.
    ///
    /// # Errors
    /// A sentence: there is no program.
    pub(super) fn new(wishes: &CommandWishes, path: String) -> Result<Self, String> {
        let (program, words) =
            wishes.program.split_first().ok_or("[notify.command] program: found none, wanted one")?;
        let timeout = wishes.timeout.unsigned_abs();
        Ok(Self { program: program.clone(), words: words.to_vec(), path, timeout })
    }

    /// Runs it once for that message. Its exit code says whether it took it: 0.
    pub(super) async fn send(&self, message: &Message) -> Delivered {
        let body = match serde_json::to_vec(message) {
            Ok(body) => body,
            Err(why) => return Delivered::Refused(format!("the message cannot be written as JSON ({why})")),
        };
        let mut command = Command::new(&self.program);
        command.args(&self.words).env_clear().env("PATH", &self.path);
        command.env("DUES_KIND", message.kind.word()).env("DUES_KEY", &*message.key);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(why) => return Delivered::Failed(format!("{}: {why}", self.program)),
        };
        match tokio::time::timeout(self.timeout, talk(&mut child, &body)).await {
            Ok(Ok((status, _))) if status.success() => Delivered::Sent,
            Ok(Ok((status, said))) => {
                Delivered::Failed(format!("{} ended with {status}{said}", self.program))
            }
            Ok(Err(why)) => Delivered::Failed(format!("{}: {why}", self.program)),
            Err(_) => {
                // Killed and waited for, so that nothing of it is left.
                let _ = child.kill().await;
                Delivered::Failed(format!(
                    "{} took longer than {:?} and was killed",
                    self.program, self.timeout
                ))
            }
        }
    }
}

/// Gives it the message, and waits for its end and for what it says. One that reads nothing is no failure.
async fn talk(child: &mut Child, body: &[u8]) -> std::io::Result<(ExitStatus, String)> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let give = async {
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(body).await;
            let _ = stdin.shutdown().await;
        }
    };
    let hear = async {
        let mut said = Vec::new();
        if let Some(stderr) = stderr {
            let _ = stderr.take(MOST_STDERR_BYTES).read_to_end(&mut said).await;
        }
        said
    };
    let ((), said, status) = tokio::join!(give, hear, child.wait());
    let said = String::from_utf8_lossy(&said).trim().replace(char::is_control, " ");
    Ok((status?, if said.is_empty() { said } else { format!(": {said}") }))
}

//! The messengers against receivers that answer, keep silent, redirect, lie and die; on loopback alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::command::Hook;
use super::webhook::Webhook;
use crate::model::settings::{CommandWishes, WebhookWishes};
use crate::model::{Delivered, Facts, Message, MessageKind, Zone};

/// Of receivers and commands that do what they have to: far longer than that takes on a busy machine.
const PATIENT: SignedDuration = SignedDuration::from_secs(30);
/// Of those that never end: long enough for them to begin.
const HASTY: SignedDuration = SignedDuration::from_secs(2);
/// Longer than any deadline of these tests: whoever is slower waits for something it should not.
const LONGEST: Duration = Duration::from_mins(1);

fn message() -> Message {
    Message {
        key: "invoice_paid/sub_1.0".into(),
        kind: MessageKind::InvoicePaid,
        at: now(),
        customer: None,
        zone: Zone::UTC,
        facts: Facts::default(),
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

/// A receiver on loopback that does the same to everybody who comes.
struct Receiver {
    port: u16,
    does: Does,
    came: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

#[derive(Clone, Copy)]
enum Does {
    /// Reads the request and sends these bytes, then closes.
    Answers(&'static str),
    /// Reads the request and never answers.
    KeepsSilent,
    /// Closes at once.
    Dies,
    /// Sends the start of an answer and then for ever more of it.
    NeverEnds(&'static str),
}

impl Receiver {
    async fn start(does: Does) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let came = Arc::new(AtomicUsize::new(0));
        let count = came.clone();
        let task = tokio::spawn(async move {
            let mut guests = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                guests.spawn(serve(stream, does));
            }
        });
        Self { port, does, came, task }
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, does: Does) {
    if matches!(does, Does::Dies) {
        return;
    }
    let mut request = vec![0; 16 * 1024];
    let _ = stream.read(&mut request).await;
    match does {
        Does::Answers(bytes) => {
            let _ = stream.write_all(bytes.as_bytes()).await;
        }
        Does::NeverEnds(start) => {
            let _ = stream.write_all(start.as_bytes()).await;
            while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
        }
        Does::KeepsSilent => std::future::pending().await,
        Does::Dies => {}
    }
}

fn webhook(url: &str, allow_private: bool, timeout: SignedDuration) -> Webhook {
    let wishes = WebhookWishes {
        url: url.into(),
        secret_file: "unused".into(),
        allow_private,
        events: MessageKind::ALL.to_vec(),
        timeout,
    };
    Webhook::new(&wishes, vec![Zeroizing::new(b"0123456789abcdef".to_vec())]).unwrap()
}

async fn sent_to(receiver: &Receiver) -> Delivered {
    let timeout = if matches!(receiver.does, Does::KeepsSilent) { HASTY } else { PATIENT };
    let hook = webhook(&format!("http://127.0.0.1:{}/hook", receiver.port), true, timeout);
    tokio::time::timeout(LONGEST, hook.send(&message(), now())).await.expect("within its deadline")
}

fn failure(came_to: Delivered) -> String {
    match came_to {
        Delivered::Failed(why) => why,
        other => panic!("wanted a failure, found {other:?}"),
    }
}

#[tokio::test]
async fn a_receiver_that_takes_it_has_it() {
    let receiver = Receiver::start(Does::Answers("HTTP/1.1 204 No Content\r\n\r\n")).await;
    assert_eq!(sent_to(&receiver).await, Delivered::Sent);
    assert_eq!(receiver.came(), 1);
}

#[tokio::test]
async fn a_receiver_that_keeps_silent_is_left_at_the_deadline() {
    let receiver = Receiver::start(Does::KeepsSilent).await;
    assert_eq!(failure(sent_to(&receiver).await), "no answer came in time");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Receiver::start(Does::Answers("HTTP/1.1 200 OK\r\n\r\n")).await;
    let answer: &'static str = Box::leak(
        format!(
            "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:{}/\r\nContent-Length: 0\r\n\r\n",
            other.port
        )
        .into_boxed_str(),
    );
    let receiver = Receiver::start(Does::Answers(answer)).await;
    assert!(failure(sent_to(&receiver).await).contains("307; redirects are not followed"));
    assert_eq!(other.came(), 0);
}

#[tokio::test]
async fn a_receiver_that_lies_about_its_body_is_believed_its_status_alone() {
    for lie in [
        "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nfar too long",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a chunk",
    ] {
        let receiver = Receiver::start(Does::Answers(lie)).await;
        assert_eq!(sent_to(&receiver).await, Delivered::Sent, "{lie}");
    }
    let endless = Receiver::start(Does::NeverEnds("HTTP/1.1 200 OK\r\n\r\n")).await;
    assert_eq!(sent_to(&endless).await, Delivered::Sent);
    let refusing = Receiver::start(Does::NeverEnds("HTTP/1.1 500 Oh\r\n\r\n")).await;
    assert!(failure(sent_to(&refusing).await).contains("500"));
}

#[tokio::test]
async fn a_receiver_whose_answer_is_none_has_taken_nothing() {
    for (does, what) in [
        (Does::Dies, "closed at once"),
        (Does::Answers("HTTP/1.1 20"), "half a status"),
        (Does::Answers("good morning\r\n\r\n"), "no HTTP"),
        (Does::NeverEnds("HTTP/1.1 200 OK\r\nX-Long: "), "a head without end"),
    ] {
        let receiver = Receiver::start(does).await;
        assert!(!failure(sent_to(&receiver).await).is_empty(), "{what}");
    }
    let gone = Receiver::start(Does::Dies).await;
    let port = gone.port;
    drop(gone);
    let hook = webhook(&format!("http://127.0.0.1:{port}/"), true, PATIENT);
    assert!(!failure(hook.send(&message(), now()).await).is_empty(), "nobody listens");
}

#[tokio::test]
async fn a_private_address_is_not_even_called() {
    let receiver = Receiver::start(Does::Answers("HTTP/1.1 200 OK\r\n\r\n")).await;
    for host in ["127.0.0.1", "localhost", "2130706433"] {
        let hook = webhook(&format!("http://{host}:{}/", receiver.port), false, PATIENT);
        let why = failure(hook.send(&message(), now()).await);
        assert!(why.contains("wanted a public address"), "{host}: {why}");
    }
    assert_eq!(receiver.came(), 0);
}

fn hook(script: &str) -> Hook {
    hook_within(PATIENT, script)
}

fn hook_within(timeout: SignedDuration, script: &str) -> Hook {
    let wishes = CommandWishes {
        program: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
        events: MessageKind::ALL.to_vec(),
        timeout,
    };
    Hook::new(&wishes, "/usr/bin:/bin".into()).unwrap()
}

#[tokio::test]
async fn a_command_gets_the_message_and_little_else() {
    let folder = tempfile::tempdir().unwrap();
    let (told, knows) = (folder.path().join("told"), folder.path().join("knows"));
    let script = format!("cat > {}; env | cut -d= -f1 | sort > {}", told.display(), knows.display());
    assert_eq!(hook(&script).send(&message()).await, Delivered::Sent);
    let read: Message = serde_json::from_slice(&std::fs::read(&told).unwrap()).unwrap();
    assert_eq!(read, message());
    let names = std::fs::read_to_string(&knows).unwrap();
    let own: Vec<&str> =
        names.lines().filter(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name)).collect();
    assert_eq!(own, ["DUES_KEY", "DUES_KIND", "PATH"]);
}

#[tokio::test]
async fn a_command_that_fails_says_why() {
    let why = failure(hook("echo 'no room' >&2; exit 3").send(&message()).await);
    assert!(why.contains("exit status: 3: no room"), "{why}");
    assert_eq!(hook("exit 0").send(&message()).await, Delivered::Sent, "one that reads nothing");
    let loud = failure(hook_within(HASTY, "yes >&2").send(&message()).await);
    assert!(loud.len() < 3_000, "what it says is cut off");
    let missing =
        CommandWishes { program: vec!["/nowhere/told".into()], events: Vec::new(), timeout: PATIENT };
    let why = failure(Hook::new(&missing, String::new()).unwrap().send(&message()).await);
    assert!(why.starts_with("/nowhere/told: "), "{why}");
}

#[tokio::test]
async fn a_command_that_hangs_is_killed_and_gone() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let script = format!("echo $$ > {}; exec sleep 600", pid.display());
    let why = failure(hook_within(HASTY, &script).send(&message()).await);
    assert!(why.contains("was killed"), "{why}");
    let pid = std::fs::read_to_string(pid).unwrap();
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists(), "{pid}");
}

//! SIGKILL while the provider's door is shut: its connections are refused from the second charge on, so that nothing of
//! those requests can have left. What was not sent is sent later, once.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;

use super::{Count, PROVIDER_SECONDS_BETWEEN_RUNS, rest, small_book_in};
use crate::harness::{AT, Setting};

/// Each at its passage of a charge that was refused, after at least one result of such a one.
const KILLS: &[&str] = &[
    "intent.after_commit:4",
    "request.before:4",
    "answer.after_read:4",
    "result.before_commit:4",
    "result.after_commit:3",
];

#[test]
fn with_the_door_shut() {
    let mut count = Count::default();
    for kill in KILLS {
        one(&mut count, kill);
    }
    assert_eq!(count.kills, count.cases, "every case kills once");
    count.close("connections refused");
}

fn one(count: &mut Count, kill: &str) {
    let case = format!("killed at {kill}, connections refused");
    // One at a time: nobody else stands in the door when it shuts.
    let (scene, expected) = small_book_in(Setting { customers: 4, in_flight: 1, ..Setting::default() });
    let (door, keeper) = open_door(scene.sandbox().addr());
    scene.write_config("door.toml", door);
    let words = ["run-now", "--json", "--at", AT, "--config", "door.toml"];
    let ended = scene.start(&words, &[("DUES_KILL_AT", kill)]).wait();
    count.kills += u64::from(ended.killed());
    keeper.join().expect("the door was shut after the first charge");
    let refused = scene.list("attempts").iter().filter(|row| row["status"] == "not_sent").count();
    if refused == 0 || scene.ledger().len() != 1 {
        count.faults.push(format!("{case}: {refused} were not sent: {ended:#?}\n{}", scene.story()));
    }
    scene.provider_time_passes(PROVIDER_SECONDS_BETWEEN_RUNS);
    match rest(&scene, AT) {
        Ok(()) => count.judged(&case, &scene, &expected),
        Err(story) => count.faults.push(format!("{case}: {story}\n{}", scene.story())),
    }
}

/// Lets one request after the other through to `upstream`, each on a connection of its own, until the first charge was
/// answered there; before that answer is handed on, nobody listens any more.
fn open_door(upstream: SocketAddr) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port on this machine");
    let address = listener.local_addr().expect("bound");
    let keeper = std::thread::spawn(move || {
        loop {
            let (mut near, _) = listener.accept().expect("somebody comes until a charge was made");
            let Some(request) = message(&mut near) else { continue };
            let mut far = TcpStream::connect(upstream).expect("the sandbox runs");
            far.write_all(&request).expect("it listens");
            let answer = message(&mut far).expect("it answers");
            let head = answer.windows(2).position(|end| end == b"\r\n").expect("a status line") + 2;
            let whole = [&answer[..head], b"Connection: close\r\n", &answer[head..]].concat();
            let last = request.starts_with(b"POST /charges ");
            if last {
                drop(listener);
                let _ = near.write_all(&whole);
                return;
            }
            let _ = near.write_all(&whole);
        }
    });
    (address, keeper)
}

/// Head and body of one message; `None`: the connection ended.
fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut bytes, mut part) = (Vec::new(), [0; 8192]);
    loop {
        if let Some(head) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |digits| digits.trim().parse().unwrap_or(0));
            if bytes.len() >= head + 4 + length {
                return Some(bytes);
            }
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(many) => bytes.extend_from_slice(&part[..many]),
        }
    }
}

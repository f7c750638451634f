//! Stopped by SIGKILL around the outbox: every outcome is told, the book has each once, and whoever is told twice is
//! told the same key.

use dues::hooks::KILL_POINTS;

use super::words::{hooked, messages, send, told};
use crate::harness::AT;

const WANTED: [&str; 4] =
    ["invoice_opened/may.0", "invoice_opened/ron.0", "invoice_paid/may.0", "invoice_paid/ron.0"];

/// Killed there, then started again; how often the command was told more than once.
fn killed(point: &str, words: &[&str]) -> usize {
    let scene = hooked();
    let who = scene.customers();
    scene.import(&format!(
        "id,customer,plan,starts\nmay,{},monthly,2030-11-15\nron,{},monthly,2030-11-10\n",
        who[0], who[1]
    ));
    if words[0] == "notify" {
        scene.run_at(AT).expect(0);
    }
    let ended = scene.start(words, &[("DUES_KILL_AT", point)]).wait();
    assert!(ended.killed(), "{point}: {ended:#?}");
    scene.run_at(AT).expect(0);
    // What a dead process had taken is its own until it is taken for lost; a person need not wait for that.
    let rows = scene.dues(&["notify", "list", "--state", "waiting", "--json"]).expect(0).rows();
    for row in rows {
        scene.dues(&["notify", "retry", &row["row"].to_string()]).expect(0);
    }
    send(&scene);
    let mut all = told(&scene);
    let doubled = all.len() - WANTED.len();
    all.dedup();
    assert_eq!(all, WANTED, "{point}");
    assert_eq!(messages(&scene), WANTED.map(|key| format!("{key} command sent")), "{point}");
    doubled
}

#[test]
fn a_kill_while_the_diary_is_read_forgets_and_doubles_nothing() {
    for point in ["outbox.before_commit", "outbox.after_commit"] {
        assert_eq!(killed(point, &["run-now", "--json", "--at", AT]), 0, "{point}");
    }
}

#[test]
fn a_kill_between_send_and_mark_sends_again_under_the_same_key() {
    let mut doubled = 0;
    for point in ["message.before_mark", "message.after_mark", "message.before_mark:2"] {
        doubled += killed(point, &["notify", "send"]);
    }
    assert!(doubled > 0, "before the mark, the receiver has had it already");
}

#[test]
fn every_kill_point_of_the_outbox_is_tried() {
    let tried = ["outbox.before_commit", "outbox.after_commit", "message.before_mark", "message.after_mark"];
    let of_ours: Vec<_> =
        KILL_POINTS.iter().filter(|p| p.starts_with("outbox") || p.starts_with("message")).copied().collect();
    assert_eq!(of_ours, tried);
}

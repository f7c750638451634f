//! One message for one outcome, from a run to a command's stdin.

use std::time::{Duration, Instant};

use super::words::{HOOK, SILENT_PLANS, hooked, messages, scene, send, told};
use crate::harness::{AT, Scene};

fn import_one(scene: &Scene, id: &str, plan: &str, starts: &str) -> String {
    let who = scene.customers().remove(0);
    scene.import(&format!("id,customer,plan,starts\n{id},{who},{plan},{starts}\n"));
    who
}

#[test]
fn a_paid_period_is_told_once_however_often_it_is_asked() {
    let scene = hooked();
    import_one(&scene, "may", "monthly", "2030-11-15");
    let said = scene.dues(&["run-now", "--at", AT]).expect(0).stdout;
    assert!(said.contains("2 messages wait: `dues notify send`"), "{said}");
    let sent = send(&scene);
    assert_eq!((sent["sent"].as_u64(), sent["waiting"].as_u64()), (Some(2), Some(0)), "{sent}");
    let wanted = ["invoice_opened/may.0", "invoice_paid/may.0"];
    assert_eq!(told(&scene), wanted);
    scene.run_at(AT).expect(0);
    assert_eq!(send(&scene)["sent"], 0);
    assert_eq!(told(&scene), wanted, "nothing is told twice");
    assert_eq!(messages(&scene), wanted.map(|key| format!("{key} command sent")));
}

#[test]
fn an_end_that_was_set_is_not_told_again_when_it_comes() {
    let scene = hooked();
    import_one(&scene, "may", "monthly", "2030-11-15");
    scene.run_at(AT).expect(0);
    scene.dues(&["cancel", "may", "--at-period-end"]).expect(0);
    send(&scene);
    scene.run_at("2031-01-20T09:00:00+07:00").expect(0);
    send(&scene);
    let ends: Vec<_> =
        told(&scene).into_iter().filter(|key| key.starts_with("subscription_canceled")).collect();
    assert_eq!(ends.len(), 1, "{:?}", told(&scene));
}

#[test]
fn a_decline_that_a_silent_try_mends_is_never_told() {
    let scene = scene(&[SILENT_PLANS, HOOK]);
    let who = import_one(&scene, "may", "monthly", "2030-11-15");
    scene.charges_meet("decline:insufficient_fund", Some(&who), Some(1));
    scene.run_at(AT).expect(0);
    send(&scene);
    assert_eq!(told(&scene), ["invoice_opened/may.0"], "the decline is held");
    assert!(
        messages(&scene).contains(&"declined/may.0.1 command waiting".to_owned()),
        "{:?}",
        messages(&scene)
    );
    scene.run_at("2030-11-22T10:00:00+07:00").expect(0);
    send(&scene);
    assert_eq!(told(&scene), ["invoice_opened/may.0", "invoice_paid/may.0"], "and moot once it is paid");
}

#[test]
fn a_trial_that_ends_is_told_once() {
    let scene = scene(&[SILENT_PLANS, HOOK]);
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::get("Asia/Bangkok").unwrap()).date();
    import_one(&scene, "may", "trying", &today.tomorrow().unwrap().to_string());
    send(&scene);
    send(&scene);
    assert_eq!(told(&scene), ["trial_ending/may"]);
}

#[test]
fn nobody_is_told_of_what_was_before_anybody_was_to_be() {
    let scene = hooked();
    let with_hook = std::fs::read_to_string(scene.path("dues.toml")).unwrap();
    scene.write("quiet.toml", &with_hook.replace(HOOK, ""));
    import_one(&scene, "may", "monthly", "2030-11-15");
    scene.dues(&["run-now", "--json", "--at", AT, "--config", "quiet.toml"]).expect(0);
    assert_eq!(messages(&scene), [""; 0], "nothing is written where nobody is told");
    send(&scene);
    assert_eq!(told(&scene), [""; 0]);
    scene.run_at("2030-12-20T09:00:00+07:00").expect(0);
    send(&scene);
    assert_eq!(told(&scene), ["invoice_opened/may.1", "invoice_paid/may.1"]);
}

/// A command that takes far longer than a run, and a run that does not notice.
#[test]
fn a_dead_receiver_delays_no_charge() {
    let dead = r#"
[notify.command]
program = ["/bin/sh", "-c", "exec sleep 600"]
timeout = "60s"

[schedule]
billing = "* * * * * *"
notifications = "* * * * * *"
"#;
    let scene = scene(&[crate::harness::PLANS, dead]);
    let rows: Vec<String> =
        scene.customers().iter().enumerate().map(|(n, who)| format!("s{n},{who},monthly\n")).collect();
    scene.import(&format!("id,customer,plan\n{}", rows.concat()));
    let daemon = scene.start(&["daemon"], &[]);
    let begun = Instant::now();
    while scene.ledger().len() < rows.len() {
        assert!(begun.elapsed() < Duration::from_secs(50), "charges wait for the receiver");
        std::thread::sleep(Duration::from_millis(50));
    }
    // Whoever hands a run over gets it at once, too.
    let handed = Instant::now();
    scene.dues(&["run-now", "--json"]).expect(0);
    assert!(handed.elapsed() < Duration::from_secs(20), "{:?}", handed.elapsed());
    daemon.kill();
}

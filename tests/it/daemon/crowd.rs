//! More news than the service can look after: whoever finds no place is asked, over HTTP, to come again.

use std::time::{Duration, Instant};

use serde_json::json;

use super::webhooks::{OLD, heard, leaves, ring, service, signed, until};
use crate::harness::{Scene, Setting};

/// News that wait at most, and those that are looked after meanwhile.
const MOST_TAKEN: u64 = 1_024 + 100 + 1;
/// The provider takes this long over each of them, one after the other: so many places become free on a slow machine.
const LATENCY: Duration = Duration::from_secs(2);

#[test]
fn who_finds_the_queue_full_is_asked_to_come_again_and_is_heard_then() {
    let scene = Scene::new(Setting { customers: 1, ..Setting::default() });
    let (child, _supervisor, addr) = service(&scene, &[OLD], "lost");
    let customer = scene.customers().remove(0);
    let news = |n: u64| {
        let data = json!({"object": "customer", "id": customer});
        let id = format!("evnt_test_{n}");
        json!({"object": "event", "id": id, "key": "customer.update", "livemode": false, "data": data})
            .to_string()
    };
    // Signed long ago: the provider is asked for each of them, and takes its time.
    scene.ask("POST", "/__sandbox/settings", "", &json!({"latency_ms": LATENCY.as_millis()}));
    let then = jiff::Timestamp::now().as_second() - 3_600;
    let rings = |n: u64| {
        let body = news(n);
        ring(&addr, &signed(OLD, then, body.as_bytes()), body.as_bytes())
    };
    let begun = Instant::now();
    let freed = || begun.elapsed().as_secs() / LATENCY.as_secs() + 1;
    let refused = (1..10 * MOST_TAKEN).find(|n| {
        let status = rings(*n);
        assert!([200, 503].contains(&status), "{status}");
        assert!(status == 503 || *n <= MOST_TAKEN + freed(), "{n} news were all taken");
        status == 503
    });
    let refused = refused.unwrap();
    assert!(refused > 1_024, "there were places left: {refused}");
    assert_eq!((heard(&addr, "taken"), heard(&addr, "full")), (refused - 1, 1));
    assert_eq!(rings(1), 200, "one that was taken is known, even now");
    assert_eq!(heard(&addr, "again"), 1);
    // The provider is quick again, a place is free, and the one who was refused is not taken for known.
    scene.ask("POST", "/__sandbox/settings", "", &json!({"latency_ms": 0}));
    until(&scene, "no place became free", || rings(refused) == 200);
    assert_eq!(heard(&addr, "taken"), refused);
    leaves(child);
}

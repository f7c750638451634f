//! A run that was asked for one subscription, or one customer, is about nobody else.

use crate::harness::{AT, Scene, Setting};

const A_MONTH_LATER: &str = "2030-12-20T09:00:00+07:00";

#[test]
fn a_narrowed_run_neither_asks_for_a_strangers_payment_nor_ends_it() {
    let scene = Scene::new(Setting { customers: 2, ..Setting::default() });
    let customers = scene.customers();
    let rows: Vec<_> = customers.iter().map(|id| format!("{id},monthly,sub-{id},2030-11-21\n")).collect();
    scene.import(&format!("customer,plan,id,starts\n{}", rows.concat()));
    scene.charges_meet("3ds", None, None);
    scene.run_at(AT).expect(0);
    let pending = || scene.ledger().iter().filter(|entry| entry.status == "pending").count();
    assert_eq!(pending(), 2);
    // By then `give_up` is over for both.
    let subscription = format!("sub-{}", customers[0]);
    for (only, left) in [(subscription.as_str(), 1), (&customers[0], 1), (&customers[1], 0)] {
        scene.dues(&["run-now", "--at", A_MONTH_LATER, "--only", only]).expect(0);
        assert_eq!(pending(), left, "{only}: {}", scene.story());
    }
}

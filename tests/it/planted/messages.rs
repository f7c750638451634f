//! The courses that bring bugs of the messages to light, judged by what a command was told.

use super::scenes::{Found, Plant};
use crate::harness::{AT, Scene};
use crate::messages::words::{HOOK, SILENT_PLANS, messages, scene, told};

fn one_due() -> (Scene, String) {
    let scene = scene(&[SILENT_PLANS, HOOK]);
    let who = scene.customers().remove(0);
    scene.import(&format!("id,customer,plan,starts\nmay,{who},monthly,2030-11-15\n"));
    (scene, who)
}

/// Declined, and mended by the next try within the silence.
pub fn a_decline_in_the_silence(plant: &Plant) -> Found {
    let (scene, who) = one_due();
    scene.charges_meet("decline:insufficient_fund", Some(&who), Some(1));
    for at in [AT, "2030-11-22T10:00:00+07:00"] {
        plant.run(&scene, at);
        plant.start(&scene, &["notify", "send"]).wait().expect(0);
    }
    let of_declines = told(&scene).into_iter().filter(|key| key.starts_with("declined"));
    let faults = of_declines.map(|key| format!("told of what was mended: {key}")).collect();
    Found { faults, scene }
}

/// Set to end with its period, and ended with it.
pub fn an_end_that_was_set_and_came(plant: &Plant) -> Found {
    let (scene, _) = one_due();
    plant.run(&scene, AT);
    plant.start(&scene, &["cancel", "may", "--at-period-end"]).wait().expect(0);
    plant.run(&scene, AT);
    plant.run(&scene, "2031-01-20T09:00:00+07:00");
    plant.start(&scene, &["notify", "send"]).wait().expect(0);
    let ends: Vec<_> =
        messages(&scene).into_iter().filter(|row| row.starts_with("subscription_canceled")).collect();
    let faults = if ends.len() == 1 { Vec::new() } else { vec![format!("told twice: {ends:?}")] };
    Found { faults, scene }
}

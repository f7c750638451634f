//! What the API shows of schedules and their occurrences.
//!
//! Promises: up to thirty coming days. Must never change a schedule.

use serde_json::{Value, json};

use super::lists::{List, Page};
use super::schedules::ScheduleStatus;
use crate::sandbox::state::ids::{self, Id};
use crate::sandbox::state::time;
use crate::sandbox::state::world::World;

/// Upcoming days that a schedule shows.
const DAYS_SHOWN: usize = 30;

/// The schedule at this place, as the API shows it.
pub fn view(world: &World, place: u32) -> Value {
    let schedule = world.schedules.at(place);
    let id = world.schedules.name(place);
    let made = world.schedules.id(place);
    let rhythm = &schedule.rhythm;
    let running = schedule.status == ScheduleStatus::Running;
    let coming = match schedule.next {
        Some((day, None)) => [vec![day], rhythm.days_after(Some(day), DAYS_SHOWN - 1)].concat(),
        Some((day, Some(occurrence))) => {
            let planned = world.occurrences.at(occurrence).on;
            [vec![day], rhythm.days_after(Some(planned), DAYS_SHOWN - 1)].concat()
        }
        None => Vec::new(),
    };
    let page = Page::first(world.now_ms());
    let owner = world.customers.at(schedule.customer);
    let card = schedule.card.or(owner.default_card).map(|card| world.cards.name(card));
    json!({
        "object": "schedule",
        "id": id,
        "livemode": false,
        "location": format!("/schedules/{id}"),
        "deleted": schedule.status == ScheduleStatus::Deleted,
        "status": schedule.status,
        "active": running,
        "state": if running { "Active" } else { "Pause" },
        "every": rhythm.every,
        "period": rhythm.period,
        "on": rhythm.on.show(),
        "in_words": rhythm.in_words(),
        "start_on": rhythm.start,
        "end_on": rhythm.end,
        "charge": {
            "object": "scheduled_charge",
            "id": ids::spell("rchg", world.seed, Id { ms: made.ms, place }),
            "livemode": false,
            "amount": schedule.amount,
            "currency": schedule.currency.code(),
            "customer": world.customers.name(schedule.customer),
            "card": card,
            "default_card": schedule.card.is_none(),
            "description": schedule.description,
            "metadata": {},
            "linked_account": null,
            "created_at": time::show(made.seconds()),
        },
        "occurrences": list_occurrences(world, place, &page),
        "next_occurrences_on": coming,
        "ended_at": schedule.ended_at.map(time::show),
        "execute_time": null,
        "deleted_by": null,
        "created_at": time::show(made.seconds()),
    })
}

/// The occurrence at this place, as the API shows it.
pub fn view_occurrence(world: &World, place: u32) -> Value {
    let occurrence = world.occurrences.at(place);
    let id = world.occurrences.name(place);
    json!({
        "object": "occurrence",
        "id": id,
        "livemode": false,
        "location": format!("/occurrences/{id}"),
        "schedule": world.schedules.name(occurrence.schedule),
        "result": occurrence.charge.map(|charge| world.charges.name(charge)),
        "status": if occurrence.good { "successful" } else { "failed" },
        "message": occurrence.message,
        "scheduled_on": occurrence.on,
        "retry_on": occurrence.retry_on,
        "processed_at": time::show(occurrence.processed_at),
        "execute_time": null,
        "split_metadata": null,
        "transfer_amount": 0,
        "created_at": time::show(world.occurrences.id(place).seconds()),
    })
}

/// `GET /schedules/{id}/occurrences`, and the list embedded in a schedule.
pub fn list_occurrences(world: &World, place: u32, page: &Page) -> List<Value> {
    let location = format!("/schedules/{}/occurrences", world.schedules.name(place));
    let all = &world.schedules.at(place).occurrences;
    let inside: Vec<u32> = all
        .iter()
        .copied()
        .filter(|place| (page.from..=page.to).contains(&world.occurrences.id(*place).seconds()))
        .collect();
    List::of(&inside, page, location, |place| view_occurrence(world, place))
}

/// `GET /customers/{id}/schedules`.
pub fn list_of(world: &World, customer: u32, page: &Page) -> List<Value> {
    let location = format!("/customers/{}/schedules", world.customers.name(customer));
    let window = world.schedules.window(page.from, page.to);
    let own = |place: &u32| world.schedules.at(*place).customer == customer;
    let inside: Vec<u32> = window.iter().copied().filter(own).collect();
    List::of(&inside, page, location, |place| view(world, place))
}

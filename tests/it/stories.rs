//! Stories as text tables: what a customer's bank did, what the run then made of it, and what follows day by day.
//!
//! Each story is played by the real binary against the sandbox. A row says what happens before a run, the run's
//! instant, and how everything stands after it; the whole table is compared at once, so that a difference shows the
//! course it belongs to.

mod play;

use play::play;

#[test]
fn outcomes_and_what_follows_them() {
    play(include_str!("stories/outcomes.txt"));
}

#[test]
fn doubt_and_how_it_ends() {
    play(include_str!("stories/doubt.txt"));
}

#[test]
fn cards_that_cannot_be_charged() {
    play(include_str!("stories/cards.txt"));
}

#[test]
fn outages_and_wrong_clocks() {
    play(include_str!("stories/outages.txt"));
}

#[test]
fn kinds_of_declines_and_policies() {
    play(include_str!("stories/declines.txt"));
}

#[test]
fn people_and_time() {
    play(include_str!("stories/people.txt"));
}

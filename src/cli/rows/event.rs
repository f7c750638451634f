//! A line of the diary as a row.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Row, clip, or_dash, raw, rfc3339};
use crate::cli::output::Column;
use crate::model::{Event, EventKind, PlanVersion, Zone};

/// A line of the diary.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct EventLine {
    pub(in crate::cli) seq: i64,
    pub(in crate::cli) at: String,
    pub(in crate::cli) kind: EventKind,
    pub(in crate::cli) subscription: Option<String>,
    pub(in crate::cli) invoice: Option<String>,
    pub(in crate::cli) customer: Option<String>,
    pub(in crate::cli) data: Option<Box<RawValue>>,
    /// The same for people.
    #[serde(skip)]
    told: String,
}

impl EventLine {
    pub(in crate::cli) fn of(event: &Event, zone: &Zone) -> Self {
        Self {
            seq: event.seq,
            at: rfc3339(event.at, zone),
            kind: event.kind,
            subscription: event.subscription.as_ref().map(ToString::to_string),
            invoice: event.invoice.as_ref().map(ToString::to_string),
            customer: event.customer.as_ref().map(ToString::to_string),
            data: raw(event.data.as_deref()),
            told: data_told(event, zone, None),
        }
    }
}

/// What a line of the diary adds, for people: instants on the zone's clocks, a plan by its name. `plan`: the version that
/// the subscription has now, so far as it is known; older lines of the diary name theirs by a number of the book's own,
/// which says nothing to anybody else.
pub(in crate::cli) fn data_told(event: &Event, zone: &Zone, plan: Option<&PlanVersion>) -> String {
    let Some(text) = event.data.as_deref() else { return String::new() };
    let Ok(mut data) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    if let (EventKind::SubscriptionCreated, Some(fields)) = (event.kind, data.as_object_mut())
        && let Some(row) = fields.get("plan").and_then(Value::as_i64)
    {
        fields.remove("plan");
        if let Some(plan) = plan.filter(|plan| plan.id.0 == row) {
            fields.insert("plan".into(), plan.key.to_string().into());
            fields.insert("version".into(), plan.version.into());
        }
    }
    let texts = data.as_object_mut().into_iter().flat_map(|fields| fields.values_mut());
    for value in texts {
        // The book's own instants end so; anything else that a person wrote is let alone.
        let instant = value.as_str().filter(|text| text.ends_with('Z'));
        if let Some(at) = instant.and_then(|text| text.parse::<Timestamp>().ok()) {
            *value = zone.told(at).into();
        }
    }
    data.to_string()
}

impl Row for EventLine {
    const COLUMNS: &'static [Column] = &[
        Column::number("SEQ"),
        Column::text("AT"),
        Column::text("KIND"),
        Column::text("OF"),
        Column::text("CUSTOMER"),
        Column::text("DATA"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            self.seq.to_string(),
            clip(Some(&self.at)),
            self.kind.to_string(),
            or_dash(self.invoice.as_ref().or(self.subscription.as_ref())),
            or_dash(self.customer.as_ref()),
            self.told.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DunningPolicy, EndAction, PlanKey, PlanTerms, PlanVersionId, RetrySchedule};

    fn plan(id: i64) -> PlanVersion {
        let ladder = RetrySchedule::Ladder(Vec::new());
        let terms = PlanTerms {
            name: "Pro".into(),
            price: "990.00 THB".parse().unwrap(),
            every: "month".parse().unwrap(),
            trial: None,
            description: None,
            dunning: DunningPolicy::plain("standard".into(), ladder, None, EndAction::Pause),
        };
        PlanVersion { id: PlanVersionId(id), key: PlanKey::parse("pro").unwrap(), version: 2, terms }
    }

    fn told(kind: EventKind, data: &str, plan: Option<&PlanVersion>) -> Value {
        let event = Event {
            seq: 1,
            at: Timestamp::UNIX_EPOCH,
            kind,
            subscription: None,
            invoice: None,
            customer: None,
            data: Some(data.into()),
        };
        let zone = Zone::parse("Asia/Bangkok").unwrap();
        serde_json::from_str(&data_told(&event, &zone, plan)).unwrap()
    }

    #[test]
    fn instants_are_told_on_the_zones_clocks_and_words_of_people_as_they_are() {
        let data = r#"{"cancel_at":"2027-02-21T17:00:00Z","reason":"moved to A-Z","n":3}"#;
        assert_eq!(
            told(EventKind::CancelScheduled, data, None),
            serde_json::json!({ "cancel_at": "2027-02-22T00:00:00+07:00", "reason": "moved to A-Z", "n": 3 })
        );
    }

    #[test]
    fn a_plan_is_told_by_its_name_and_never_by_a_number_of_the_books() {
        let (old, new) = (r#"{"plan":3,"quantity":1}"#, r#"{"plan":"pro","version":2,"quantity":1}"#);
        let created = EventKind::SubscriptionCreated;
        let whole: Value = serde_json::from_str(new).unwrap();
        assert_eq!(told(created, new, None), whole);
        assert_eq!(told(created, old, Some(&plan(3))), whole);
        // Changed since: which one it was at first is not known here.
        for other in [Some(plan(4)), None] {
            assert_eq!(told(created, old, other.as_ref()), serde_json::json!({ "quantity": 1 }));
        }
    }
}

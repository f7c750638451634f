//! Subscriptions: rows in, rows out.

use rusqlite::{OptionalExtension as _, Row, params};

use super::book::Book;
use super::cache::KnownSubscription;
use super::codes::Coded as _;
use super::columns::{Reader, anchor as anchor_word, days, seconds};
use super::fault::{Fault, Outcome};
use super::hot::Hot;
use crate::model::{BackupCard, Pause, PlanVersionId, Subscription, SubscriptionId, Version, Zone};

/// The columns that `subscription_of` reads, by `SUBSCRIPTION_FROM`.
pub(super) const SUBSCRIPTION: &str = "s.row, s.id, c.id, s.plan, s.status, s.quantity, s.zone, s.starts, s.anchor, \
    s.anchor_index, s.next_index, k.id, s.cancel_at, s.paused_since, s.paused_until, s.paused_by, s.ended_at, \
    s.wake_at, s.created_at, s.metadata, s.version, s.backup, s.customer";
/// How many they are: a query may ask for more behind them.
pub(super) const SUBSCRIPTION_WIDTH: usize = 23;
pub(super) const SUBSCRIPTION_FROM: &str = "subscriptions s JOIN customers c ON c.row = s.customer \
    LEFT JOIN cards k ON k.row = (s.customer << 16) | s.card";

const INSERT: &str = "INSERT INTO subscriptions (id, customer, plan, status, quantity, zone, starts, anchor, \
    anchor_index, next_index, card, cancel_at, paused_since, paused_until, paused_by, ended_at, wake_at, created_at, \
    metadata, version, backup) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)";
/// What a charge changes of it: nothing else is written, or looked at by a CHECK.
const MOVE: &str = "UPDATE subscriptions SET status = ?3, next_index = ?4, wake_at = ?5, version = ?6 \
    WHERE row = ?1 AND version = ?2";
/// The usual update otherwise: what points at other rows stays, which spares looking those up.
const UPDATE_OWN: &str = "UPDATE subscriptions SET status = ?4, quantity = ?5, starts = ?7, \
    anchor = ?8, anchor_index = ?9, next_index = ?10, card = ?11, cancel_at = ?12, paused_since = ?13, \
    paused_until = ?14, paused_by = ?15, ended_at = ?16, wake_at = ?17, metadata = ?18, version = ?19, \
    backup = ?20 WHERE row = ?1 AND version = ?2 AND plan = ?3 AND zone = ?6";
const UPDATE: &str = "UPDATE subscriptions SET plan = ?3, status = ?4, quantity = ?5, zone = ?6, starts = ?7, \
    anchor = ?8, anchor_index = ?9, next_index = ?10, card = ?11, cancel_at = ?12, paused_since = ?13, \
    paused_until = ?14, paused_by = ?15, ended_at = ?16, wake_at = ?17, metadata = ?18, version = ?19, \
    backup = ?20 WHERE row = ?1 AND version = ?2";

impl Book {
    /// Where that subscription lies; `None`: no such id.
    pub(super) fn find_subscription(&self, id: &SubscriptionId) -> Outcome<Option<KnownSubscription>> {
        let known = self.cache.borrow_mut().subscription(id);
        if known.is_some() {
            return Ok(known);
        }
        let mut find = self.sql(
            "SELECT s.row, s.customer, c.id FROM subscriptions s JOIN customers c ON c.row = s.customer WHERE s.id = ?1",
        )?;
        let mut rows = find.query([id.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let reader = Reader::new("subscriptions", row)?;
        let known = KnownSubscription {
            row: reader.key,
            customer_row: reader.integer(1)?,
            customer: reader.customer_id(2)?,
            read: None,
        };
        self.cache.borrow_mut().keep_subscription(id.clone(), known.clone());
        Ok(Some(known))
    }

    /// The same for a write, where an absent row means that the writer saw another book.
    pub(super) fn known_subscription(&self, id: &SubscriptionId) -> Outcome<KnownSubscription> {
        self.find_subscription(id)?.ok_or_else(|| Fault::conflict(format_args!("subscription {id}")))
    }

    /// One row of `SUBSCRIPTION`.
    pub(super) fn subscription_of(&self, row: &Row<'_>) -> Outcome<Subscription> {
        let r = Reader::new("subscriptions", row)?;
        let id = SubscriptionId::parse(r.raw(1)?.as_str().map_err(rusqlite::Error::from)?)
            .map_err(|e| r.nonsense(e, "a subscription id"))?;
        let starts = r.day(7)?;
        let (anchor, anchor_at) = r.maybe_anchor(8)?.unwrap_or((starts, None));
        let pause = match r.maybe_instant(13)? {
            Some(since) => Some(Pause { since, until: r.maybe_instant(14)?, by: r.word(15)? }),
            None => None,
        };
        Ok(Subscription {
            id,
            customer: r.customer_id(2)?,
            plan: PlanVersionId(r.integer(3)?),
            status: r.word(4)?,
            quantity: r.quantity(5)?,
            zone: self.zone_at(r.integer(6)?)?,
            starts,
            anchor,
            anchor_at,
            anchor_index: r.count(9)?,
            next_index: r.count(10)?,
            card: r.maybe_card_id(11)?,
            backup: backup_of(&r)?,
            cancel_at: r.maybe_instant(12)?,
            pause,
            ended_at: r.maybe_instant(16)?,
            wake_at: r.maybe_instant(17)?,
            created_at: r.instant(18)?,
            metadata: r.get::<Option<std::sync::Arc<str>>>(19)?,
            version: r.version(20)?,
        })
    }

    /// Makes the row, and its customer's if there is none.
    pub(super) fn insert_subscription(&self, s: &Subscription) -> Outcome<i64> {
        let customer_row = self.customer_row_or_new(&s.customer)?;
        let card = s.card.as_ref().map(|card| self.slot_or_new(customer_row, card)).transpose()?;
        let inserted = self.sql(INSERT)?.insert(params![
            s.id.as_str(),
            customer_row,
            s.plan.0,
            s.status.code(),
            s.quantity.get(),
            self.zone_row_or_new(&s.zone)?,
            days(s.starts),
            anchor_of(s),
            s.anchor_index,
            s.next_index,
            card,
            s.cancel_at.map(seconds),
            s.pause.map(|p| seconds(p.since)),
            s.pause.and_then(|p| p.until).map(seconds),
            s.pause.map(|p| p.by.code()),
            s.ended_at.map(seconds),
            s.wake_at.map(seconds),
            seconds(s.created_at),
            s.metadata.as_deref(),
            s.version.0,
            backup(s.backup),
        ]);
        let row = match inserted.map_err(Fault::from) {
            Err(fault) if fault.is_duplicate() => {
                return Err(Fault::conflict(format_args!("subscription {}", s.id)));
            }
            other => other?,
        };
        let known = KnownSubscription { row, customer_row, customer: s.customer.clone(), read: None };
        self.cache.borrow_mut().keep_subscription(s.id.clone(), known);
        Ok(row)
    }

    /// Writes the row, expecting `s.version` in the book.
    pub(super) fn update_subscription(&self, hot: &Hot<'_>, s: &Subscription) -> Outcome<()> {
        let known = self.known_subscription(&s.id)?;
        if known.customer != s.customer {
            return Err(Fault::broken(format!(
                "subscription {} keeps its customer {}",
                s.id, known.customer
            )));
        }
        let conflict = || Fault::conflict(format_args!("subscription {}", s.id));
        let expected = self.expected("subscriptions", known.row, s.version)?;
        if known.read.is_some_and(|read| only_moved(&read, s)) {
            let wake = s.wake_at.map(seconds);
            let values = params![known.row, expected, s.status.code(), s.next_index, wake, next(s.version)];
            return if hot.execute(MOVE, values)? == 0 { Err(conflict()) } else { Ok(()) };
        }
        let card = s.card.as_ref().map(|card| self.slot_or_new(known.customer_row, card)).transpose()?;
        let zone = self.zone_row_or_new(&s.zone)?;
        let values = params![
            known.row,
            expected,
            s.plan.0,
            s.status.code(),
            s.quantity.get(),
            zone,
            days(s.starts),
            anchor_of(s),
            s.anchor_index,
            s.next_index,
            card,
            s.cancel_at.map(seconds),
            s.pause.map(|p| seconds(p.since)),
            s.pause.and_then(|p| p.until).map(seconds),
            s.pause.map(|p| p.by.code()),
            s.ended_at.map(seconds),
            s.wake_at.map(seconds),
            s.metadata.as_deref(),
            next(s.version),
            backup(s.backup),
        ];
        let own = hot.execute(UPDATE_OWN, values)?;
        let changed = if own == 0 { hot.execute(UPDATE, values)? } else { own };
        if changed == 0 { Err(conflict()) } else { Ok(()) }
    }

    /// The zone of that row.
    pub(super) fn zone_at(&self, row: i64) -> Outcome<Zone> {
        if let Some(zone) = self.cache.borrow().zone(row) {
            return Ok(zone);
        }
        let mut find = self.sql("SELECT row, name FROM zones WHERE row = ?1")?;
        let mut rows = find.query([row])?;
        let found = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let reader = Reader::new("zones", found)?;
        let name: String = reader.get(1)?;
        let zone = Zone::parse(&name).map_err(|_| reader.nonsense(&name, "an IANA zone"))?;
        self.cache.borrow_mut().keep_zone(row, zone.clone());
        Ok(zone)
    }

    /// The row of that zone, made if there is none.
    pub(super) fn zone_row_or_new(&self, zone: &Zone) -> Outcome<i64> {
        if let Some(row) = self.cache.borrow().zone_row(zone) {
            return Ok(row);
        }
        let found = self
            .sql("SELECT row FROM zones WHERE name = ?1")?
            .query_row([zone.name()], |row| row.get(0))
            .optional()?;
        let row = match found {
            Some(row) => row,
            None => self.sql("INSERT INTO zones (name) VALUES (?1)")?.insert([zone.name()])?,
        };
        self.cache.borrow_mut().keep_zone(row, zone.clone());
        Ok(row)
    }
}

/// Whether the row was read at the version that `now` expects, and `now` differs from it in nothing but what [`MOVE`] writes.
fn only_moved(read: &Subscription, now: &Subscription) -> bool {
    // Named one by one, so that a new field cannot be forgotten here.
    let Subscription {
        id,
        customer,
        plan,
        status: _,
        quantity,
        zone,
        starts,
        anchor,
        anchor_at,
        anchor_index,
        next_index: _,
        card,
        backup,
        cancel_at,
        pause,
        ended_at,
        wake_at: _,
        created_at,
        metadata,
        version,
    } = read;
    (*version, *plan, *quantity, *anchor_index) == (now.version, now.plan, now.quantity, now.anchor_index)
        && (*starts, *anchor, *created_at) == (now.starts, now.anchor, now.created_at)
        && *anchor_at == now.anchor_at
        && (*backup, *cancel_at, *pause, *ended_at) == (now.backup, now.cancel_at, now.pause, now.ended_at)
        && (id, customer, zone) == (&now.id, &now.customer, &now.zone)
        && (card, metadata) == (&now.card, &now.metadata)
}

/// Nothing: as `starts`.
fn anchor_of(s: &Subscription) -> Option<i64> {
    (s.anchor != s.starts || s.anchor_at.is_some()).then(|| anchor_word(s.anchor, s.anchor_at))
}

/// Nothing: not agreed; 0: agreed; n + 1: called for invoice n.
fn backup(card: BackupCard) -> Option<i64> {
    match card {
        BackupCard::No => None,
        BackupCard::Agreed => Some(0),
        BackupCard::Called(index) => Some(i64::from(index) + 1),
    }
}

fn backup_of(r: &Reader<'_, '_>) -> Outcome<BackupCard> {
    Ok(match r.get::<Option<u32>>(21)? {
        None => BackupCard::No,
        Some(0) => BackupCard::Agreed,
        Some(next) => BackupCard::Called(next - 1),
    })
}

/// The version that a write leaves behind.
pub(super) fn next(version: Version) -> u32 {
    version.next().0
}

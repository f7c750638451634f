//! Is the book whole? SQLite's own checks, then the promises of ours that no constraint can hold.

use super::book::Book;
use super::codes::Coded as _;
use super::fault::Outcome;
use crate::model::{AttemptId, IdempotencyKey, InvoiceId, SubscriptionId, SubscriptionStatus};

/// Complaints of one check that are told one by one.
const MOST_COMPLAINTS: usize = 20;

/// A promise and the rows that break it: each query answers the name of a row.
const PROMISES: &[(&str, &str)] = &[
    (
        "is paid, but none of its attempts succeeded and nobody settled it by hand",
        "SELECT 'invoice ' || s.id || '.' || v.idx FROM invoices v JOIN subscriptions s ON s.row = v.subscription \
         WHERE v.status = 1 AND NOT EXISTS (SELECT 1 FROM attempts a \
         WHERE a.row BETWEEN v.row << 16 AND (v.row << 16) | 65535 AND a.status = 1) \
         AND NOT EXISTS (SELECT 1 FROM event_data d JOIN events e ON e.seq = d.seq \
         WHERE e.kind = 1 AND e.subscription = v.subscription AND e.idx = v.idx)",
    ),
    (
        "succeeded, but its invoice is open",
        "SELECT 'attempt ' || s.id || '.' || v.idx || '.' || a.number FROM invoices v INDEXED BY invoices_open \
         CROSS JOIN attempts a ON a.row BETWEEN v.row << 16 AND (v.row << 16) | 65535 \
         JOIN subscriptions s ON s.row = v.subscription WHERE v.status = 0 AND a.status = 1",
    ),
    (
        "is unfinished, but has no intent",
        "SELECT 'attempt ' || s.id || '.' || v.idx || '.' || a.number FROM attempts a \
         INDEXED BY attempts_one_unfinished JOIN invoices v ON v.row = a.row >> 16 \
         JOIN subscriptions s ON s.row = v.subscription \
         WHERE a.status NOT BETWEEN 1 AND 5 AND NOT EXISTS (SELECT 1 FROM intents i WHERE i.attempt = a.row)",
    ),
    (
        "is final, but has an intent still",
        "SELECT 'attempt ' || s.id || '.' || v.idx || '.' || a.number FROM intents i \
         CROSS JOIN attempts a ON a.row = i.attempt JOIN invoices v ON v.row = a.row >> 16 \
         JOIN subscriptions s ON s.row = v.subscription WHERE a.status BETWEEN 1 AND 5",
    ),
    (
        "has an invoice for a period that it is still to open",
        "SELECT 'subscription ' || s.id FROM subscriptions s WHERE s.next_index <= \
         (SELECT max(v.idx) FROM invoices v WHERE v.subscription = s.row)",
    ),
    (
        "waits for a retry, but nobody will ever look at it",
        "SELECT 'invoice ' || s.id || '.' || v.idx FROM invoices v INDEXED BY invoices_open \
         CROSS JOIN subscriptions s ON s.row = v.subscription WHERE v.status = 0 AND v.next_attempt_at IS NOT NULL \
         AND s.wake_at IS NULL",
    ),
    (
        "has neither an invoice nor a skip for a period before its next one",
        "SELECT 'subscription ' || s.id FROM subscriptions s WHERE s.next_index <> \
         (SELECT count(*) FROM invoices v WHERE v.subscription = s.row) + \
         (SELECT coalesce(sum(k.to_idx - k.from_idx), 0) FROM skips k WHERE k.subscription = s.row)",
    ),
    (
        "names a card that its customer never had",
        "SELECT 'subscription ' || s.id FROM subscriptions s WHERE s.card IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM cards k WHERE k.row = (s.customer << 16) | s.card)",
    ),
    (
        "is missing from the diary",
        "SELECT 'event ' || (e.seq + 1) FROM events e WHERE e.seq < (SELECT max(seq) FROM events) \
         AND NOT EXISTS (SELECT 1 FROM events n WHERE n.seq = e.seq + 1)",
    ),
];

impl Book {
    /// As `Store::verify` says.
    pub(super) fn verify(&self, progress: &mut dyn FnMut(u64, u64)) -> Outcome<Vec<String>> {
        let total = PROMISES.len() as u64 + 4;
        let mut complaints = Vec::new();
        let mut done = 0;
        let mut step = |complaints: &mut Vec<String>, found: Vec<String>| {
            complaints.extend(found);
            done += 1;
            progress(done, total);
        };
        let integrity = self.texts("PRAGMA integrity_check(20)", |text| text != "ok")?;
        step(
            &mut complaints,
            integrity.into_iter().map(|text| format!("the file is damaged: {text}")).collect(),
        );
        let dangling = self.texts(
            "SELECT \"table\" || ' row ' || coalesce(rowid, '?') || ' points at a missing row of ' || parent \
             FROM pragma_foreign_key_check LIMIT 20",
            |_| true,
        )?;
        step(&mut complaints, dangling);
        step(&mut complaints, self.foreign_keys_of_ours()?);
        step(&mut complaints, self.sleepers()?);
        for (sentence, query) in PROMISES {
            let mut found = self.texts(&format!("{query} LIMIT {}", MOST_COMPLAINTS + 1), |_| true)?;
            let more = found.len() > MOST_COMPLAINTS;
            found.truncate(MOST_COMPLAINTS);
            let mut told: Vec<_> = found.iter().map(|which| format!("{which} {sentence}")).collect();
            if more {
                told.push(format!("more rows: {sentence}"));
            }
            step(&mut complaints, told);
        }
        Ok(complaints)
    }

    fn texts(&self, sql: &str, wanted: impl Fn(&str) -> bool) -> Outcome<Vec<String>> {
        let mut find = self.conn.prepare(sql)?;
        let rows = find.query_map([], |row| row.get::<_, String>(0))?;
        let all: Vec<String> = rows.collect::<Result<_, _>>()?;
        Ok(all.into_iter().filter(|text| wanted(text)).collect())
    }

    /// Every stored key is the one derived from its attempt's id.
    fn foreign_keys_of_ours(&self) -> Outcome<Vec<String>> {
        let mut find = self.conn.prepare(
            "SELECT s.id, v.idx, a.number, i.key FROM intents i CROSS JOIN attempts a ON a.row = i.attempt \
             JOIN invoices v ON v.row = a.row >> 16 JOIN subscriptions s ON s.row = v.subscription",
        )?;
        let mut rows = find.query([])?;
        let mut complaints = Vec::new();
        while let Some(row) = rows.next()? {
            let (text, key): (String, [u8; 16]) = (row.get(0)?, row.get(3)?);
            let Ok(subscription) = SubscriptionId::parse(&text) else {
                complaints.push(format!("subscription {text:?} has an id that is none"));
                continue;
            };
            let id = AttemptId::new(InvoiceId::new(subscription, row.get(1)?), row.get(2)?);
            if IdempotencyKey::derive(self.installation, &id) != IdempotencyKey(key)
                && complaints.len() < MOST_COMPLAINTS
            {
                complaints.push(format!("attempt {id} has a key that does not follow from its id"));
            }
        }
        Ok(complaints)
    }

    /// Subscriptions that are billed but that nobody will ever look at, while no invoice of theirs is open.
    fn sleepers(&self) -> Outcome<Vec<String>> {
        let billed = [SubscriptionStatus::Trialing, SubscriptionStatus::Active]
            .map(|s| s.code().to_string())
            .join(", ");
        self.texts(
            &format!(
                "SELECT 'subscription ' || s.id || ' is to be billed, but nobody will ever look at it' \
                 FROM subscriptions s WHERE s.wake_at IS NULL AND s.status IN ({billed}) AND NOT EXISTS \
                 (SELECT 1 FROM invoices v INDEXED BY invoices_open WHERE v.subscription = s.row AND v.status = 0) \
                 LIMIT {MOST_COMPLAINTS}"
            ),
            |_| true,
        )
    }
}

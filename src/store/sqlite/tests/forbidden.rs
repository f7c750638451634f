//! The schema holds what the code promises: each forbidden write is tried in plain SQL and refused.

use super::*;
use crate::model::AttemptStatus;
use crate::store::Store as _;
use crate::store::conformance::samples::*;

/// A book with subscription 0 paid once, 1 intended, 2 in doubt.
fn book_with_attempts() -> (TempDir, PathBuf) {
    let (folder, path, mut store) = new_book();
    fill(&mut store, 4);
    let epoch = begin(&mut store);
    charge_once(&mut store, 0, epoch, at(0));
    for n in [1, 2] {
        let before = snapshot(&mut store, n);
        let opened = intent(&mut store, &before, epoch, at(1));
        accept(&mut store, opened);
    }
    let doubtful = snapshot(&mut store, 2);
    accept(&mut store, ended(&doubtful, epoch, AttemptStatus::InDoubt, at(2)));
    (folder, path)
}

#[test]
fn forbidden_writes_are_refused() {
    let (_folder, path) = book_with_attempts();
    let conn = raw(&path);
    let columns =
        "subscription, idx, start, seconds, plan, quantity, amount, currency, status, opened_after, version";
    let invoice = |values: &str| format!("INSERT INTO invoices ({columns}) VALUES ({values})");
    let attempt = |row: &str, rest: &str| {
        format!(
            "INSERT INTO attempts (row, status, intended_after, resolved_after, charge) VALUES ({row}, {rest})"
        )
    };
    let writes = [
        ("a second invoice for one period", invoice("1, 0, 0, 9, 1, 1, 99, 0, 0, 0, 1")),
        ("an invoice of nothing", invoice("1, 1, 0, 9, 1, 1, 0, 0, 0, 0, 1")),
        ("an invoice below nothing", invoice("1, 1, 0, 9, 1, 1, -5, 0, 0, 0, 1")),
        ("an invoice of no subscription", invoice("77, 0, 0, 9, 1, 1, 99, 0, 0, 0, 1")),
        ("an invoice of no plan", invoice("1, 1, 0, 9, 77, 1, 99, 0, 0, 0, 1")),
        ("an invoice in no known state", invoice("1, 1, 0, 9, 1, 1, 99, 0, 4, 0, 1")),
        ("an invoice in no known currency", invoice("1, 1, 0, 9, 1, 1, 99, 14, 0, 0, 1")),
        ("an amount that is a text", invoice("1, 1, 0, 9, 1, 1, 'much', 0, 0, 0, 1")),
        ("a period that ends as it starts", invoice("1, 1, 0, 0, 1, 1, 99, 0, 0, 0, 1")),
        ("a closed invoice without its moment", "UPDATE invoices SET status = 2 WHERE row = 2".into()),
        ("a moved period", "UPDATE invoices SET start = start + 1".into()),
        ("a longer period", "UPDATE invoices SET seconds = seconds + 1".into()),
        ("another amount", "UPDATE invoices SET amount = amount + 1".into()),
        ("another currency", "UPDATE invoices SET currency = 1".into()),
        ("an invoice thrown away", "DELETE FROM invoices WHERE row = 3".into()),
        ("attempt number 0", attempt("2 << 16", "4, 0, 0, NULL")),
        ("an attempt of no invoice", attempt("77 << 16 | 1", "4, 0, 0, NULL")),
        ("an attempt in no known state", attempt("1 << 16 | 2", "9, 0, 0, NULL")),
        ("one attempt number twice", attempt("1 << 16 | 1", "4, 0, 0, NULL")),
        ("a second unfinished attempt", attempt("2 << 16 | 2", "0, 0, NULL, NULL")),
        ("a second unfinished attempt beside doubt", attempt("3 << 16 | 2", "6, 0, NULL, NULL")),
        ("a second success", attempt("1 << 16 | 2", "1, 0, 0, 'chrg_2'")),
        ("a success without a charge", attempt("2 << 16 | 2", "1, 0, 0, NULL")),
        ("a final attempt without its moment", attempt("1 << 16 | 2", "2, 0, NULL, NULL")),
        ("a success that was none", "UPDATE attempts SET status = 2 WHERE status = 1".into()),
        ("a success that begins again", "UPDATE attempts SET status = 0, resolved_after = NULL WHERE status = 1".into()),
        ("a success with another charge", "UPDATE attempts SET charge = 'chrg_x' WHERE status = 1".into()),
        ("an attempt thrown away", "DELETE FROM attempts".into()),
        ("another body", "UPDATE intents SET body = '{}'".into()),
        ("another key", "UPDATE intents SET key = zeroblob(16)".into()),
        (
            "one key twice",
            "INSERT INTO intents (attempt, key, body, epoch, intended_at, wall_at) \
             SELECT 1 << 16 | 1, key, body, epoch, intended_at, wall_at FROM intents LIMIT 1"
                .into(),
        ),
        ("an intent of no attempt", "UPDATE intents SET attempt = 5".into()),
        ("an intent thrown away while nobody knows", "DELETE FROM intents".into()),
        ("another plan's terms", "UPDATE plan_versions SET terms = '{}'".into()),
        ("a plan version thrown away", "DELETE FROM plan_versions".into()),
        ("one subscription id twice", "INSERT INTO subscriptions SELECT 99, id, customer, plan, status, quantity, zone, starts, anchor, anchor_index, next_index, card, cancel_at, paused_since, paused_until, paused_by, ended_at, wake_at, created_at, metadata, version, backup FROM subscriptions LIMIT 1".into()),
        ("a subscription in no known state", "UPDATE subscriptions SET status = 6".into()),
        ("a subscription of nothing", "UPDATE subscriptions SET quantity = 0".into()),
        ("a subscription of somebody else", "UPDATE subscriptions SET customer = 2".into()),
        ("a subscription on no plan", "UPDATE subscriptions SET plan = 77".into()),
        ("a subscription thrown away", "DELETE FROM subscriptions".into()),
        ("another diary", "UPDATE events SET at = 0".into()),
        ("a page torn from the diary", "DELETE FROM events WHERE seq = 1".into()),
        ("more about no event", "INSERT INTO event_data (seq, data) VALUES (99, '{}')".into()),
        ("an event of no known kind", "INSERT INTO events (at, kind) VALUES (0, 99)".into()),
        ("a flag of no known reason", "INSERT INTO flags (subscription, reason, since, detail) VALUES (1, 'x', 0, '')".into()),
        ("a skip of nothing", "INSERT INTO skips (subscription, from_idx, to_idx, reason, at) VALUES (1, 5, 5, 'paused', 0)".into()),
        ("another installation", "UPDATE book SET installation = zeroblob(16)".into()),
        ("a second book in the file", "INSERT INTO book (one, installation, created_at) VALUES (2, zeroblob(16), 0)".into()),
        ("an epoch that falls", "UPDATE book SET epoch = 0".into()),
    ];
    for (what, sql) in &writes {
        let answer = conn.execute(sql, []).map_err(|e| e.sqlite_error_code());
        assert_eq!(answer, Err(Some(rusqlite::ErrorCode::ConstraintViolation)), "{what}: {sql}");
    }
    // What is allowed shows that the writes above were refused for what they are, not for their spelling.
    for sql in [
        invoice("4, 1, 0, 9, 1, 1, 99, 0, 0, 0, 1"),
        attempt("1 << 16 | 2", "4, 0, 0, NULL"),
        "UPDATE subscriptions SET quantity = 2, status = 5".into(),
        "INSERT INTO events (at, kind) VALUES (0, 23)".into(),
    ] {
        assert!(conn.execute(&sql, []).is_ok(), "{sql}");
    }
}

#[test]
fn an_attempt_that_ends_takes_its_intent_along() {
    let (_folder, path) = book_with_attempts();
    let conn = raw(&path);
    let intents = || conn.query_row("SELECT count(*) FROM intents", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(intents(), 2);
    conn.execute("UPDATE attempts SET status = 5, resolved_after = 9 WHERE status = 7", []).unwrap();
    assert_eq!(intents(), 1);
}

#[test]
fn a_book_keeps_its_mode() {
    let (_folder, path, mut store) = new_book();
    store.bind_mode(true).unwrap();
    assert!(raw(&path).execute("UPDATE book SET livemode = 0", []).is_err());
    assert!(raw(&path).execute("UPDATE book SET livemode = NULL", []).is_err());
}

#[test]
fn people_can_read_the_book_with_plain_sql() {
    let (_folder, path) = book_with_attempts();
    let conn = raw(&path);
    let row = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(row("SELECT customer FROM v_customers WHERE row = 3"), customer(2).to_string());
    assert_eq!(
        row(
            "SELECT attempt || ' ' || status || ' ' || amount || ' ' || currency || ' ' || charge || ' ' || resolved_at \
             FROM v_attempts WHERE status = 'succeeded'"
        ),
        format!("sub_00000000.0.1 succeeded 99000 THB {} 2026-01-01T05:00:00Z", charge(0))
    );
    assert_eq!(
        row(
            "SELECT invoice || ' ' || status || ' ' || period_start || ' ' || period_end FROM v_invoices WHERE row = 1"
        ),
        "sub_00000000.0 paid 2026-01-01T05:00:00Z 2026-01-31T05:00:00Z"
    );
    assert_eq!(
        row(
            "SELECT customer || ' ' || plan || ' ' || status || ' ' || zone || ' ' || starts FROM v_subscriptions \
             WHERE subscription = 'sub_00000001'"
        ),
        format!("{} pro active Asia/Bangkok 2026-01-01", customer(1))
    );
    assert_eq!(
        row("SELECT kind || ' ' || invoice FROM v_events WHERE seq = 2"),
        "invoice_paid sub_00000000.0"
    );
}

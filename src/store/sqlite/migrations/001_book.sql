-- The book, first schema.
--
-- Compact on purpose: a subscription's year (12 invoices, 12 attempts, 24 events) has 2,000 bytes. So rows point at
-- each other by integers, instants are whole seconds since 1970 or seconds after another instant of the same row,
-- words are small integers (0 and 1, the frequent ones, take no byte), and ids that follow from others are not stored.
-- Numbers are held by BETWEEN, since a list after IN would be built into a table at every write.
-- The views at the end say everything in words, for a person with the sqlite3 shell.

-- What the book says of itself: one row.
CREATE TABLE book (
  one           INTEGER PRIMARY KEY CHECK (one = 1),
  installation  BLOB    NOT NULL CHECK (length(installation) = 16),
  created_at    INTEGER NOT NULL,
  livemode      INTEGER CHECK (livemode BETWEEN 0 AND 1),
  machine       TEXT,
  path          TEXT,
  zone          TEXT,
  epoch         INTEGER NOT NULL DEFAULT 0 CHECK (epoch >= 0),
  commits       INTEGER NOT NULL DEFAULT 0 CHECK (commits >= 0),
  CHECK ((machine IS NULL) = (path IS NULL))
) STRICT;

CREATE TRIGGER book_keeps_its_name BEFORE UPDATE OF installation, created_at ON book
WHEN NEW.installation <> OLD.installation OR NEW.created_at <> OLD.created_at
BEGIN SELECT RAISE(ABORT, 'a book keeps its name'); END;

CREATE TRIGGER book_keeps_its_mode BEFORE UPDATE OF livemode ON book
WHEN OLD.livemode IS NOT NULL AND NEW.livemode IS NOT OLD.livemode
BEGIN SELECT RAISE(ABORT, 'a book keeps its mode'); END;

CREATE TRIGGER book_epoch_only_rises BEFORE UPDATE OF epoch, commits ON book
WHEN NEW.epoch < OLD.epoch OR NEW.commits < OLD.commits
BEGIN SELECT RAISE(ABORT, 'epoch and commits only rise'); END;

CREATE TABLE zones (
  row   INTEGER PRIMARY KEY,
  name  TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE plans (
  row  INTEGER PRIMARY KEY,
  key  TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE plan_versions (
  row      INTEGER PRIMARY KEY,
  plan     INTEGER NOT NULL REFERENCES plans (row),
  version  INTEGER NOT NULL CHECK (version > 0),
  terms    TEXT    NOT NULL CHECK (json_valid(terms)),
  made_at  INTEGER NOT NULL,
  UNIQUE (plan, version)
) STRICT;

CREATE TRIGGER plan_versions_never_change BEFORE UPDATE ON plan_versions
BEGIN SELECT RAISE(ABORT, 'a plan version never changes'); END;

CREATE TRIGGER plan_versions_stay BEFORE DELETE ON plan_versions
BEGIN SELECT RAISE(ABORT, 'a plan version stays'); END;

-- An id of the provider's is a BLOB of 13 bytes where it has the usual form, else TEXT: see v_customers.
CREATE TABLE customers (
  row           INTEGER PRIMARY KEY CHECK (row BETWEEN 1 AND 140737488355327),
  id            ANY     NOT NULL UNIQUE
                CHECK (typeof(id) = 'text' OR (typeof(id) = 'blob' AND length(id) = 13)),
  state         INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2 /* 0 unread, 1 present, 2 gone */),
  default_card  INTEGER,               -- slot of a card
  read_at       INTEGER,
  caught_up_at  INTEGER,
  spent_on      INTEGER,               -- days since 1970
  spent         TEXT,                  -- JSON: one amount a currency
  version       INTEGER NOT NULL CHECK (version > 0),
  erased_at     INTEGER                -- what was personal is blank since then, and stays so
) STRICT;

CREATE TRIGGER customers_stay_erased BEFORE UPDATE OF erased_at ON customers
WHEN OLD.erased_at IS NOT NULL AND NEW.erased_at IS NOT OLD.erased_at
BEGIN SELECT RAISE(ABORT, 'who was erased stays erased'); END;

-- Every card that was ever seen of a customer keeps its slot, since attempts point at it.
CREATE TABLE cards (
  row          INTEGER PRIMARY KEY,    -- customer << 16 | slot
  customer     INTEGER NOT NULL GENERATED ALWAYS AS (row >> 16) VIRTUAL REFERENCES customers (row),
  slot         INTEGER NOT NULL GENERATED ALWAYS AS (row & 65535) VIRTUAL,
  id           ANY     NOT NULL CHECK (typeof(id) = 'text' OR (typeof(id) = 'blob' AND length(id) = 13)),
  place        INTEGER CHECK (place >= 0), -- in the last reading's order; NULL: not among the cards read
  brand        TEXT    NOT NULL,
  last_digits  TEXT    NOT NULL,
  expires      INTEGER,                -- year * 12 + month - 1; NULL: never read
  fingerprint  ANY     CHECK (fingerprint IS NULL OR typeof(fingerprint) = 'text'
                              OR (typeof(fingerprint) = 'blob' AND length(fingerprint) = 32)), -- base64 packed
  CHECK (place IS NULL OR expires IS NOT NULL)
) STRICT;

CREATE TABLE subscriptions (
  row           INTEGER PRIMARY KEY,
  id            TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64 AND id NOT GLOB '*[^-A-Za-z0-9_]*'),
  customer      INTEGER NOT NULL REFERENCES customers (row),
  plan          INTEGER NOT NULL REFERENCES plan_versions (row),
  status        INTEGER NOT NULL CHECK (status BETWEEN 0 AND 5 /* 0 trialing, 1 active, 2 past_due, 3 paused, 4 unpaid, 5 canceled */),
  quantity      INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
  zone          INTEGER NOT NULL REFERENCES zones (row),
  starts        INTEGER NOT NULL,      -- days since 1970, a date in the zone
  anchor        INTEGER,               -- the same; NULL: as starts
  anchor_index  INTEGER NOT NULL CHECK (anchor_index >= 0),
  next_index    INTEGER NOT NULL CHECK (next_index >= 0),
  card          INTEGER,               -- slot of a card of the customer
  cancel_at     INTEGER,
  paused_since  INTEGER,
  paused_until  INTEGER,
  paused_by     INTEGER CHECK (paused_by BETWEEN 0 AND 1 /* 0 person, 1 dunning */),
  ended_at      INTEGER,
  wake_at       INTEGER,
  created_at    INTEGER NOT NULL,
  metadata      TEXT    CHECK (metadata IS NULL OR json_valid(metadata)),
  version       INTEGER NOT NULL CHECK (version > 0),
  CHECK ((paused_since IS NULL) = (paused_by IS NULL)),
  CHECK (paused_until IS NULL OR paused_since IS NOT NULL)
) STRICT;

CREATE INDEX subscriptions_wake ON subscriptions (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX subscriptions_of_customer ON subscriptions (customer);

CREATE TRIGGER subscriptions_keep_their_owner BEFORE UPDATE OF row, id, customer, created_at ON subscriptions
BEGIN SELECT RAISE(ABORT, 'a subscription keeps its id and its customer'); END;

CREATE TRIGGER subscriptions_stay BEFORE DELETE ON subscriptions
BEGIN SELECT RAISE(ABORT, 'a subscription stays'); END;

-- The invoice's id is its subscription's and idx. One per period.
CREATE TABLE invoices (
  row              INTEGER PRIMARY KEY CHECK (row BETWEEN 1 AND 140737488355327),
  subscription     INTEGER NOT NULL REFERENCES subscriptions (row),
  idx              INTEGER NOT NULL CHECK (idx >= 0),
  start            INTEGER NOT NULL,
  seconds          INTEGER NOT NULL CHECK (seconds > 0),  -- of the period: its end is start + seconds
  plan             INTEGER NOT NULL REFERENCES plan_versions (row),
  quantity         INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
  amount           INTEGER NOT NULL CHECK (amount > 0),   -- minor units
  currency         INTEGER NOT NULL CHECK (currency BETWEEN 0 AND 13 /* 0 THB, 1 JPY, 2 USD, 3 SGD, 4 MYR, 5 EUR, 6 GBP, 7 AUD, 8 CAD, 9 CHF, 10 CNY, 11 DKK, 12 HKD, 13 IDR */),
  status           INTEGER NOT NULL CHECK (status BETWEEN 0 AND 3 /* 0 open, 1 paid, 2 uncollectible, 3 void */),
  next_attempt_at  INTEGER,
  hold             INTEGER CHECK (hold BETWEEN 0 AND 6 /* 0 catch_up, 1 rejected, 2 new_card, 3 customer, 4 exhausted, 5 stopped, 6 incident */),
  opened_after     INTEGER NOT NULL,                      -- seconds after start
  closed_after     INTEGER,                               -- seconds after the opening
  version          INTEGER NOT NULL CHECK (version > 0),
  UNIQUE (subscription, idx),
  CHECK ((status = 0) = (closed_after IS NULL)),
  CHECK (status = 0 OR next_attempt_at IS NULL)
) STRICT;

CREATE INDEX invoices_open ON invoices (subscription, idx) WHERE status = 0;

CREATE TRIGGER invoices_keep_period_and_amount
BEFORE UPDATE OF row, subscription, idx, start, seconds, plan, quantity, amount, currency, opened_after ON invoices
BEGIN SELECT RAISE(ABORT, 'the period and the amount of an invoice never change'); END;

CREATE TRIGGER invoices_stay BEFORE DELETE ON invoices
BEGIN SELECT RAISE(ABORT, 'an invoice stays'); END;

-- The attempt's id is its invoice's and number; its amount is the invoice's, which never changes; its customer is the
-- subscription's; its key is derived from the installation and its id, and stored with the intent.
CREATE TABLE attempts (
  row             INTEGER PRIMARY KEY,  -- invoice << 16 | number
  invoice         INTEGER NOT NULL GENERATED ALWAYS AS (row >> 16) VIRTUAL REFERENCES invoices (row),
  number          INTEGER NOT NULL GENERATED ALWAYS AS (row & 65535) VIRTUAL CHECK (number > 0),
  status          INTEGER NOT NULL CHECK (status BETWEEN 0 AND 8 /* 0 intended, 1 succeeded, 2 declined, 3 rejected, 4 not_sent, 5 absent, 6 pending, 7 in_doubt, 8 manual */),
  card            INTEGER,              -- slot of a card of the customer
  intended_after  INTEGER NOT NULL,     -- seconds after the invoice's opening
  resolved_after  INTEGER,              -- seconds after the intent; NULL: unfinished
  charge          ANY     CHECK (charge IS NULL OR typeof(charge) = 'text'
                                 OR (typeof(charge) = 'blob' AND length(charge) = 13)),
  failure_code    TEXT,
  decline         INTEGER CHECK (decline BETWEEN 0 AND 7 /* 0 funds, 1 issuer, 2 technical, 3 limit, 4 new_card, 5 customer, 6 never, 7 ours */),
  CHECK ((status BETWEEN 1 AND 5) = (resolved_after IS NOT NULL)),
  CHECK (status <> 1 OR charge IS NOT NULL),
  CHECK (decline IS NULL OR status = 2)
) STRICT;

CREATE UNIQUE INDEX attempts_one_unfinished ON attempts (invoice) WHERE status NOT BETWEEN 1 AND 5;
CREATE UNIQUE INDEX attempts_one_succeeded ON attempts (invoice) WHERE status = 1;

CREATE TRIGGER attempts_end_once BEFORE UPDATE ON attempts
WHEN OLD.status BETWEEN 1 AND 5
BEGIN SELECT RAISE(ABORT, 'a final attempt never changes'); END;

CREATE TRIGGER attempts_keep_their_place BEFORE UPDATE OF row, intended_after ON attempts
BEGIN SELECT RAISE(ABORT, 'an attempt keeps its invoice and number'); END;

CREATE TRIGGER attempts_stay BEFORE DELETE ON attempts
BEGIN SELECT RAISE(ABORT, 'an attempt stays'); END;

-- What only an unfinished attempt needs. Instants in milliseconds.
CREATE TABLE intents (
  attempt           INTEGER PRIMARY KEY REFERENCES attempts (row),
  key               BLOB    NOT NULL UNIQUE CHECK (length(key) = 16),
  body              TEXT    NOT NULL,
  named_card        INTEGER,            -- slot of a card of the customer
  epoch             INTEGER NOT NULL,
  intended_at       INTEGER NOT NULL,   -- seconds
  wall_at           INTEGER NOT NULL,
  provider_seen     INTEGER,
  deadline          INTEGER,
  doubt_since       INTEGER,
  first_empty_scan  INTEGER,
  looked_at         INTEGER,
  authorize_uri     TEXT,
  reason            TEXT
) STRICT;

CREATE INDEX intents_by_age ON intents (intended_at);

CREATE TRIGGER intents_keep_key_and_body
BEFORE UPDATE OF attempt, key, body, named_card, epoch, intended_at, wall_at, provider_seen ON intents
BEGIN SELECT RAISE(ABORT, 'what was to be sent never changes'); END;

CREATE TRIGGER intents_end_with_their_attempt AFTER UPDATE OF status ON attempts
WHEN NEW.status BETWEEN 1 AND 5
BEGIN DELETE FROM intents WHERE attempt = NEW.row; END;

CREATE TRIGGER intents_stay_while_unfinished BEFORE DELETE ON intents
WHEN (SELECT status FROM attempts WHERE row = OLD.attempt) NOT BETWEEN 1 AND 5
BEGIN SELECT RAISE(ABORT, 'the intent of an unfinished attempt stays'); END;

-- Periods from_idx up to, not including, to_idx were never billed and never will be.
CREATE TABLE skips (
  row           INTEGER PRIMARY KEY,
  subscription  INTEGER NOT NULL REFERENCES subscriptions (row),
  from_idx      INTEGER NOT NULL CHECK (from_idx >= 0),
  to_idx        INTEGER NOT NULL,
  reason        TEXT    NOT NULL CHECK (reason IN ('paused', 'unpaid', 'canceled', 'trialing', 'billed_elsewhere',
                  'no_card', 'expired_card', 'card_gone', 'customer_gone', 'dead_card', 'unchargeable', 'unfinished',
                  'held', 'not_due', 'budget', 'catch_up_spread', 'customer_day', 'unread', 'contended')),
  at            INTEGER NOT NULL,
  UNIQUE (subscription, from_idx),
  CHECK (to_idx > from_idx)
) STRICT;

CREATE TABLE flags (
  row           INTEGER PRIMARY KEY,
  subscription  INTEGER NOT NULL REFERENCES subscriptions (row),
  reason        TEXT    NOT NULL CHECK (reason IN ('no_card', 'expired_card', 'card_gone', 'customer_gone',
                  'dead_card', 'unchargeable')),
  since         INTEGER NOT NULL,
  until         INTEGER,
  detail        TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX flags_standing ON flags (subscription, reason) WHERE until IS NULL;

-- What counts towards the card networks' budgets.
CREATE TABLE declines (
  row          INTEGER PRIMARY KEY,
  customer     INTEGER NOT NULL REFERENCES customers (row),
  card         INTEGER NOT NULL,        -- slot of a card of the customer
  fingerprint  ANY     CHECK (fingerprint IS NULL OR typeof(fingerprint) = 'text'
                              OR (typeof(fingerprint) = 'blob' AND length(fingerprint) = 32)),
  at           INTEGER NOT NULL,
  amount       INTEGER NOT NULL CHECK (amount >= 0),
  currency     INTEGER NOT NULL CHECK (currency BETWEEN 0 AND 13),
  never        INTEGER NOT NULL CHECK (never BETWEEN 0 AND 1)
) STRICT;

CREATE INDEX declines_of_customer ON declines (customer, at);

CREATE TABLE event_kinds (
  code  INTEGER PRIMARY KEY,
  word  TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO event_kinds (code, word) VALUES
  (0, 'invoice_opened'), (1, 'invoice_paid'), (2, 'subscription_created'), (3, 'subscription_changed'),
  (4, 'subscription_paused'), (5, 'subscription_resumed'), (6, 'cancel_scheduled'), (7, 'subscription_canceled'),
  (8, 'subscription_unpaid'), (9, 'trial_ended'), (10, 'periods_skipped'), (11, 'invoice_voided'),
  (12, 'invoice_uncollectible'), (13, 'catch_up_held'), (14, 'retry_requested'), (15, 'attempt_declined'),
  (16, 'attempt_rejected'), (17, 'attempt_not_sent'), (18, 'attempt_pending'), (19, 'attempt_in_doubt'),
  (20, 'attempt_absent'), (21, 'attempt_manual'), (22, 'attempt_resolved'), (23, 'incident'), (24, 'flag_raised'),
  (25, 'flag_cleared'), (26, 'plan_versioned'), (27, 'book_adopted');

-- The diary: only ever appended to, so seq has no gaps.
CREATE TABLE events (
  seq           INTEGER PRIMARY KEY,
  at            INTEGER NOT NULL,
  kind          INTEGER NOT NULL REFERENCES event_kinds (code),
  subscription  INTEGER REFERENCES subscriptions (row),
  idx           INTEGER,                -- of the invoice
  CHECK (idx IS NULL OR subscription IS NOT NULL)
) STRICT;

-- More about an event, where there is more: most have none.
CREATE TABLE event_data (
  seq   INTEGER PRIMARY KEY REFERENCES events (seq),
  data  TEXT NOT NULL
) STRICT;

-- But for a customer who is erased: what described a card or was typed by a person may go, and nothing else.
CREATE TRIGGER event_data_never_changes BEFORE UPDATE ON event_data
WHEN NEW.seq <> OLD.seq OR NEW.data NOT IN (json_remove(OLD.data, '$.detail'), json_remove(OLD.data, '$.reason'))
  OR NOT EXISTS (
  SELECT 1 FROM events e JOIN subscriptions s ON s.row = e.subscription JOIN customers u ON u.row = s.customer
  WHERE e.seq = OLD.seq AND u.erased_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'what happened does not change'); END;

CREATE TRIGGER event_data_stays BEFORE DELETE ON event_data
BEGIN SELECT RAISE(ABORT, 'what happened stays'); END;

CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'what happened does not change'); END;

CREATE TRIGGER events_stay BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'what happened stays'); END;

CREATE TABLE runs (
  number  INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  wall    INTEGER NOT NULL,
  ended   INTEGER,
  report  TEXT CHECK (report IS NULL OR json_valid(report)),
  CHECK ((ended IS NULL) = (report IS NULL))
) STRICT;

-- Runs asked for beside a live daemon, and what became of them.
CREATE TABLE run_requests (
  row      INTEGER PRIMARY KEY,
  asked    INTEGER NOT NULL,
  at       INTEGER,
  only_id  TEXT,
  charges  INTEGER CHECK (charges > 0),
  taken    INTEGER,
  ended    INTEGER,
  report   TEXT
) STRICT;


-- For people with the sqlite3 shell. Instants in UTC; amounts in minor units.

-- Digits of a packed id: 52 bits a half, nine digits of 36 and the test bit in the upper, ten in the lower.
CREATE TABLE places (
  n      INTEGER PRIMARY KEY,
  worth  INTEGER NOT NULL      -- of the nth of ten digits
) STRICT;

INSERT INTO places (n, worth) VALUES
  (1, 101559956668416), (2, 2821109907456), (3, 78364164096), (4, 2176782336), (5, 60466176),
  (6, 1679616), (7, 46656), (8, 1296), (9, 36), (10, 1), (11, 0), (12, 0), (13, 0);

CREATE VIEW v_customers AS
SELECT row,
  CASE typeof(id) WHEN 'blob' THEN 'cust_' || CASE WHEN hex(id) >= '8' THEN 'test_' ELSE '' END
    || (SELECT group_concat(d, '') FROM (SELECT substr('0123456789abcdefghijklmnopqrstuvwxyz', 1 + ((SELECT sum((instr('123456789ABCDEF', substr(hex(id), n + 0, 1))) << (52 - 4 * n)) FROM places WHERE n <= 13) & 2251799813685247) / worth % 36, 1) AS d FROM places WHERE n > 1 AND n <= 10 ORDER BY n))
    || (SELECT group_concat(d, '') FROM (SELECT substr('0123456789abcdefghijklmnopqrstuvwxyz', 1 + ((SELECT sum((instr('123456789ABCDEF', substr(hex(id), n + 13, 1))) << (52 - 4 * n)) FROM places WHERE n <= 13)) / worth % 36, 1) AS d FROM places WHERE n > 0 AND n <= 10 ORDER BY n))
    ELSE id END AS customer,
  CASE state WHEN 0 THEN 'unread' WHEN 1 THEN 'present' WHEN 2 THEN 'gone' END AS state,
  strftime('%Y-%m-%dT%H:%M:%SZ', read_at, 'unixepoch') AS read_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', erased_at, 'unixepoch') AS erased_at,
  version
FROM customers;

CREATE VIEW v_subscriptions AS
SELECT s.row, s.id AS subscription, c.customer, p.key AS plan, n.version AS plan_version,
  CASE s.status WHEN 0 THEN 'trialing' WHEN 1 THEN 'active' WHEN 2 THEN 'past_due' WHEN 3 THEN 'paused' WHEN 4 THEN 'unpaid' WHEN 5 THEN 'canceled' END AS status,
  s.quantity, z.name AS zone, date(s.starts * 86400, 'unixepoch') AS starts,
  date(coalesce(s.anchor, s.starts) * 86400, 'unixepoch') AS anchor, s.anchor_index, s.next_index,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.cancel_at, 'unixepoch') AS cancel_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.paused_since, 'unixepoch') AS paused_since,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.ended_at, 'unixepoch') AS ended_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.wake_at, 'unixepoch') AS wake_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.created_at, 'unixepoch') AS created_at,
  s.metadata, s.version
FROM subscriptions s JOIN v_customers c ON c.row = s.customer JOIN zones z ON z.row = s.zone
JOIN plan_versions n ON n.row = s.plan JOIN plans p ON p.row = n.plan;

CREATE VIEW v_invoices AS
SELECT v.row, s.id || '.' || v.idx AS invoice, s.id AS subscription, v.idx AS number,
  strftime('%Y-%m-%dT%H:%M:%SZ', v.start, 'unixepoch') AS period_start,
  strftime('%Y-%m-%dT%H:%M:%SZ', v.start + v.seconds, 'unixepoch') AS period_end,
  v.quantity, v.amount,
  CASE v.currency WHEN 0 THEN 'THB' WHEN 1 THEN 'JPY' WHEN 2 THEN 'USD' WHEN 3 THEN 'SGD' WHEN 4 THEN 'MYR' WHEN 5 THEN 'EUR' WHEN 6 THEN 'GBP' WHEN 7 THEN 'AUD' WHEN 8 THEN 'CAD' WHEN 9 THEN 'CHF' WHEN 10 THEN 'CNY' WHEN 11 THEN 'DKK' WHEN 12 THEN 'HKD' WHEN 13 THEN 'IDR' END AS currency,
  CASE v.status WHEN 0 THEN 'open' WHEN 1 THEN 'paid' WHEN 2 THEN 'uncollectible' WHEN 3 THEN 'void' END AS status,
  strftime('%Y-%m-%dT%H:%M:%SZ', v.next_attempt_at, 'unixepoch') AS next_attempt_at,
  CASE v.hold WHEN 0 THEN 'catch_up' WHEN 1 THEN 'rejected' WHEN 2 THEN 'new_card' WHEN 3 THEN 'customer' WHEN 4 THEN 'exhausted' WHEN 5 THEN 'stopped' WHEN 6 THEN 'incident' END AS hold,
  strftime('%Y-%m-%dT%H:%M:%SZ', v.start + v.opened_after, 'unixepoch') AS opened_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', v.start + v.opened_after + v.closed_after, 'unixepoch') AS closed_at,
  v.version
FROM invoices v JOIN subscriptions s ON s.row = v.subscription;

CREATE VIEW v_attempts AS
SELECT a.row, v.invoice || '.' || a.number AS attempt, v.invoice, a.number,
  CASE a.status WHEN 0 THEN 'intended' WHEN 1 THEN 'succeeded' WHEN 2 THEN 'declined' WHEN 3 THEN 'rejected' WHEN 4 THEN 'not_sent' WHEN 5 THEN 'absent' WHEN 6 THEN 'pending' WHEN 7 THEN 'in_doubt' WHEN 8 THEN 'manual' END AS status,
  v.amount, v.currency,
  CASE typeof(a.charge) WHEN 'blob' THEN 'chrg_' || CASE WHEN hex(a.charge) >= '8' THEN 'test_' ELSE '' END
    || (SELECT group_concat(d, '') FROM (SELECT substr('0123456789abcdefghijklmnopqrstuvwxyz', 1 + ((SELECT sum((instr('123456789ABCDEF', substr(hex(a.charge), n + 0, 1))) << (52 - 4 * n)) FROM places WHERE n <= 13) & 2251799813685247) / worth % 36, 1) AS d FROM places WHERE n > 1 AND n <= 10 ORDER BY n))
    || (SELECT group_concat(d, '') FROM (SELECT substr('0123456789abcdefghijklmnopqrstuvwxyz', 1 + ((SELECT sum((instr('123456789ABCDEF', substr(hex(a.charge), n + 13, 1))) << (52 - 4 * n)) FROM places WHERE n <= 13)) / worth % 36, 1) AS d FROM places WHERE n > 0 AND n <= 10 ORDER BY n))
    ELSE a.charge END AS charge,
  a.failure_code,
  CASE a.decline WHEN 0 THEN 'funds' WHEN 1 THEN 'issuer' WHEN 2 THEN 'technical' WHEN 3 THEN 'limit' WHEN 4 THEN 'new_card' WHEN 5 THEN 'customer' WHEN 6 THEN 'never' WHEN 7 THEN 'ours' END AS decline,
  strftime('%Y-%m-%dT%H:%M:%SZ', i.start + i.opened_after + a.intended_after, 'unixepoch') AS intended_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', i.start + i.opened_after + a.intended_after + a.resolved_after, 'unixepoch') AS resolved_at
FROM attempts a JOIN invoices i ON i.row = a.row >> 16 JOIN v_invoices v ON v.row = i.row;

CREATE VIEW v_events AS
SELECT e.seq, strftime('%Y-%m-%dT%H:%M:%SZ', e.at, 'unixepoch') AS at, k.word AS kind, s.id AS subscription, s.id || '.' || e.idx AS invoice, d.data
FROM events e JOIN event_kinds k ON k.code = e.kind LEFT JOIN subscriptions s ON s.row = e.subscription
LEFT JOIN event_data d ON d.seq = e.seq;

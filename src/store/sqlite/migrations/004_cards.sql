-- What the weeks after a decline need: who was warned of a card, who consents to a backup card, how often a customer was
-- reminded to confirm a payment, and what was given back or disputed.

INSERT INTO event_kinds (code, word) VALUES
  (28, 'card_expiring'), (29, 'card_changed'), (30, 'action_reminded'), (31, 'charge_refunded'), (32, 'charge_disputed');

-- Each warning about a card's end once: for a card, the month that it then had, and how long before.
CREATE TABLE card_warnings (
  card     INTEGER NOT NULL REFERENCES cards (row),  -- customer << 16 | slot
  expires  INTEGER NOT NULL,                         -- year * 12 + month - 1
  ahead    INTEGER NOT NULL CHECK (ahead >= 0),      -- seconds before the end; 0: before a renewal
  at       INTEGER NOT NULL,
  PRIMARY KEY (card, expires, ahead)
) STRICT, WITHOUT ROWID;

-- NULL: another card of the customer is never charged. 0: it may be. n + 1: it may be, and invoice n is at that point.
ALTER TABLE subscriptions ADD COLUMN backup INTEGER CHECK (backup >= 0);

-- Reminders that were sent to the customer of a charge that waits for them.
ALTER TABLE intents ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0 CHECK (reminded >= 0);

-- What was given back or disputed of a charge that had succeeded, as last seen.
CREATE TABLE reversals (
  attempt  INTEGER NOT NULL REFERENCES attempts (row),
  kind     INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1 /* 0 refunded, 1 disputed */),
  amount   INTEGER NOT NULL CHECK (amount >= 0),     -- minor units
  at       INTEGER NOT NULL,
  PRIMARY KEY (attempt, kind)
) STRICT, WITHOUT ROWID;

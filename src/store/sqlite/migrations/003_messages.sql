-- Messages on their way to people and machines, and how far the diary was read for them.

-- One row. A book that was filled before is not told of anew: what it did until now is nobody's news.
CREATE TABLE outbox (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  read_to    INTEGER NOT NULL CHECK (read_to >= 0),   -- seq of the last event that was read
  digest_to  INTEGER NOT NULL CHECK (digest_to >= 0)  -- seq of the last event that no later digest counts
) STRICT;

INSERT INTO outbox (one, read_to, digest_to)
SELECT 1, coalesce(max(seq), 0), coalesce(max(seq), 0) FROM events;

CREATE TRIGGER outbox_is_read_onwards BEFORE UPDATE ON outbox
WHEN NEW.read_to < OLD.read_to OR NEW.digest_to < OLD.digest_to
BEGIN SELECT RAISE(ABORT, 'the diary is read onwards'); END;

-- One row a message and channel, which is what makes it one. Instants in seconds, on the wall clock.
CREATE TABLE messages (
  row         INTEGER PRIMARY KEY,
  key         TEXT    NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
  channel     INTEGER NOT NULL CHECK (channel BETWEEN 0 AND 2 /* 0 email, 1 webhook, 2 command */),
  kind        INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 11 /* 0 invoice_opened, 1 invoice_paid, 2 declined, 3 action_needed, 4 card_expiring, 5 no_card, 6 expired_card, 7 trial_ending, 8 subscription_paused, 9 subscription_canceled, 10 doubt_needs_person, 11 digest */),
  state       INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3 /* 0 waiting, 1 sent, 2 given_up, 3 moot */),
  customer    INTEGER REFERENCES customers (row),
  made_at     INTEGER NOT NULL,
  not_before  INTEGER,
  keep_until  INTEGER,                -- the key stays until then, so that nobody decides on it twice
  tries       INTEGER NOT NULL CHECK (tries >= 0),
  next_at     INTEGER,                -- of one that is being tried: when it is taken for lost
  done_at     INTEGER,
  why         TEXT,
  body        TEXT CHECK (body IS NULL OR json_valid(body)), -- NULL once it was sent, or its customer erased
  UNIQUE (key, channel),
  CHECK ((state = 0) = (next_at IS NOT NULL)),
  CHECK ((state = 0) = (done_at IS NULL)),
  CHECK (state <> 0 OR body IS NOT NULL)
) STRICT;

CREATE INDEX messages_waiting ON messages (channel, next_at) WHERE state = 0;
CREATE INDEX messages_done ON messages (done_at) WHERE state <> 0;

CREATE TRIGGER messages_end_once BEFORE UPDATE OF state ON messages
WHEN (OLD.state = 1 OR OLD.state = 3) AND NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'what was told, or need not be, stays so'); END;

CREATE TRIGGER messages_keep_what_they_say BEFORE UPDATE OF key, channel, kind, customer, made_at, not_before ON messages
BEGIN SELECT RAISE(ABORT, 'a message keeps what it tells'); END;

-- Trials by their end: few at any time, and nothing else is looked through for them.
CREATE INDEX subscriptions_trialing ON subscriptions (wake_at) WHERE status = 0;

CREATE VIEW v_messages AS
SELECT m.row, m.key, CASE m.channel WHEN 0 THEN 'email' WHEN 1 THEN 'webhook' ELSE 'command' END AS channel,
  CASE m.state WHEN 0 THEN 'waiting' WHEN 1 THEN 'sent' WHEN 2 THEN 'given_up' ELSE 'moot' END AS state,
  m.tries, datetime(m.made_at, 'unixepoch') AS made_at, datetime(m.next_at, 'unixepoch') AS next_at,
  datetime(m.done_at, 'unixepoch') AS done_at, m.why
FROM messages m;

-- A result is written without a copy of every page that its statement touches, which SQLite keeps where a statement may have
-- to undo itself. The program undoes the whole decision anyway. So what refuses a change of an attempt fails its statement
-- instead of undoing it, and no function is called by a CHECK of a column that a result sets.

PRAGMA legacy_alter_table = ON;

CREATE TABLE attempts_anew (
  row             INTEGER PRIMARY KEY,  -- invoice << 16 | number
  invoice         INTEGER NOT NULL GENERATED ALWAYS AS (row >> 16) VIRTUAL REFERENCES invoices (row),
  number          INTEGER NOT NULL GENERATED ALWAYS AS (row & 65535) VIRTUAL CHECK (number > 0),
  status          INTEGER NOT NULL CHECK (status BETWEEN 0 AND 8 /* 0 intended, 1 succeeded, 2 declined, 3 rejected, 4 not_sent, 5 absent, 6 pending, 7 in_doubt, 8 manual */),
  card            INTEGER,              -- slot of a card of the customer
  intended_after  INTEGER NOT NULL,     -- seconds after the invoice's opening
  resolved_after  INTEGER,              -- seconds after the intent; NULL: unfinished
  charge          ANY     CHECK (charge >= ''),  -- text or bytes: a number is less; v_attempts unpacks
  failure_code    TEXT,
  decline         INTEGER CHECK (decline BETWEEN 0 AND 7 /* 0 funds, 1 issuer, 2 technical, 3 limit, 4 new_card, 5 customer, 6 never, 7 ours */),
  CHECK ((status BETWEEN 1 AND 5) = (resolved_after IS NOT NULL)),
  CHECK (status <> 1 OR charge IS NOT NULL),
  CHECK (decline IS NULL OR status = 2)
) STRICT;

INSERT INTO attempts_anew (row, status, card, intended_after, resolved_after, charge, failure_code, decline)
SELECT row, status, card, intended_after, resolved_after, charge, failure_code, decline FROM attempts;

DROP TABLE attempts;
ALTER TABLE attempts_anew RENAME TO attempts;

PRAGMA legacy_alter_table = OFF;

CREATE UNIQUE INDEX attempts_one_unfinished ON attempts (invoice) WHERE status NOT BETWEEN 1 AND 5;
CREATE UNIQUE INDEX attempts_one_succeeded ON attempts (invoice) WHERE status = 1;

CREATE TRIGGER attempts_end_once BEFORE UPDATE ON attempts
WHEN OLD.status BETWEEN 1 AND 5
BEGIN SELECT RAISE(FAIL, 'a final attempt never changes'); END;

CREATE TRIGGER attempts_keep_their_place BEFORE UPDATE OF row, intended_after ON attempts
BEGIN SELECT RAISE(ABORT, 'an attempt keeps its invoice and number'); END;

CREATE TRIGGER attempts_stay BEFORE DELETE ON attempts
BEGIN SELECT RAISE(ABORT, 'an attempt stays'); END;

CREATE TRIGGER intents_end_with_their_attempt AFTER UPDATE OF status ON attempts
WHEN NEW.status BETWEEN 1 AND 5
BEGIN DELETE FROM intents WHERE attempt = NEW.row; END;

DROP TRIGGER intents_stay_while_unfinished;
CREATE TRIGGER intents_stay_while_unfinished BEFORE DELETE ON intents
WHEN (SELECT status FROM attempts WHERE row = OLD.attempt) NOT BETWEEN 1 AND 5
BEGIN SELECT RAISE(FAIL, 'the intent of an unfinished attempt stays'); END;

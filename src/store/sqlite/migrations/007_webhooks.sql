-- Events of the provider that were acted upon, so that one that is told again is not acted upon again: the newest so many.
CREATE TABLE webhook_events (
  row  INTEGER PRIMARY KEY,
  id   TEXT    NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 100),
  at   INTEGER NOT NULL      -- seconds
) STRICT;

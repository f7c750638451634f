-- What the service needs: when each of its jobs last began, and how far a run is that somebody asked it for.

-- Instants in milliseconds, on the wall clock.
CREATE TABLE jobs (
  name    TEXT PRIMARY KEY,
  began   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The part of the run under way; NULL while there is none.
ALTER TABLE run_requests ADD COLUMN part TEXT;
-- Steps of that part.
ALTER TABLE run_requests ADD COLUMN done INTEGER;
-- All its steps; NULL where they cannot be counted.
ALTER TABLE run_requests ADD COLUMN total INTEGER;

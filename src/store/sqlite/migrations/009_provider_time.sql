-- The newest provider time up to which the book has every charge of its own, in seconds: a run asks the provider's list from
-- there on, and refuses a book that is older than the list.
ALTER TABLE book ADD COLUMN provider_seen INTEGER;

-- For a book that has charged: no run begins with a wall clock more than an hour ahead of the provider's.
UPDATE book SET provider_seen = (SELECT max(wall) / 1000 - 3600 FROM runs) WHERE epoch > 0;

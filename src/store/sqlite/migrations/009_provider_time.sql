-- The newest provider time up to which the book has every charge of its own, in seconds: a run asks the provider's list from
-- there on, and refuses a book that is older than the list.
ALTER TABLE book ADD COLUMN provider_seen INTEGER;

-- For a book that has charged: no run begins with a wall clock more than an hour ahead of the provider's.
UPDATE book SET provider_seen = (SELECT max(wall) / 1000 - 3600 FROM runs) WHERE epoch > 0;

-- After a change of zone the anchor carries the instant at which its first period starts, above the day's 24 bits.
DROP VIEW v_subscriptions;
CREATE VIEW v_subscriptions AS
SELECT s.row, s.id AS subscription, c.customer, p.key AS plan, n.version AS plan_version,
  CASE s.status WHEN 0 THEN 'trialing' WHEN 1 THEN 'active' WHEN 2 THEN 'past_due' WHEN 3 THEN 'paused' WHEN 4 THEN 'unpaid' WHEN 5 THEN 'canceled' END AS status,
  s.quantity, z.name AS zone, date(s.starts * 86400, 'unixepoch') AS starts,
  date(coalesce(s.anchor % 16777216, s.starts) * 86400, 'unixepoch') AS anchor,
  CASE WHEN s.anchor >= 16777216 THEN strftime('%Y-%m-%dT%H:%M:%SZ', s.anchor >> 24, 'unixepoch') END AS anchor_at, s.anchor_index, s.next_index,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.cancel_at, 'unixepoch') AS cancel_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.paused_since, 'unixepoch') AS paused_since,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.ended_at, 'unixepoch') AS ended_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.wake_at, 'unixepoch') AS wake_at,
  strftime('%Y-%m-%dT%H:%M:%SZ', s.created_at, 'unixepoch') AS created_at,
  s.metadata, s.version
FROM subscriptions s JOIN v_customers c ON c.row = s.customer JOIN zones z ON z.row = s.zone
JOIN plan_versions n ON n.row = s.plan JOIN plans p ON p.row = n.plan;

-- Intents are few, since each goes with the end of its attempt: who wants them by age sorts them, and a charge is spared
-- the keeping of an order.

DROP INDEX intents_by_age;

-- A card number that two customers have saved has one budget: its declines are found by the number, whoever had it.

CREATE INDEX declines_of_number ON declines (fingerprint, at) WHERE fingerprint IS NOT NULL;

-- Limits at the door, in orders asked for a minute, and a limit of orders given back; NULL is no limit, which
-- is what events had that were made before.
ALTER TABLE events
  ADD COLUMN max_cancellations  int CHECK (max_cancellations > 0),
  ADD COLUMN buyer_rate_limit   int CHECK (buyer_rate_limit > 0),
  ADD COLUMN client_rate_limit  int CHECK (client_rate_limit > 0);

-- What a rejection's reason leaves open, in a sentence for the buyer.
ALTER TABLE orders ADD COLUMN detail text;

-- Orders of the buyer that are cancelled or expired now. It counts from here on for events that limit it not
-- yet; what was given back before is counted once, here.
ALTER TABLE tallies ADD COLUMN given_back int NOT NULL DEFAULT 0 CHECK (given_back >= 0);
INSERT INTO tallies AS tally (event_id, user_id, quantity, version, given_back)
SELECT event_id, user_id, 0, 1, count(*) FROM orders WHERE status IN ('cancelled', 'expired')
GROUP BY event_id, user_id
ON CONFLICT (event_id, user_id) DO UPDATE SET given_back = excluded.given_back, version = tally.version + 1;

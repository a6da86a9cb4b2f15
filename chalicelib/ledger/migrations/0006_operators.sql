-- What operators see and do: whose a dead letter is, every attempt that failed, who did what and why, and when
-- an order ended.

-- NULL where the message cannot be read. A message that is put on the order queue again comes back under
-- another message id, and so in another row, if it fails once more.
ALTER TABLE dead_letters
  ADD COLUMN order_id     uuid,
  ADD COLUMN event_id     int,
  ADD COLUMN user_id      text,
  ADD COLUMN redriven_at  timestamptz,
  ADD COLUMN deleted_at   timestamptz;
ALTER TABLE dead_letters ADD COLUMN state text GENERATED ALWAYS AS (
  CASE WHEN deleted_at IS NOT NULL THEN 'deleted'
       WHEN redriven_at IS NOT NULL THEN 'redriven'
       WHEN moved_at IS NOT NULL THEN 'dead'
       ELSE 'failing' END) STORED;
CREATE INDEX dead_letters_of_an_order ON dead_letters (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX dead_letters_of_a_buyer ON dead_letters (user_id) WHERE user_id IS NOT NULL;

-- One row a failure of a message's own; outages are not counted, as above.
CREATE TABLE failed_attempts (
  message_id     text NOT NULL,
  failed_at      timestamptz NOT NULL,
  reason         text NOT NULL,
  receive_count  int NOT NULL
);
CREATE INDEX failed_attempts_of_a_message ON failed_attempts (message_id, failed_at);

-- Who did what, when, why, to what. Rows are never changed.
CREATE TABLE audit_records (
  id      uuid PRIMARY KEY,
  at      timestamptz NOT NULL,
  actor   text NOT NULL,
  action  text NOT NULL,
  target  text NOT NULL,
  reason  text NOT NULL DEFAULT '',
  detail  jsonb NOT NULL DEFAULT '{}'
);

-- When an order was cancelled or expired; NULL for those that ended before this was kept.
ALTER TABLE orders ADD COLUMN ended_at timestamptz;

-- The key first: an operator may know it without its buyer. One index serves both questions.
DROP INDEX orders_by_key;
CREATE UNIQUE INDEX orders_by_key ON orders (idempotency_key, user_id) WHERE idempotency_key IS NOT NULL;

-- All payments for one order, whatever became of them: its timeline asks for them.
CREATE INDEX payments_of_an_order ON payments (order_id, received_at);

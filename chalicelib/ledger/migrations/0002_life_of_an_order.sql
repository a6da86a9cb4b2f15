-- The life of an order after its first answer: holds, payments, cancellation; keys that make a request one order.

ALTER TABLE events
  ADD COLUMN hold_seconds  int NOT NULL DEFAULT 0 CHECK (hold_seconds >= 0),
  ADD COLUMN late_payment  text NOT NULL DEFAULT 'refund'
    CHECK (late_payment IN ('accept-if-available', 'refund', 'park')),
  ADD COLUMN sales_state   text NOT NULL DEFAULT 'open' CHECK (sales_state IN ('open', 'paused', 'closed'));

-- `capacity - reserved` and not `sold + reserved`: the sum could leave the column's range.
ALTER TABLE ticket_types
  ADD COLUMN reserved int NOT NULL DEFAULT 0,
  DROP CONSTRAINT never_oversold,
  ADD CONSTRAINT never_oversold CHECK (0 <= sold AND 0 <= reserved AND sold <= capacity - reserved);

-- `decided_at` stays the time of the first answer; `expires_at` is there while a hold runs and after it ran out.
ALTER TABLE orders
  ADD COLUMN expires_at       timestamptz,
  ADD COLUMN idempotency_key  text,
  ADD COLUMN request_digest   text,
  ADD CONSTRAINT a_hold_has_an_end CHECK ((status IN ('reserved', 'expired')) = (expires_at IS NOT NULL));
CREATE UNIQUE INDEX orders_by_key ON orders (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX orders_on_hold ON orders (expires_at) WHERE status = 'reserved';

-- `order_id` is what the provider wrote, which need not be an order's.
CREATE TABLE payments (
  reference    text PRIMARY KEY,
  order_id     text NOT NULL,
  amount       bigint NOT NULL,
  currency     text NOT NULL,
  outcome      text NOT NULL CHECK (outcome IN ('succeeded', 'failed')),
  state        text NOT NULL
    CHECK (state IN ('applied', 'refused', 'refund-due', 'parked', 'failed', 'unmatched')),
  received_at  timestamptz NOT NULL
);
CREATE INDEX payments_by_time ON payments (received_at, reference);
CREATE INDEX payments_by_state ON payments (state, received_at, reference);
CREATE UNIQUE INDEX one_payment_applied ON payments (order_id) WHERE state = 'applied';

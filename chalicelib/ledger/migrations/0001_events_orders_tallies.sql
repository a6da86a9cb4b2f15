-- Events, their ticket types, the orders and what each buyer has.

-- Timeouts live in the database: the service may send no SET, which would pin a pooled connection.
-- Each is shorter than the queue function's own 15 s, so that a stuck batch fails and comes again; a
-- worker that freezes while it holds a hot row loses it after 5 s.
DO $$
BEGIN
  EXECUTE format('ALTER DATABASE %I SET statement_timeout = %L', current_database(), '10s');
  EXECUTE format('ALTER DATABASE %I SET lock_timeout = %L', current_database(), '3s');
  EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = %L', current_database(), '5s');
  -- A batch of thousands looks costly enough to compile, and never is.
  EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
  -- The hot pages are in memory and the rest is on solid state: an index look-up costs what it costs there.
  EXECUTE format('ALTER DATABASE %I SET random_page_cost = 1.1', current_database());
END
$$;

CREATE TABLE events (
  id              int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name            text NOT NULL,
  description     text NOT NULL,
  currency        text NOT NULL,
  starts_at       timestamptz,
  sales_open_at   timestamptz,
  sales_close_at  timestamptz,
  max_per_order   int CHECK (max_per_order > 0),
  max_per_buyer   int CHECK (max_per_buyer > 0),
  version         int NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now()
);

-- The hot rows. One page holds few of them, so that every update finds room on its own page (HOT) and the
-- next one to come prunes what it left; the settings below keep vacuum away until that has failed often.
CREATE TABLE ticket_types (
  id        int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id  int NOT NULL REFERENCES events (id),
  name      text NOT NULL,
  price     bigint NOT NULL CHECK (price >= 0),
  capacity  int NOT NULL CHECK (capacity > 0),
  sold      int NOT NULL DEFAULT 0,
  version   int NOT NULL DEFAULT 0,
  CONSTRAINT never_oversold CHECK (0 <= sold AND sold <= capacity),
  UNIQUE (event_id, name),
  UNIQUE (event_id, id)
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

-- The id comes from the application (UUIDv7), so that a message delivered twice meets its own row.
-- No foreign key to events: an order for an event that is not there gets its answer recorded, too.
CREATE TABLE orders (
  id           uuid PRIMARY KEY,
  event_id     int NOT NULL,
  user_id      text NOT NULL,
  status       text NOT NULL CHECK (status IN ('confirmed', 'reserved', 'rejected', 'expired', 'cancelled')),
  reason       text,
  items        jsonb NOT NULL,
  quantity     int NOT NULL CHECK (quantity > 0),
  total_price  bigint NOT NULL CHECK (total_price >= 0),
  currency     text NOT NULL,
  accepted_at  timestamptz NOT NULL,
  decided_at   timestamptz NOT NULL,
  CONSTRAINT a_rejection_has_a_reason CHECK ((status = 'rejected') = (reason IS NOT NULL))
);
CREATE INDEX orders_of_an_event ON orders (event_id, id);
CREATE INDEX orders_of_a_buyer ON orders (user_id, id);

-- Tickets that a buyer has of an event, over all orders and ticket types. Rows are never deleted:
-- `version` 0 stands for "no row yet".
CREATE TABLE tallies (
  event_id  int NOT NULL,
  user_id   text NOT NULL,
  quantity  int NOT NULL CHECK (quantity >= 0),
  version   int NOT NULL,
  PRIMARY KEY (event_id, user_id)
) WITH (fillfactor = 80);

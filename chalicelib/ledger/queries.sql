-- Every statement that the ledger sends, each under its name. Parameters are psycopg's %(name)s.
-- No SET, PREPARE, cursor, temporary table or session lock: each would pin an RDS Proxy connection.

-- name: ping
-- Result: one row when the database answers.
SELECT 1

-- name: begin
BEGIN

-- name: commit
COMMIT

-- name: rollback
ROLLBACK

-- name: create_event
-- Args: EventDraft's fields; of the ticket types names text[], prices bigint[], capacities int[], in step.
-- Result: the event, as read_events.
WITH event AS (
  INSERT INTO events (name, description, currency, starts_at, sales_open_at, sales_close_at,
                      max_per_order, max_per_buyer)
  VALUES (%(name)s, %(description)s, %(currency)s, %(starts_at)s, %(sales_open_at)s, %(sales_close_at)s,
          %(max_per_order)s, %(max_per_buyer)s)
  RETURNING *
), types AS (
  INSERT INTO ticket_types (event_id, name, price, capacity)
  SELECT event.id, draft.name, draft.price, draft.capacity
  FROM event, unnest(%(names)s::text[], %(prices)s::bigint[], %(capacities)s::int[])
    WITH ORDINALITY AS draft (name, price, capacity, place)
  ORDER BY draft.place
  RETURNING *
)
SELECT id, name, description, currency, starts_at, sales_open_at, sales_close_at, max_per_order, max_per_buyer,
       version, created_at, updated_at,
       (SELECT json_agg(types ORDER BY types.id) FROM types)::text
FROM event

-- name: read_events
-- Args: id, or NULL for any; after, an event id; lim, rows at most.
-- Result: events with ids greater than `after`, ascending; the last column is the ticket types as JSON, by id.
SELECT id, name, description, currency, starts_at, sales_open_at, sales_close_at, max_per_order, max_per_buyer,
       version, created_at, updated_at,
       (SELECT json_agg(types ORDER BY types.id) FROM ticket_types AS types WHERE types.event_id = events.id)::text
FROM events
WHERE (%(id)s::bigint IS NULL OR id = %(id)s::bigint) AND id > %(after)s
ORDER BY id
LIMIT %(lim)s

-- name: update_event
-- Args: id; expected, the version to change or NULL for any; changes, a JSON object by column name.
-- Result: the event as changed, as read_events; no row when the event is not there or has another version.
UPDATE events AS old
SET (name, description, currency, starts_at, sales_open_at, sales_close_at, max_per_order, max_per_buyer) =
    (SELECT new.name, new.description, new.currency, new.starts_at, new.sales_open_at, new.sales_close_at,
            new.max_per_order, new.max_per_buyer
     FROM jsonb_populate_record(old, %(changes)s::jsonb) AS new),
    version = old.version + 1,
    updated_at = now()
WHERE id = %(id)s AND (%(expected)s::bigint IS NULL OR version = %(expected)s::bigint)
RETURNING id, name, description, currency, starts_at, sales_open_at, sales_close_at, max_per_order, max_per_buyer,
          version, created_at, updated_at,
          (SELECT json_agg(types ORDER BY types.id) FROM ticket_types AS types WHERE types.event_id = old.id)::text

-- name: read_orders
-- Args: each NULL for "any": id; event_id, user_id, status; before, an order id; lim, rows at most.
-- Result: orders, newest first. Constants fold: the plan uses the index that the given arguments name.
-- It is the column's order and not that of the text in the result, which no index has.
SELECT id::text, event_id, user_id, items::text, status, total_price, currency, accepted_at, reason, decided_at
FROM orders
WHERE (%(id)s::uuid IS NULL OR id = %(id)s::uuid)
  AND (%(event_id)s::bigint IS NULL OR event_id = %(event_id)s::bigint)
  AND (%(user_id)s::text IS NULL OR user_id = %(user_id)s::text)
  AND (%(status)s::text IS NULL OR status = %(status)s::text)
  AND (%(before)s::uuid IS NULL OR id < %(before)s::uuid)
ORDER BY orders.id DESC
LIMIT %(lim)s

-- name: read_ticket_types
-- Args: event_ids int[].
-- Result: one row a ticket type of those events.
SELECT types.id, types.event_id, types.capacity - types.sold, types.version, events.max_per_buyer
FROM events JOIN ticket_types AS types ON types.event_id = events.id
WHERE events.id = ANY (%(event_ids)s::int[])

-- name: hold_ticket_types
-- Args and result: as read_ticket_types, but the rows are this transaction's until its end. Waiting for them is
-- standing in line: PostgreSQL serves in the order of arrival, where racing again may lose again.
SELECT types.id, types.event_id, types.capacity - types.sold, types.version, events.max_per_buyer
FROM events JOIN ticket_types AS types ON types.event_id = events.id
WHERE events.id = ANY (%(event_ids)s::int[])
ORDER BY types.id
FOR NO KEY UPDATE OF types

-- name: read_order_facts
-- Args: order_ids uuid[], event_ids int[], user_ids text[], in step: one place an order.
-- Result: place (from 1), recorded status and reason, the buyer's tally and its version; only places with news.
-- LATERAL with LIMIT is an index look-up for each place: a join would read the whole of a table that is still small.
SELECT asked.place, orders.status, orders.reason, tallies.quantity, tallies.version
FROM unnest(%(order_ids)s::uuid[], %(event_ids)s::int[], %(user_ids)s::text[])
  WITH ORDINALITY AS asked (order_id, event_id, user_id, place)
LEFT JOIN LATERAL (
  SELECT status, reason FROM orders WHERE id = asked.order_id LIMIT 1
) AS orders ON true
LEFT JOIN LATERAL (
  SELECT quantity, version FROM tallies WHERE event_id = asked.event_id AND user_id = asked.user_id LIMIT 1
) AS tallies ON true
WHERE orders.status IS NOT NULL OR tallies.version IS NOT NULL

-- name: sell
-- Args: type_ids int[], quantities int[], versions int[], in step.
-- Result: rows changed; fewer than asked means that somebody was faster.
-- Locks in the order of ids, so that two batches of several types never wait for each other.
WITH wanted AS MATERIALIZED (
  SELECT types.id, asked.quantity
  FROM unnest(%(type_ids)s::int[], %(quantities)s::int[], %(versions)s::int[]) AS asked (id, quantity, version)
  JOIN ticket_types AS types ON types.id = asked.id AND types.version = asked.version
  ORDER BY types.id
  FOR NO KEY UPDATE OF types
)
UPDATE ticket_types AS types
SET sold = types.sold + wanted.quantity, version = types.version + 1
FROM wanted
WHERE types.id = wanted.id

-- name: record_orders
-- Args, in step: order_ids uuid[], event_ids int[], user_ids text[], statuses text[], reasons text[],
-- items text[] of JSON, quantities int[], total_prices bigint[], currencies text[], accepted_at_ms bigint[];
-- and decided_at.
-- Result: rows added; fewer than given means that another worker recorded one of them.
INSERT INTO orders (id, event_id, user_id, status, reason, items, quantity, total_price, currency,
                    accepted_at, decided_at)
SELECT id, event_id, user_id, status, reason, items::jsonb, quantity, total_price, currency,
       timestamptz 'epoch' + accepted_at_ms * interval '1 millisecond', %(decided_at)s
FROM unnest(%(order_ids)s::uuid[], %(event_ids)s::int[], %(user_ids)s::text[], %(statuses)s::text[],
            %(reasons)s::text[], %(items)s::text[], %(quantities)s::int[], %(total_prices)s::bigint[],
            %(currencies)s::text[], %(accepted_at_ms)s::bigint[])
  AS decided (id, event_id, user_id, status, reason, items, quantity, total_price, currency, accepted_at_ms)
ORDER BY id
ON CONFLICT (id) DO NOTHING

-- name: record_tallies
-- Args, in step: event_ids int[], user_ids text[], quantities int[] (the new totals), versions int[] (as read).
-- Result: rows written; fewer than given means that the buyer's tally has moved.
-- A version as read of 0 is "no row": it meets no row that exists.
INSERT INTO tallies AS tally (event_id, user_id, quantity, version)
SELECT event_id, user_id, quantity, version + 1
FROM unnest(%(event_ids)s::int[], %(user_ids)s::text[], %(quantities)s::int[], %(versions)s::int[])
  AS counted (event_id, user_id, quantity, version)
ORDER BY event_id, user_id
ON CONFLICT (event_id, user_id) DO UPDATE
SET quantity = excluded.quantity, version = excluded.version
WHERE tally.version = excluded.version - 1

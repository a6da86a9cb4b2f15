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
                      max_per_order, max_per_buyer, max_cancellations, buyer_rate_limit, client_rate_limit,
                      hold_seconds, late_payment, organiser_id)
  VALUES (%(name)s, %(description)s, %(currency)s, %(starts_at)s, %(sales_open_at)s, %(sales_close_at)s,
          %(max_per_order)s, %(max_per_buyer)s, %(max_cancellations)s, %(buyer_rate_limit)s, %(client_rate_limit)s,
          %(hold_seconds)s, %(late_payment)s, %(organiser_id)s)
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
       max_cancellations, buyer_rate_limit, client_rate_limit, hold_seconds, late_payment, sales_state,
       organiser_id, version, created_at, updated_at,
       (SELECT json_agg(types ORDER BY types.id) FROM types)::text
FROM event

-- name: read_events
-- Args: id, or NULL for any; after, an event id; lim, rows at most.
-- Result: events with ids greater than `after`, ascending; the last column is the ticket types as JSON, by id.
SELECT id, name, description, currency, starts_at, sales_open_at, sales_close_at, max_per_order, max_per_buyer,
       max_cancellations, buyer_rate_limit, client_rate_limit, hold_seconds, late_payment, sales_state,
       organiser_id, version, created_at, updated_at,
       (SELECT json_agg(types ORDER BY types.id) FROM ticket_types AS types WHERE types.event_id = events.id)::text
FROM events
WHERE (%(id)s::bigint IS NULL OR id = %(id)s::bigint) AND id > %(after)s
ORDER BY id
LIMIT %(lim)s

-- name: update_event
-- Args: id; expected, the version to change or NULL for any; changes, a JSON object by column name.
-- Result: the event as changed, as read_events; no row when the event is not there or has another version.
UPDATE events AS old
SET (name, description, currency, starts_at, sales_open_at, sales_close_at, max_per_order, max_per_buyer,
     max_cancellations, buyer_rate_limit, client_rate_limit, hold_seconds, late_payment) =
    (SELECT new.name, new.description, new.currency, new.starts_at, new.sales_open_at, new.sales_close_at,
            new.max_per_order, new.max_per_buyer, new.max_cancellations, new.buyer_rate_limit,
            new.client_rate_limit, new.hold_seconds, new.late_payment
     FROM jsonb_populate_record(old, %(changes)s::jsonb) AS new),
    version = old.version + 1,
    updated_at = now()
WHERE id = %(id)s AND (%(expected)s::bigint IS NULL OR version = %(expected)s::bigint)
RETURNING id, name, description, currency, starts_at, sales_open_at, sales_close_at, max_per_order, max_per_buyer,
          max_cancellations, buyer_rate_limit, client_rate_limit, hold_seconds, late_payment, sales_state,
          organiser_id, version, created_at, updated_at,
          (SELECT json_agg(types ORDER BY types.id) FROM ticket_types AS types WHERE types.event_id = old.id)::text

-- name: switch_event
-- Args: id; state, the sales state to have.
-- Result: the event as changed, as read_events; no row when it is not there, has that state or is closed.
UPDATE events AS old
SET sales_state = %(state)s, version = old.version + 1, updated_at = now()
WHERE id = %(id)s AND sales_state <> %(state)s AND sales_state <> 'closed'
RETURNING id, name, description, currency, starts_at, sales_open_at, sales_close_at, max_per_order, max_per_buyer,
          max_cancellations, buyer_rate_limit, client_rate_limit, hold_seconds, late_payment, sales_state,
          organiser_id, version, created_at, updated_at,
          (SELECT json_agg(types ORDER BY types.id) FROM ticket_types AS types WHERE types.event_id = old.id)::text

-- name: survey
-- Args: id, an event; order_ids uuid[].
-- Result: one row, as of one moment: the event's ticket types as JSON (NULL without any), and which ids have an order.
SELECT (SELECT json_agg(types ORDER BY types.id) FROM ticket_types AS types WHERE types.event_id = %(id)s)::text,
       ARRAY (SELECT orders.id::text FROM orders WHERE orders.id = ANY (%(order_ids)s::uuid[]))

-- name: read_orders
-- Args: each NULL for "any": id; event_id, user_id, status; before, an order id; lim, rows at most.
-- Result: orders, newest first. Constants fold: the plan uses the index that the given arguments name.
-- It is the column's order and not that of the text in the result, which no index has.
SELECT id::text, event_id, user_id, items::text, status, total_price, currency, accepted_at, reason, decided_at,
       expires_at, detail
FROM orders
WHERE (%(id)s::uuid IS NULL OR id = %(id)s::uuid)
  AND (%(event_id)s::bigint IS NULL OR event_id = %(event_id)s::bigint)
  AND (%(user_id)s::text IS NULL OR user_id = %(user_id)s::text)
  AND (%(status)s::text IS NULL OR status = %(status)s::text)
  AND (%(before)s::uuid IS NULL OR id < %(before)s::uuid)
ORDER BY orders.id DESC
LIMIT %(lim)s

-- name: read_order_by_key
-- Args: user_id, key.
-- Result: the order that has the key, as read_orders, and then its request digest.
SELECT id::text, event_id, user_id, items::text, status, total_price, currency, accepted_at, reason, decided_at,
       expires_at, detail, request_digest
FROM orders
WHERE user_id = %(user_id)s AND idempotency_key = %(key)s

-- name: read_ticket_types
-- Args: event_ids int[].
-- Result: one row a ticket type of those events: id, event id, unsold, version; the event's limit, hold and
-- limit of orders given back.
SELECT types.id, types.event_id, types.capacity - types.sold - types.reserved, types.version,
       events.max_per_buyer, events.hold_seconds, events.max_cancellations
FROM events JOIN ticket_types AS types ON types.event_id = events.id
WHERE events.id = ANY (%(event_ids)s::int[])

-- name: hold_ticket_types
-- Args and result: as read_ticket_types, but the rows are this transaction's until its end. Waiting for them is
-- standing in line: PostgreSQL serves in the order of arrival, where racing again may lose again.
SELECT types.id, types.event_id, types.capacity - types.sold - types.reserved, types.version,
       events.max_per_buyer, events.hold_seconds, events.max_cancellations
FROM events JOIN ticket_types AS types ON types.event_id = events.id
WHERE events.id = ANY (%(event_ids)s::int[])
ORDER BY types.id
FOR NO KEY UPDATE OF types

-- name: read_order_facts
-- Args: order_ids uuid[], event_ids int[], user_ids text[], in step: one place an order.
-- Result: place (from 1), recorded status and reason, the buyer's tally (tickets, version, orders given back); only places with news.
-- LATERAL with LIMIT is an index look-up for each place: a join would read the whole of a table that is still small.
SELECT asked.place, orders.status, orders.reason, tallies.quantity, tallies.version, tallies.given_back
FROM unnest(%(order_ids)s::uuid[], %(event_ids)s::int[], %(user_ids)s::text[])
  WITH ORDINALITY AS asked (order_id, event_id, user_id, place)
LEFT JOIN LATERAL (
  SELECT status, reason FROM orders WHERE id = asked.order_id LIMIT 1
) AS orders ON true
LEFT JOIN LATERAL (
  SELECT quantity, version, given_back FROM tallies
  WHERE event_id = asked.event_id AND user_id = asked.user_id LIMIT 1
) AS tallies ON true
WHERE orders.status IS NOT NULL OR tallies.version IS NOT NULL

-- name: read_keys
-- Args: user_ids text[], keys text[], in step: one place an order; a key may be NULL.
-- Result: user id, key and the order that has it; only keys that an order has.
SELECT asked.user_id, asked.key, orders.id::text
FROM unnest(%(user_ids)s::text[], %(keys)s::text[]) AS asked (user_id, key)
CROSS JOIN LATERAL (
  SELECT id FROM orders WHERE user_id = asked.user_id AND idempotency_key = asked.key LIMIT 1
) AS orders

-- name: sell
-- Args, in step: type_ids int[], quantities int[], versions int[], held bool[] (reserved and not sold).
-- Result: rows changed; fewer than asked means that somebody was faster.
-- Locks in the order of ids, so that two batches of several types never wait for each other.
WITH wanted AS MATERIALIZED (
  SELECT types.id, asked.quantity, asked.held
  FROM unnest(%(type_ids)s::int[], %(quantities)s::int[], %(versions)s::int[], %(held)s::bool[])
    AS asked (id, quantity, version, held)
  JOIN ticket_types AS types ON types.id = asked.id AND types.version = asked.version
  ORDER BY types.id
  FOR NO KEY UPDATE OF types
)
UPDATE ticket_types AS types
SET sold = types.sold + CASE WHEN wanted.held THEN 0 ELSE wanted.quantity END,
    reserved = types.reserved + CASE WHEN wanted.held THEN wanted.quantity ELSE 0 END,
    version = types.version + 1
FROM wanted
WHERE types.id = wanted.id

-- name: record_orders
-- Args, in step: order_ids uuid[], event_ids int[], user_ids text[], statuses text[], reasons text[],
-- items text[] of JSON, quantities int[], total_prices bigint[], currencies text[], accepted_at_ms bigint[],
-- expires_at timestamptz[], keys text[], digests text[], details text[]; and decided_at.
-- Result: rows added; fewer than given means that another worker recorded one of them, or gave its key away.
INSERT INTO orders (id, event_id, user_id, status, reason, items, quantity, total_price, currency,
                    accepted_at, decided_at, expires_at, idempotency_key, request_digest, detail, ended_at)
SELECT id, event_id, user_id, status, reason, items::jsonb, quantity, total_price, currency,
       timestamptz 'epoch' + accepted_at_ms * interval '1 millisecond', %(decided_at)s, expires_at, key, digest,
       detail, CASE WHEN status = 'cancelled' THEN %(decided_at)s::timestamptz END
FROM unnest(%(order_ids)s::uuid[], %(event_ids)s::int[], %(user_ids)s::text[], %(statuses)s::text[],
            %(reasons)s::text[], %(items)s::text[], %(quantities)s::int[], %(total_prices)s::bigint[],
            %(currencies)s::text[], %(accepted_at_ms)s::bigint[], %(expires_at)s::timestamptz[],
            %(keys)s::text[], %(digests)s::text[], %(details)s::text[])
  AS decided (id, event_id, user_id, status, reason, items, quantity, total_price, currency, accepted_at_ms,
              expires_at, key, digest, detail)
ORDER BY id
ON CONFLICT DO NOTHING

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

-- name: lock_order
-- Args: id, an order.
-- Result: the order, as read_orders, then its event's late payment rule and limit of a buyer (NULL without event).
-- Nobody else changes the order until this transaction ends. Orders come first, then ticket types, then tallies.
SELECT orders.id::text, event_id, user_id, items::text, status, total_price, orders.currency, accepted_at, reason,
       decided_at, expires_at, detail, events.late_payment, events.max_per_buyer
FROM orders LEFT JOIN events ON events.id = orders.event_id
WHERE orders.id = %(id)s::uuid
FOR NO KEY UPDATE OF orders

-- name: change_order
-- Args: id; before, after: statuses, neither of them with a hold to come; now.
-- Result: one row changed; none means that the order's status is another by now. An order that comes back to life
-- has not ended.
UPDATE orders
SET status = %(after)s, expires_at = NULL,
    ended_at = CASE WHEN %(after)s = 'cancelled' THEN %(now)s::timestamptz END
WHERE id = %(id)s::uuid AND status = %(before)s

-- name: expire_orders
-- Args: now; lim, orders at most.
-- Result: the orders whose hold has ended by now, as they were, as read_orders; they are expired.
-- What somebody is paying or cancelling at this moment is left to the next turn.
WITH due AS MATERIALIZED (
  SELECT id FROM orders
  WHERE status = 'reserved' AND expires_at <= %(now)s
  ORDER BY expires_at
  LIMIT %(lim)s
  FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE orders SET status = 'expired', ended_at = %(now)s
FROM due
WHERE orders.id = due.id
RETURNING orders.id::text, event_id, user_id, items::text, 'reserved', total_price, currency, accepted_at, reason,
          decided_at, expires_at, detail

-- name: move_stock
-- Args: type_ids int[], sold int[], reserved int[] (differences), in step.
-- Result: rows changed. The version counts only what changes the tickets left: nothing is decided on the rest.
WITH moves AS MATERIALIZED (
  SELECT types.id, asked.sold, asked.reserved
  FROM unnest(%(type_ids)s::int[], %(sold)s::int[], %(reserved)s::int[]) AS asked (id, sold, reserved)
  JOIN ticket_types AS types ON types.id = asked.id
  ORDER BY types.id
  FOR NO KEY UPDATE OF types
)
UPDATE ticket_types AS types
SET sold = types.sold + moves.sold, reserved = types.reserved + moves.reserved,
    version = types.version + (moves.sold + moves.reserved <> 0)::int
FROM moves
WHERE types.id = moves.id

-- name: move_tallies
-- Args: event_ids int[], user_ids text[], quantities int[], given_back int[] (differences), in step.
-- Result: rows changed. Not below 0: a worker that was deployed before orders given back were counted did not
-- count the expiry that is undone here.
WITH moves AS MATERIALIZED (
  SELECT tallies.event_id, tallies.user_id, asked.quantity, asked.given_back
  FROM unnest(%(event_ids)s::int[], %(user_ids)s::text[], %(quantities)s::int[], %(given_back)s::int[])
    AS asked (event_id, user_id, quantity, given_back)
  JOIN tallies ON tallies.event_id = asked.event_id AND tallies.user_id = asked.user_id
  ORDER BY tallies.event_id, tallies.user_id
  FOR NO KEY UPDATE OF tallies
)
UPDATE tallies
SET quantity = tallies.quantity + moves.quantity, given_back = greatest(0, tallies.given_back + moves.given_back),
    version = tallies.version + 1
FROM moves
WHERE tallies.event_id = moves.event_id AND tallies.user_id = moves.user_id

-- name: count_given_back
-- Args: event_id, user_id: the buyer of an order that was cancelled before anybody had decided it.
-- Result: one row, made when the buyer has no tally yet.
INSERT INTO tallies AS tally (event_id, user_id, quantity, version, given_back)
VALUES (%(event_id)s, %(user_id)s, 0, 1, 1)
ON CONFLICT (event_id, user_id) DO UPDATE SET given_back = tally.given_back + 1, version = tally.version + 1

-- name: hold_stock
-- Args: type_ids int[].
-- Result: type id and unsold tickets; the rows are this transaction's until its end.
SELECT id, capacity - sold - reserved
FROM ticket_types
WHERE id = ANY (%(type_ids)s::int[])
ORDER BY id
FOR NO KEY UPDATE

-- name: hold_tally
-- Args: event_id, user_id.
-- Result: the buyer's tickets of the event; the row is this transaction's until its end.
SELECT quantity FROM tallies WHERE event_id = %(event_id)s AND user_id = %(user_id)s FOR NO KEY UPDATE

-- name: record_payment
-- Args: a PaymentNotice's fields, received_at.
-- Result: one row added, unmatched so far; none means that the reference is recorded already.
INSERT INTO payments (reference, order_id, amount, currency, outcome, state, received_at)
VALUES (%(reference)s, %(order_id)s, %(amount)s, %(currency)s, %(outcome)s, 'unmatched', %(received_at)s)
ON CONFLICT (reference) DO NOTHING

-- name: judge_payment
-- Args: reference, state.
UPDATE payments SET state = %(state)s WHERE reference = %(reference)s

-- name: is_paid
-- Args: id, an order.
-- Result: whether a payment is applied to it. Asked after lock_order, in a statement of its own: one that had
-- waited for the lock would still see the payments of before.
SELECT EXISTS (SELECT FROM payments WHERE order_id = %(id)s AND state = 'applied')

-- name: refund_payments
-- Args: id, an order.
-- Result: rows changed: the payment that was applied to the order is due back.
UPDATE payments SET state = 'refund-due' WHERE order_id = %(id)s AND state = 'applied'

-- name: read_payments
-- Args: each NULL for "any": reference; state; after, a reference: only older payments; lim, rows at most.
-- Result: payments, the last received first.
SELECT reference, order_id, amount, currency, outcome, state, received_at
FROM payments
WHERE (%(reference)s::text IS NULL OR reference = %(reference)s::text)
  AND (%(state)s::text IS NULL OR state = %(state)s::text)
  AND (%(after)s::text IS NULL OR (received_at, reference) <
    (SELECT last.received_at, last.reference FROM payments AS last WHERE last.reference = %(after)s::text))
ORDER BY received_at DESC, reference DESC
LIMIT %(lim)s

-- name: count_failures
-- Args: arrays in step: message_ids, bodies, reasons text[], receive_counts int[], order_ids uuid[], event_ids int[],
-- user_ids text[]; recorded_at.
-- Result: message id, how often it has failed by now, whether it was moved aside before. Sorted, so that two workers
-- do not wait in a circle.
WITH failed AS MATERIALIZED (
  SELECT DISTINCT ON (message_id) *
  FROM unnest(%(message_ids)s::text[], %(bodies)s::text[], %(reasons)s::text[], %(receive_counts)s::int[],
              %(order_ids)s::uuid[], %(event_ids)s::int[], %(user_ids)s::text[])
    AS failed (message_id, body, reason, receive_count, order_id, event_id, user_id)
  ORDER BY message_id
), attempts AS (
  INSERT INTO failed_attempts (message_id, failed_at, reason, receive_count)
  SELECT message_id, %(recorded_at)s::timestamptz, reason, receive_count FROM failed
)
INSERT INTO dead_letters (message_id, body, reason, receive_count, recorded_at, order_id, event_id, user_id)
SELECT message_id, body, reason, receive_count, %(recorded_at)s::timestamptz, order_id, event_id, user_id
FROM failed
ORDER BY message_id
ON CONFLICT (message_id) DO UPDATE
SET reason = excluded.reason, receive_count = excluded.receive_count, recorded_at = excluded.recorded_at,
  failures = dead_letters.failures + 1, order_id = coalesce(excluded.order_id, dead_letters.order_id),
  event_id = coalesce(excluded.event_id, dead_letters.event_id),
  user_id = coalesce(excluded.user_id, dead_letters.user_id)
RETURNING message_id, failures, moved_at IS NOT NULL

-- name: read_dead_letters
-- Args: each NULL for "any": message_ids text[]; event_id, user_id, reason (a part of it, in lower case), state;
-- before_at and before_id together; with_bodies; lim, rows at most.
-- Result: messages that failed by a fault of their own, the last one first; the last column is the body, when it is
-- asked for and no longer than any order's.
SELECT message_id, reason, receive_count, failures, recorded_at, moved_at, order_id::text, event_id, user_id,
       redriven_at, deleted_at,
       CASE WHEN %(with_bodies)s AND octet_length(body) <= 65536 THEN body ELSE '' END
FROM dead_letters
WHERE (%(message_ids)s::text[] IS NULL OR message_id = ANY (%(message_ids)s::text[]))
  AND (%(event_id)s::bigint IS NULL OR event_id = %(event_id)s::bigint)
  AND (%(user_id)s::text IS NULL OR user_id = %(user_id)s::text)
  AND (%(reason)s::text IS NULL OR strpos(lower(reason), %(reason)s::text) > 0)
  AND (%(state)s::text IS NULL OR state = %(state)s::text)
  AND (%(before_id)s::text IS NULL
       OR (recorded_at, message_id) < (%(before_at)s::timestamptz, %(before_id)s::text))
ORDER BY recorded_at DESC, message_id DESC
LIMIT %(lim)s

-- name: count_dead_letters
-- Args: as read_dead_letters has them up to the state.
-- Result: how many there are.
SELECT count(*)
FROM dead_letters
WHERE (%(message_ids)s::text[] IS NULL OR message_id = ANY (%(message_ids)s::text[]))
  AND (%(event_id)s::bigint IS NULL OR event_id = %(event_id)s::bigint)
  AND (%(user_id)s::text IS NULL OR user_id = %(user_id)s::text)
  AND (%(reason)s::text IS NULL OR strpos(lower(reason), %(reason)s::text) > 0)
  AND (%(state)s::text IS NULL OR state = %(state)s::text)

-- name: read_failed_attempts
-- Args: message_id; lim, rows at most.
-- Result: its failures, the last one first.
SELECT failed_at, reason, receive_count
FROM failed_attempts
WHERE message_id = %(message_id)s
ORDER BY failed_at DESC
LIMIT %(lim)s

-- name: read_body
-- Args: message_id.
SELECT body FROM dead_letters WHERE message_id = %(message_id)s

-- name: mark_moved
-- Args: message_ids text[]; moved_at.
-- Result: rows changed: the first time counts.
UPDATE dead_letters SET moved_at = %(moved_at)s WHERE message_id = ANY (%(message_ids)s::text[]) AND moved_at IS NULL

-- name: find_candidates
-- Args: text, anything; lim, rows at most of each kind but the last.
-- Result: order id (NULL for a message that cannot be read), event id, and what of it is the text. Each kind comes from
-- one index, and no more of it than `lim`, however many orders a buyer has or share a key.
(SELECT id::text, event_id, 'buyer' FROM orders WHERE user_id = %(text)s ORDER BY orders.id DESC LIMIT %(lim)s)
UNION ALL
(SELECT order_id::text, event_id, 'buyer' FROM dead_letters
 WHERE user_id = %(text)s AND order_id IS NOT NULL LIMIT %(lim)s)
UNION ALL
(SELECT id::text, event_id, 'idempotency-key' FROM orders
 WHERE idempotency_key = %(text)s ORDER BY user_id LIMIT %(lim)s)
UNION ALL
SELECT order_id::text, event_id, 'message-id' FROM dead_letters WHERE message_id = %(text)s

-- name: read_orders_by_id
-- Args: ids uuid[].
-- Result: the orders, as read_orders, in no order.
SELECT id::text, event_id, user_id, items::text, status, total_price, currency, accepted_at, reason, decided_at,
       expires_at, detail
FROM orders WHERE id = ANY (%(ids)s::uuid[])

-- name: read_letters
-- Args: ids uuid[], orders; message_id, any text; lim, rows at most.
-- Result: what is known of these orders' messages that failed, and of the one message, the last failure first.
SELECT message_id, order_id::text, event_id, user_id, reason, failures, recorded_at, moved_at, redriven_at, deleted_at
FROM dead_letters WHERE order_id = ANY (%(ids)s::uuid[]) OR message_id = %(message_id)s
ORDER BY recorded_at DESC, message_id DESC
LIMIT %(lim)s

-- name: read_trace
-- Args: id, an order; lim, letters, attempts and payments at most, of each the last ones.
-- Result: one row, all of one moment: the order as read_orders (NULLs when it is not decided), when it ended, its event's
-- hold; then as JSON, NULL for none, the messages of it that failed, their failures, and the payments for it.
WITH letters AS MATERIALIZED (
  SELECT message_id, order_id, event_id, user_id, reason, failures, recorded_at, moved_at, redriven_at, deleted_at
  FROM dead_letters WHERE order_id = %(id)s::uuid
  ORDER BY recorded_at DESC, message_id DESC
  LIMIT %(lim)s
), attempts AS (
  SELECT failed.failed_at, failed.reason, failed.receive_count
  FROM letters JOIN failed_attempts AS failed ON failed.message_id = letters.message_id
  ORDER BY failed.failed_at DESC
  LIMIT %(lim)s
), paid AS (
  SELECT reference, order_id, amount, currency, outcome, state, received_at
  FROM payments WHERE order_id = %(id)s::uuid::text
  ORDER BY received_at DESC, reference DESC
  LIMIT %(lim)s
)
SELECT orders.id::text, orders.event_id, user_id, items::text, status, total_price, orders.currency, accepted_at, reason,
       decided_at, expires_at, detail, ended_at, events.hold_seconds,
       (SELECT json_agg(letters) FROM letters)::text, (SELECT json_agg(attempts) FROM attempts)::text,
       (SELECT json_agg(paid) FROM paid)::text
FROM (VALUES (%(id)s::uuid)) AS asked (id)
LEFT JOIN orders ON orders.id = asked.id
LEFT JOIN events ON events.id = orders.event_id

-- name: mark_redriven
-- Args: message_ids text[]; at.
-- Result: rows changed: the first time counts, and what was given up stays so.
UPDATE dead_letters SET redriven_at = %(at)s
WHERE message_id = ANY (%(message_ids)s::text[]) AND redriven_at IS NULL AND deleted_at IS NULL

-- name: mark_all_redriven
-- Args: moved_until, at: of what lay on the dead-letter queue since before the first, SQS has moved all.
-- Result: rows changed.
UPDATE dead_letters SET redriven_at = %(at)s
WHERE moved_at <= %(moved_until)s AND redriven_at IS NULL AND deleted_at IS NULL

-- name: mark_deleted
-- Args: message_ids text[]; at.
-- Result: rows changed: the first time counts.
UPDATE dead_letters SET deleted_at = %(at)s WHERE message_id = ANY (%(message_ids)s::text[]) AND deleted_at IS NULL

-- name: read_with_messages
-- Args: order_ids uuid[]; failed_since.
-- Result: those of the orders that have no answer, and lie among the dead letters or have failed since then.
SELECT DISTINCT asked.order_id::text
FROM unnest(%(order_ids)s::uuid[]) AS asked (order_id)
JOIN dead_letters AS letters ON letters.order_id = asked.order_id
WHERE (letters.moved_at IS NOT NULL OR letters.recorded_at >= %(failed_since)s) AND letters.redriven_at IS NULL AND letters.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM orders WHERE orders.id = asked.order_id)

-- name: record_action
-- Args: id, at, actor, action, target, reason, detail (JSON).
INSERT INTO audit_records (id, at, actor, action, target, reason, detail)
VALUES (%(id)s::uuid, %(at)s, %(actor)s, %(action)s, %(target)s, %(reason)s, %(detail)s::jsonb)

-- name: read_actions
-- Args: before, an id or NULL; lim, rows at most.
-- Result: who did what, newest first. It is the column's order and not that of the text in the result.
SELECT at, actor, action, target, reason, detail::text, id::text
FROM audit_records
WHERE %(before)s::uuid IS NULL OR id < %(before)s::uuid
ORDER BY audit_records.id DESC
LIMIT %(lim)s
-- name: read_sale_facts
-- Args: event_id.
-- Result: one row: when the event's first order was accepted (NULL without any), and how many buyers have tickets.
SELECT (SELECT accepted_at FROM orders WHERE event_id = %(event_id)s ORDER BY orders.id LIMIT 1),
       (SELECT count(*) FROM tallies WHERE event_id = %(event_id)s AND quantity > 0)

-- name: read_sales
-- Args: event_id; edges timestamptz[], ascending: they part time into pieces, 0 is what was before the first.
-- Result: by piece of decided_at and by reason (NULL: sold or reserved): orders, their tickets, the last decided_at.
-- All orders of the event are read: one that waited out an outage was decided long after its id.
SELECT width_bucket(decided_at, %(edges)s::timestamptz[]), reason, count(*), sum(quantity), max(decided_at)
FROM orders
WHERE event_id = %(event_id)s AND status IN ('confirmed', 'reserved', 'rejected')
GROUP BY 1, 2

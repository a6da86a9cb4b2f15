-- Messages that failed by a fault of their own, each counted by hand: SQS counts outages as well.

CREATE TABLE dead_letters (
  message_id     text PRIMARY KEY,
  body           text NOT NULL,
  reason         text NOT NULL,
  receive_count  int NOT NULL,
  failures       int NOT NULL DEFAULT 1 CHECK (failures > 0),
  recorded_at    timestamptz NOT NULL,
  moved_at       timestamptz
);
CREATE INDEX dead_letters_by_time ON dead_letters (recorded_at, message_id);

"""Bytes that were measured of our own requests, and the few that were not. It must not know any price.

Milliseconds and CPU are in `infra/capacity/limits.json`, each with its source.
"""

from __future__ import annotations

ORDER_LOG_BYTES, REFUSAL_LOG_BYTES = 610, 610
"""What the service writes for each, metrics in the same lines: the local stack's logs after a rush of 5,000
orders, 1,000 let in and decided in batches of 80; November 2026. Lambda's own lines are not in it."""
ORDER_ANSWER_BYTES, REFUSAL_ANSWER_BYTES = 890, 610
"""A 202 and a `sold-out`, head and body, as the local stack sends them: read off the wire, November 2026."""
PLAIN_LINE_BYTES = 165
"""The same lines without metrics: 158 and 172 bytes (docs/decisions/0017-metrics.md)."""
SEND_MICROS, BOTO3_SEND_MICROS = 50, 710
"""CPU of one send alone, ours and boto3's (docs/decisions/0003-own-sigv4-sender.md)."""
LAMBDA_LINE_BYTES = 350
"""Lambda's START, END and REPORT of one invocation. Not measured: they exist on AWS alone."""
CALL_MILLIS = 5.0
"""One call of CloudWatch's PutMetricData. Not measured: "some milliseconds" in docs/decisions/0017."""

"""The ASGI front of the embedded SQS: SQS calls go straight to the emulator's SQS, all else to its own app.

The emulator serves a hundred services; finding out which one a request is for costs it more than SQS
does, and its SQS walks over the whole queue for each message. CPU of the server on the 2-core reference
machine, both under granian with uvloop, bodies of 250 bytes, 4 connections, one run after the other:

    one call of                          emulator's own app     this front
    SendMessage                               295 us               212 us
    SendMessageBatch of 10                    450 us               400 us
    receive 10 + delete 10, 4,000 queued    2,700 us               825 us
    receive 10 + delete 10, 2,000 queued    1,450 us               700 us
    send 10 + receive 10 + delete 10        1,100 us               750 us

Runs in the emulator's environment (.venv/emulator), served by granian with uvloop; it must import
nothing of the service. It leans on inner names of one exact release, which infra/local/requirements.txt pins.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import time

from ministack import app as emulator
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.core.router import extract_access_key_id, extract_region
from ministack.services import sqs

from infra.local.sqs_counts import SqsCounts

logging.getLogger().setLevel(logging.WARNING)


async def app(scope, receive, send):
    """One request; SQS's JSON protocol takes the short way."""
    if scope["type"] == "lifespan":
        await emulator.app(scope, receive, _after_making_queues(send))
        return
    if scope["type"] == "http" and scope["method"] == "POST":
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get("x-amz-target", "").startswith("AmazonSQS."):
            await _sqs(scope["path"], headers, receive, send)
            return
    await emulator.app(scope, receive, send)


async def _sqs(path, headers, receive, send):
    body = await _body(receive)
    set_request_account_id(extract_access_key_id(headers))
    set_request_region(extract_region(headers))
    status, answer_headers, answer = await sqs.handle_request("POST", path, headers, body, {})
    raw = [(name.lower().encode(), value.encode()) for name, value in answer_headers.items()]
    raw.append((b"content-length", str(len(answer)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": answer})


def _after_making_queues(send):
    # No request is served before the start is complete: nobody meets a restarted SQS without its queues.
    async def forward(message):
        if message["type"] == "lifespan.startup.complete":
            make_queues(json.loads(os.environ["SQS_QUEUES"]))
            counts.start()
        await send(message)

    return forward


def make_queues(wanted):
    """Makes each queue of {name: attributes} that is not there yet, and gives it its attributes anew."""
    set_request_account_id("")
    set_request_region(os.environ["AWS_REGION"])
    for name, attributes in wanted.items():
        url = sqs._act_create_queue({"QueueName": name}, "")["QueueUrl"]
        if attributes:
            sqs._act_set_queue_attributes({"QueueUrl": url, "Attributes": attributes}, url)


def delete_message_batch(data, queue_url):
    """Deletes up to ten messages in one walk over the queue; the emulator makes one walk for each."""
    url = data.get("QueueUrl", queue_url)
    queue = sqs._get_q(url, "sqs:DeleteMessage")
    entries = data.get("Entries", [])
    sqs._validate_batch_entries(entries, "DeleteMessageBatchRequestEntry")
    wanted = {entry["ReceiptHandle"] for entry in entries if entry.get("ReceiptHandle")}
    found = {message["receipt_handle"] for message in queue["messages"]} & wanted
    queue["messages"] = [message for message in queue["messages"] if message["receipt_handle"] not in found]
    done = [{"Id": entry["Id"]} for entry in entries if entry.get("ReceiptHandle") in found]
    refused = [
        {"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "Message": "unknown", "SenderFault": True}
        for entry in entries
        if entry.get("ReceiptHandle") not in found
    ]
    return {"Successful": done, "Failed": refused}


def change_message_visibility_batch(data, queue_url):
    """Hides up to ten messages for as long as each is told, in one walk over the queue, as above."""
    queue = sqs._get_q(data.get("QueueUrl", queue_url), "sqs:ChangeMessageVisibility")
    entries = data.get("Entries", [])
    sqs._validate_batch_entries(entries, "ChangeMessageVisibilityBatchRequestEntry")
    wanted = {entry["ReceiptHandle"]: entry for entry in entries if entry.get("ReceiptHandle")}
    now, done = time.time(), []
    for message in queue["messages"]:
        if entry := wanted.get(message["receipt_handle"]):
            message["visible_at"] = now + int(entry.get("VisibilityTimeout", 30))
            done.append({"Id": entry["Id"]})
    known = {entry["Id"] for entry in done}
    refused = [
        {"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "Message": "unknown", "SenderFault": True}
        for entry in entries
        if entry["Id"] not in known
    ]
    return {"Successful": done, "Failed": refused}


def collect_messages(queue, at_most, visibility_seconds):
    """Hands out up to ten visible messages and stops looking; the emulator looks at the whole queue."""
    now = time.time()
    if queue["is_fifo"]:
        return sqs._collect_fifo(queue, at_most, visibility_seconds, now)
    visible = (message for message in queue["messages"] if message["visible_at"] <= now)
    found = list(itertools.islice(visible, at_most))
    for message in found:
        sqs._ensure_msg_fields(message)
        message["receipt_handle"] = sqs.new_uuid()
        message["visible_at"] = now + visibility_seconds
        message["receive_count"] += 1
        message["first_receive_at"] = message.get("first_receive_at") or now
    return found


sqs._HANDLERS["DeleteMessageBatch"] = delete_message_batch
sqs._HANDLERS["ChangeMessageVisibilityBatch"] = change_message_visibility_batch
sqs._collect_msgs = collect_messages
counts = SqsCounts(list(json.loads(os.environ["SQS_QUEUES"])))
counts.counting(sqs._HANDLERS)


async def _body(receive):
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)

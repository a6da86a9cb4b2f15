"""Measures what one send to SQS costs: boto3, botocore's signer with urllib3, and ours, alone and coalesced.

`python -m infra.bench.queue_send http://127.0.0.1:PORT` against a running SQS emulator. It makes a queue
of its own there and deletes it. CPU is this process's; the emulator runs on the same cores.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import msgspec
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from chalicelib.aws.sigv4 import Credentials
from chalicelib.queue.client import QueueClient
from chalicelib.queue.sender import Sender

REGION = "us-east-1"
SINGLE_SENDS = 1_000
CROWD_SENDS = 6_000
BODY = '{"schema":1,"orderId":"0192f8b0-0000-7000-8000-000000000001","eventId":1,"userId":"u-1",' + (
    '"currency":"EUR","items":[{"ticketTypeId":1,"quantity":2,"unitPrice":5000}],"acceptedAtMs":1795365375123}'
)


def main() -> None:
    """Prints the table of the decision page."""
    endpoint = sys.argv[1]
    sqs = boto3.client(
        "sqs",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="t",
        aws_secret_access_key="t",  # noqa: S106 - the emulator takes any
    )
    url = f"{endpoint}/000000000000/{sqs.create_queue(QueueName='bench')['QueueUrl'].rpartition('/')[2]}"
    try:
        print("| way | CPU µs/send | sends/s |\n|---|---|---|")
        _row("boto3", lambda: _boto3(sqs, url))
        _row("botocore signer + urllib3", _signer_and_urllib3(endpoint, url))
        _row("ours, one thread", _ours(url, 1))
        _crowds(url)
    finally:
        sqs.delete_queue(QueueUrl=url)


def _crowds(url: str) -> None:
    for threads in (8, 16, 32):
        for lanes in (1, 2, 3):
            send = _ours(url, lanes)
            with ThreadPoolExecutor(threads) as pool:
                _share(pool, send, threads, sends=threads)
                cpu, wall = time.process_time(), time.perf_counter()
                _share(pool, send, threads, sends=CROWD_SENDS)
                _print(f"ours, {threads} threads, {lanes} lanes", CROWD_SENDS, cpu, wall)


def _share(pool: ThreadPoolExecutor, send: Callable[[], object], threads: int, sends: int) -> None:
    def work(_: int) -> None:
        for _ in range(sends // threads):
            send()

    list(pool.map(work, range(threads)))


def _row(name: str, send: Callable[[], object]) -> None:
    send()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(SINGLE_SENDS):
        send()
    _print(name, SINGLE_SENDS, cpu, wall)


def _print(name: str, sends: int, cpu: float, wall: float) -> None:
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"| {name} | {cpu / sends * 1e6:.0f} | {sends / wall:,.0f} |", flush=True)


def _boto3(sqs: Any, url: str) -> None:
    sqs.send_message(QueueUrl=url, MessageBody=BODY, MessageGroupId="1")


def _signer_and_urllib3(endpoint: str, url: str) -> Callable[[], object]:
    pool, signer = urllib3.PoolManager(), SigV4Auth(BotoCredentials("t", "t"), "sqs", REGION)
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage"}

    def send() -> object:
        body = msgspec.json.encode({"QueueUrl": url, "MessageBody": BODY, "MessageGroupId": "1"})
        request = AWSRequest("POST", endpoint + "/", headers=headers, data=body)
        signer.add_auth(request)
        return pool.request("POST", endpoint + "/", body=body, headers=dict(request.headers.items())).data

    return send


def _ours(url: str, lanes: int) -> Callable[[], object]:
    sender = Sender(QueueClient(url, REGION, lambda: Credentials("t", "t"), 5_000), lanes)
    return lambda: sender.send(BODY, "1")


if __name__ == "__main__":
    main()

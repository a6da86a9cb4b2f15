"""The same rush with LocalStack's SQS."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local import sqs
from tests.support.sqs import LOCALSTACK, skip_without_localstack
from tests.support.stack import Stack, broken_promises

pytestmark = [pytest.mark.slow, pytest.mark.localstack]


def test_three_hundred_tickets_sell_out_over_localstack(tmp_path: Path) -> None:
    skip_without_localstack()
    with Stack(tmp_path).background("--aws", "localstack") as stack:
        found = stack.status()["sqs"]
        assert (found["endpoint"], found["pid"]) == (LOCALSTACK, None)
        result = stack.rush(tickets=300, buyers=600)
        assert broken_promises(result) == []
        assert (result.confirmed, result.refused) == (300, {"sold-out": 300})
        assert sqs.waiting(found["queueUrl"]) == (0, 0)
        assert sqs.waiting(found["deadLetterUrl"]) == (0, 0)

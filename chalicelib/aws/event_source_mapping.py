"""Looks at one event source mapping of Lambda, and turns it on and off, without boto3. It knows no queue.

Lambda's REST API, `/2015-03-31/event-source-mappings/{uuid}` ("GetEventSourceMapping" and
"UpdateEventSourceMapping" in the AWS Lambda API reference). A change takes effect within seconds: until then
the state is `Enabling` or `Disabling`.
"""

from __future__ import annotations

from typing import Any

from chalicelib.aws.answers import AwsRefused
from chalicelib.aws.client import AwsClient
from chalicelib.aws.credentials import credential_source
from chalicelib.aws.mapping import Mapping, MappingState
from chalicelib.aws.sigv4 import LAMBDA
from chalicelib.errors import Unavailable
from chalicelib.settings import Settings

TIMEOUT_MS = 3_000
"""Of one call, its retries included: an operator waits for it, and the function has 15 s."""
PART = "fulfilment"
PATH = "/2015-03-31/event-source-mappings"


class EventSourceMapping:
    """One mapping. Thread-safe, as its client."""

    def __init__(self, client: AwsClient, uuid: str) -> None:
        """`client` calls Lambda; `uuid` is the mapping's."""
        self._client = client
        self._path = f"{PATH}/{uuid}"

    def read(self) -> Mapping:
        """Describes the mapping as it is. Raises Unavailable("fulfilment"), a missing right included."""
        return self._call("GET", None)

    def switch(self, *, enabled: bool) -> Mapping:
        """Turns it on or off; doing so twice changes nothing. Returns it as it is on its way.

        Raises Unavailable("fulfilment"), also while Lambda is busy with another change of it.
        """
        return self._call("PUT", {"Enabled": enabled})

    def close(self) -> None:
        """Closes the idle connections; a later call opens new ones."""
        self._client.close()

    def _call(self, method: str, payload: dict[str, object] | None) -> Mapping:
        try:
            return mapping_of(self._client.call_path(method, self._path, payload))
        except (AwsRefused, ValueError) as error:
            raise Unavailable(PART, f"{method} {self._path}: {error}") from error


def event_source_mapping(settings: Settings) -> EventSourceMapping | None:
    """The mapping that the settings name; None when they name none.

    None as well in the stage `local` without an address: a developer's machine never asks AWS.
    """
    address = settings.aws_endpoint_url_lambda
    if not settings.fulfilment_mapping_id or (settings.stage == "local" and not address):
        return None
    client = AwsClient(
        address or f"https://lambda.{settings.aws_region}.amazonaws.com",
        settings.aws_region,
        credential_source(settings),
        TIMEOUT_MS,
        service=LAMBDA,
        part=PART,
    )
    return EventSourceMapping(client, settings.fulfilment_mapping_id)


def mapping_of(answer: dict[str, Any]) -> Mapping:
    """Reads Lambda's description. A state that is none of ours, such as `Updating`, is unknown."""
    return Mapping(
        state=_STATES.get(answer.get("State", ""), MappingState.UNKNOWN),
        batch_size=answer.get("BatchSize"),
        window_seconds=answer.get("MaximumBatchingWindowInSeconds"),
        maximum_concurrency=(answer.get("ScalingConfig") or {}).get("MaximumConcurrency"),
    )


_STATES = {state.value: state for state in MappingState} | {"Creating": MappingState.ENABLING}

"""A whole plan is executed on the emulated AWS: what is uploaded, referred to, asked, and put back.

The stacks are small ones; the service is a server of this test that is ready, or is not.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from infra.deploy.account import Account, at_endpoint
from infra.deploy.bring import Manner
from infra.deploy.execute import Execution
from infra.deploy.failure import Failed
from infra.deploy.faults import Fault
from infra.deploy.plan import Package, plan
from infra.deploy.stacks import Stacks
from infra.deploy.stage import stage_settings
from infra.deploy.standing import outputs_of, standing
from infra.deploy.steps import Check, Plan
from infra.emulator import aws
from infra.local.layout import free_port
from infra.stacks.template import Template, template
from tests.support.parts import running

pytestmark = [pytest.mark.slow, pytest.mark.deploy]


@contextmanager
def service(status: int) -> Iterator[str]:
    """The address of a service whose /ready answers `status`."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"detail": "the gate is down"}).encode()
            self.send_response(status if self.path == "/api/ready" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
        server.shutdown()
        serving.join()


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, running(aws.part(Path(folder), port), Path(folder)):
        yield at_endpoint("emulator", aws.url(port), {"database_url": "postgresql://ledger"})


class Stage:
    """A stage of its own name, and what is deployed to it."""

    def __init__(self, account: Account, folder: Path) -> None:
        """Makes nothing yet."""
        self.account, self.name, self.folder = account, f"t{uuid4().hex[:8]}", folder
        self.told: list[str] = []

    def package(self, address: str, seconds: int = 30, more: dict[str, Any] | None = None) -> Package:
        """Code of some bytes, a queue as the foundation, and a service that answers at `address`."""
        code = self.folder / "code.zip"
        code.write_bytes(address.encode())
        return Package(
            code,
            f"code/{uuid4().hex}.zip",
            len(address),
            ARTIFACTS,
            self._foundation(),
            self._service(address, seconds, more),
        )

    def deploy(self, package: Package, ready_seconds: int = 0) -> bool:
        """Whether anything changed."""
        return Execution(
            self.planned(package, ready_seconds), package, self.account, Manner(self.told.append)
        ).run()

    def planned(self, package: Package, ready_seconds: int = 0) -> Plan:
        """The plan, which waits no longer than `ready_seconds` for the service."""
        made = plan(self.name, stage_settings("demo"), "emulator", package)
        steps = [
            replace(step, seconds=ready_seconds) if isinstance(step, Check) else step for step in made.steps
        ]
        return replace(made, steps=tuple(steps))

    def parameters(self) -> dict[str, str]:
        """What the service's stack was given."""
        look = Stacks(self.account).look(f"onsale-{self.name}-service")
        assert look is not None
        return look.parameters

    def seconds(self) -> str:
        """A property of a resource of the service's stack, as it really is."""
        sqs = self.account.client("sqs")
        url = sqs.get_queue_url(QueueName=f"{self.name}-service")["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
        return str(found["Attributes"]["VisibilityTimeout"])

    def _foundation(self) -> Template:
        queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": f"onsale-{self.name}-orders"}}
        outputs = {"OrderQueueUrl": {"Value": {"Ref": "Orders"}}}
        return template(json.dumps({"Resources": {"Orders": queue}, "Outputs": outputs}))

    def _service(self, address: str, seconds: int, more: dict[str, Any] | None) -> Template:
        properties = {"QueueName": f"{self.name}-service", "VisibilityTimeout": seconds}
        document = {
            "Parameters": {name: {"Type": "String"} for name in ("OrderQueueUrl", "DatabaseUrl")},
            "Resources": {"Any": {"Type": "AWS::SQS::Queue", "Properties": properties}, **(more or {})},
            "Outputs": {"EndpointURL": {"Value": address}},
        }
        return template(json.dumps(document))


ARTIFACTS = template(
    json.dumps(
        {
            "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}},
            "Outputs": {"ArtifactBucket": {"Value": {"Ref": "Bucket"}}},
        }
    )
)


@pytest.fixture
def stage(account: Account, tmp_path: Path) -> Stage:
    return Stage(account, tmp_path)


@pytest.fixture(scope="module")
def ready() -> Iterator[str]:
    with service(200) as address:
        yield address


@pytest.fixture(scope="module")
def broken() -> Iterator[str]:
    with service(503) as address:
        yield address


def test_a_plan_is_carried_out_with_every_reference_looked_up(stage: Stage, ready: str) -> None:
    assert stage.deploy(stage.package(ready))
    queue = outputs_of(stage.account, stage.name)["OrderQueueUrl"]
    assert stage.parameters() == {"OrderQueueUrl": queue, "DatabaseUrl": "postgresql://ledger"}
    assert stage.told[-1] == f"{ready}: ready"


def test_code_and_templates_lie_in_the_bucket_by_their_content(stage: Stage, ready: str) -> None:
    package = stage.package(ready)
    stage.deploy(package)
    look = Stacks(stage.account).look("onsale-artifacts")
    assert look is not None
    s3, bucket = stage.account.client("s3"), look.outputs["ArtifactBucket"]
    for key, content in (
        (package.code_key, ready),
        (package.foundation.key, package.foundation.text),
        (package.service.key, package.service.text),
    ):
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() == content


def test_the_same_again_uploads_nothing_and_changes_nothing(stage: Stage, ready: str) -> None:
    package = stage.package(ready)
    stage.deploy(package)
    stage.told.clear()
    assert not stage.deploy(package)
    assert not [line for line in stage.told if "uploading" in line]
    assert sum("no changes" in line for line in stage.told) == 3


def test_the_shared_bucket_is_protected_and_an_unprotected_stage_is_not(stage: Stage, ready: str) -> None:
    stage.deploy(stage.package(ready))
    protected = {each.name: each.protected for each in standing(stage.account, stage.name).stacks}
    assert protected == {
        "onsale-artifacts": True,
        f"onsale-{stage.name}-foundation": False,
        f"onsale-{stage.name}-service": False,
    }


def test_a_new_version_that_is_not_ready_gives_its_place_back(stage: Stage, ready: str, broken: str) -> None:
    stage.deploy(stage.package(ready, seconds=30))
    with pytest.raises(
        Failed, match=r"not ready after 0 s: /ready answers 503 \(the gate is down\)"
    ) as raised:
        stage.deploy(stage.package(broken, seconds=31))
    assert "The previous version was put back" in str(raised.value)
    assert outputs_of(stage.account, stage.name)["EndpointURL"] == ready
    assert stage.seconds() == "30"


def test_a_new_version_that_is_ready_keeps_its_place(stage: Stage, ready: str) -> None:
    """The control: what the test above sees put back stays where nothing is wrong."""
    stage.deploy(stage.package(ready, seconds=30))
    stage.deploy(stage.package(ready, seconds=31))
    assert stage.seconds() == "31"


def test_after_it_was_put_back_the_corrected_version_is_deployed(
    stage: Stage, ready: str, broken: str
) -> None:
    stage.deploy(stage.package(ready, seconds=30))
    with pytest.raises(Failed):
        stage.deploy(stage.package(broken, seconds=31))
    assert stage.deploy(stage.package(ready, seconds=32))
    assert stage.seconds() == "32"


def test_a_first_version_that_is_not_ready_has_none_to_go_back_to(stage: Stage, broken: str) -> None:
    with pytest.raises(Failed, match="It is the first version"):
        stage.deploy(stage.package(broken))


def test_a_foundation_that_says_less_than_is_needed_is_named(stage: Stage, ready: str) -> None:
    package = stage.package(ready)
    wanted = stage.planned(package)
    service_step = wanted.steps[-2]
    only_service = replace(wanted, steps=(wanted.steps[0], wanted.steps[3], service_step))
    execution = Execution(only_service, package, stage.account, Manner(stage.told.append))
    with pytest.raises(Fault, match=f"onsale-{stage.name}-foundation has no output OrderQueueUrl"):
        execution.run()


def test_a_service_that_stops_being_ready_is_not_called_a_bad_version(stage: Stage) -> None:
    with service(200) as address:
        package = stage.package(address)
        stage.deploy(package)
    with pytest.raises(Failed, match="was not changed, so there is nothing to put back"):
        stage.deploy(package)

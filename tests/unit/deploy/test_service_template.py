"""The service's stack as it is packaged: what a release, a limit and a batch need is there."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra.stacks.foundation import STACKS, parsed
from infra.stacks.service import CHECKOUT, NotPackaged, Target, service_template
from tests.support.service_stack import REVIEWED, condensed, functions, packaged, text

WORKERS = {"Fulfil", "Reconcile", "Expire", "Watch"}
EVERY = {"APIHandler", "Migrate", *WORKERS}


def test_it_is_the_template_that_was_reviewed() -> None:
    """After a change on purpose: `python -m tests.support.service_stack`, and read the difference."""
    assert condensed(packaged()) == REVIEWED.read_text(encoding="utf-8")


def test_the_same_files_make_the_same_text_whatever_the_shell_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "prod")
    again = service_template("code/c.zip", architecture="arm64", target="aws", runtime="python3.13")
    assert again == text()


def test_every_function_has_the_code_and_what_it_runs_on() -> None:
    for each in functions(packaged()).values():
        assert each["CodeUri"] == {"Bucket": {"Ref": "ArtifactBucket"}, "Key": "code/c.zip"}
        assert (each["Architectures"], each["Runtime"]) == (["arm64"], "python3.13")


def test_every_function_has_limits_a_log_a_role_of_its_own_and_a_network() -> None:
    found = functions(packaged())
    assert set(found) == EVERY
    for each in found.values():
        assert each["MemorySize"] != 128
        assert each["Timeout"] != 60
        assert each["VpcConfig"]["Fn::If"][0] == "OnAws"
    assert len({json.dumps(each["Role"]) for each in found.values()}) == len(EVERY)
    assert len({json.dumps(each["LoggingConfig"]) for each in found.values()}) == len(EVERY)


def test_every_log_group_is_its_functions_and_is_not_kept_for_ever() -> None:
    template = packaged()
    for each in functions(template).values():
        group = template["Resources"][each["LoggingConfig"]["LogGroup"]["Ref"]]["Properties"]
        assert group["LogGroupName"]["Fn::Sub"] == f"/aws/lambda/{each['FunctionName']['Fn::Sub']}"
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_function_is_published_and_reached_by_its_alias() -> None:
    for each in functions(packaged()).values():
        assert (each["AutoPublishAlias"], each["AutoPublishAliasAllProperties"]) == ("live", True)


@pytest.mark.parametrize("target", ["aws", "emulator"])
def test_the_api_calls_nothing_but_the_alias(target: Target) -> None:
    template = packaged(target)
    api = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    assert past_the_alias(api) == []
    permission = template["Resources"]["APIHandlerInvokePermission"]["Properties"]
    assert permission["FunctionName"] == {"Ref": "APIHandler.Alias"}


def past_the_alias(api: dict[str, Any]) -> list[str]:
    """The calls that do not go through the alias."""
    wanted = {"Alias": {"Ref": "APIHandler.Alias"}}
    return [
        f"{method} {path}"
        for path, methods in api["paths"].items()
        for method, said in methods.items()
        if said["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"][1:] != [wanted]
    ]


def test_control_a_call_past_the_alias_is_seen() -> None:
    api = packaged()["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    said = api["paths"]["/orders"]["post"]["x-amazon-apigateway-integration"]
    said["uri"] = {"Fn::Sub": "arn:…/functions/${APIHandler.Arn}/invocations"}
    assert past_the_alias(api) == ["post /orders"]


def test_a_batch_may_fail_in_part_and_is_no_more_than_the_ledger_is_to_bear() -> None:
    mapping = functions(packaged())["Fulfil"]["Events"]["FulfilSqsEventSource"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "FulfilMaximumConcurrency"}}
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (100, 1)
    assert mapping["Queue"] == {"Ref": "OrderQueueArn"}


def test_a_message_is_hidden_for_six_times_as_long_as_its_function_may_take() -> None:
    hidden_seconds = parsed((STACKS / "foundation.yaml").read_text())["Parameters"]["VisibilitySeconds"]
    timeout_seconds = functions(packaged())["Fulfil"]["Timeout"]
    assert min(hidden_seconds["Default"], hidden_seconds["MinValue"]) >= 6 * timeout_seconds


def test_a_scheduled_run_ends_before_the_next_and_is_not_repeated() -> None:
    for name, each in functions(packaged()).items():
        schedules = [event for event in each.get("Events", {}).values() if event["Type"] == "Schedule"]
        if schedules:
            assert schedules[0]["Properties"]["Schedule"] == "rate(1 minute)"
            assert each["Timeout"] < 60, name
            assert each["EventInvokeConfig"]["MaximumRetryAttempts"] == 0


def test_no_function_gets_new_code_before_the_ledger_has_its_tables() -> None:
    resources = packaged()["Resources"]
    assert {name for name in EVERY if "Migration" in resources[name].get("DependsOn", [])} == EVERY - {
        "Migrate"
    }
    assert resources["Migration"]["Properties"]["ServiceToken"] == {"Fn::GetAtt": ["Migrate", "Arn"]}


def test_a_release_comes_little_by_little_and_goes_back_when_it_rings() -> None:
    for name in ("APIHandler", "Fulfil"):
        release = functions(packaged())[name]["DeploymentPreference"]
        assert release["Type"].startswith("Canary")
        assert len(release["Alarms"]) == 3


def test_an_alarm_that_a_release_waits_for_exists() -> None:
    template = packaged()
    known = set(
        re.findall(r'"AlarmName": "([^"]+)"', (CHECKOUT / "infra/cloudwatch/alarms.json").read_text())
    )
    for name in ("APIHandler", "Fulfil"):
        for alarm in functions(template)[name]["DeploymentPreference"]["Alarms"]:
            assert alarm.get("Fn::Sub") in known or alarm.get("Ref") in template["Resources"]


def test_the_emulator_gets_no_codedeploy_and_numbers_for_numbers() -> None:
    template = packaged("emulator")
    for each in functions(template).values():
        assert "DeploymentPreference" not in each
        assert isinstance(each["MemorySize"], int)
    assert not {"DoorErrors", "FulfilErrors", "ReleaseRole"} & set(template["Resources"])


def test_a_changed_setting_publishes_the_functions_that_use_it_and_no_other() -> None:
    assert published(DoorMemoryMb="2048", LogRetentionDays="30") == {"APIHandler"}


def test_a_setting_of_all_publishes_all() -> None:
    assert published(LogLevel="debug") == EVERY


def published(**parameters: str) -> set[str]:
    """The functions whose text is another once the parameters are known."""
    before, after = functions(packaged()), functions(json.loads(made(parameters=parameters)))
    return {name for name in EVERY if before[name]["Description"] != after[name]["Description"]}


def made(**words: Any) -> str:
    return service_template("code/c.zip", architecture="arm64", target="aws", **words)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is packaged, to be changed."""
    for name in ("app.py", ".chalice/config.json", "infra/stacks/service.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / name, tmp_path / name)
    shutil.copytree(CHECKOUT / "chalicelib", tmp_path / "chalicelib")
    return tmp_path


def test_another_migration_is_run_and_other_code_runs_none(checkout: Path) -> None:
    def files() -> str:
        said: str = json.loads(made(checkout=checkout))["Resources"]["Migration"]["Properties"]["Files"]
        return said

    (checkout / "chalicelib/breaker.py").write_text('"""Another."""\n')
    before = files()
    assert before == packaged()["Resources"]["Migration"]["Properties"]["Files"]
    (checkout / "chalicelib/ledger/migrations/9999_more.sql").write_text("SELECT 1")
    assert files() != before


def test_an_application_that_cannot_be_imported_says_why(checkout: Path) -> None:
    (checkout / "app.py").write_text("import nothing_of_the_kind")
    with pytest.raises(NotPackaged, match="nothing_of_the_kind"):
        made(checkout=checkout)


def test_what_others_ask_of_the_stack_is_there_and_nothing_that_misleads() -> None:
    assert set(packaged()["Outputs"]) == {
        "EndpointURL",
        "RestAPIId",
        "DomainTarget",
        "MappingId",
        "DoorAlias",
        *(f"{name}Alias" for name in EVERY - {"APIHandler"}),
    }

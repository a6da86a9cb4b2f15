"""The template of the service stack: what Chalice packages of app.py, infra/stacks/service.yaml laid over it.

No account is asked, so that a plan can be made and read by itself. The zip is not made here: Chalice's own,
of an application without a dependency, is thrown away.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from chalice.package import YAMLTemplateSerializer

from chalicelib.ledger.migrate import digest
from infra.stacks.gateway_responses import gateway_responses

Target = Literal["aws", "localstack", "emulator"]
Template = dict[str, Any]

CHECKOUT = Path(__file__).resolve().parents[2]
MERGED = Path("infra/stacks/service.yaml")
CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"
CHALICE_STAGE = "lambda"
MIGRATIONS = Path("chalicelib/ledger/migrations")
_SHIPPED = ("app.py", "chalicelib", ".chalice/config.json")
_FUNCTION = "AWS::Serverless::Function"
_NETWORK = ("SubnetIds", "FunctionSecurityGroupId")
_RELEASE = ("DoorErrors", "FulfilErrors", "ReleaseRole")


class NotPackaged(RuntimeError):
    """Chalice could not package the application; the message is what it said."""


def service_template(  # noqa: PLR0913 - each is one decision of a deployment
    code_key: str,
    *,
    architecture: str,
    target: Target,
    parameters: Mapping[str, str] | None = None,
    runtime: str | None = None,
    checkout: Path = CHECKOUT,
) -> str:
    """Makes the template as JSON text; the same arguments and files make the same text.

    `code_key` is the zip's key in the bucket of parameter `ArtifactBucket`, `architecture` Lambda's name for
    the processor, `runtime` for the Python in the zip, such as "python3.11" (None: this process's).
    `parameters` are what the stack will be given: SAM publishes a version for changed text alone, so each
    function's text has a digest of the values that it uses. `checkout` has app.py and what it needs.
    Raises NotPackaged.
    """
    template = _packaged(checkout)
    given = parameters or {}
    template["Resources"]["Migration"]["Properties"]["Files"] = digest(checkout / MIGRATIONS)
    template["Outputs"] = _own_outputs(checkout)
    for function in _functions(template):
        properties = function["Properties"]
        properties["CodeUri"] = {"Bucket": {"Ref": "ArtifactBucket"}, "Key": code_key}
        properties["Architectures"] = [architecture]
        properties["Runtime"] = runtime or properties["Runtime"]
        properties["Description"] = _settings(function, template, given)
    _send_traffic_to_the_alias(template)
    if target != "aws":
        _fit_the_emulator(template, given)
    api = template["Resources"]["RestAPI"]["Properties"]
    api["GatewayResponses"] = gateway_responses("aws" if target == "aws" else "local")
    return json.dumps(template, indent=1, sort_keys=True)


def _packaged(checkout: Path) -> Template:
    """What `chalice package` makes of a copy that holds nothing else: no zip to wait for, no local state."""
    with tempfile.TemporaryDirectory(prefix="onsale-package-") as folder:
        staging = Path(folder) / "application"
        for name in _SHIPPED:
            _copy(checkout / name, staging / name)
        (staging / "requirements.txt").touch()
        merged = Path(folder) / "service.json"
        merged.write_text(json.dumps(_read(checkout / MERGED)), encoding="utf-8")
        out = Path(folder) / "out"
        _run_chalice(staging, merged, out)
        template: Template = json.loads((out / "sam.json").read_text(encoding="utf-8"))
    return template


def _copy(source: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, destination, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, destination)


def _read(path: Path) -> Template:
    """A template in YAML. Chalice's reader knows CloudFormation's short forms."""
    text = path.read_text(encoding="utf-8")
    template: Template = YAMLTemplateSerializer().load_template(text, str(path))
    return template


def _run_chalice(staging: Path, merged: Path, out: Path) -> None:
    words = [sys.executable, "-c", CHALICE, "package", "--stage", CHALICE_STAGE]
    words += ["--merge-template", str(merged), str(out)]
    # app.py reads its settings when it is imported: here the defaults, whatever the caller's shell says.
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(staging), "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(words, cwd=staging, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPackaged(f"chalice package failed: {(done.stderr or done.stdout).strip()}")


def _functions(template: Template) -> Iterator[Template]:
    return (each for each in template["Resources"].values() if each["Type"] == _FUNCTION)


def _own_outputs(checkout: Path) -> Template:
    """Chalice's name functions without their alias, where no traffic goes."""
    outputs: Template = _read(checkout / MERGED)["Outputs"]
    return outputs


def _settings(function: Template, template: Template, parameters: Mapping[str, str]) -> str:
    """A text that changes with the values of the parameters that the function uses, and shows none."""
    used = set(_references({**function, "Globals": template["Globals"]})) & set(parameters)
    values = json.dumps({name: parameters[name] for name in sorted(used)})
    return f"settings {hashlib.sha256(values.encode()).hexdigest()[:12]}"


def _references(value: object) -> Iterator[str]:
    """What a part of a template refers to by Ref; parameters in Fn::Sub only name things after the stage."""
    if isinstance(value, Mapping):
        if isinstance(name := value.get("Ref"), str):
            yield name
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _send_traffic_to_the_alias(template: Template) -> None:
    """Chalice has API Gateway call the function itself, past the alias that a release moves."""
    resources = template["Resources"]
    alias = {"Ref": "APIHandler.Alias"}
    for path in resources["RestAPI"]["Properties"]["DefinitionBody"]["paths"].values():
        for method in path.values():
            uri = method["x-amazon-apigateway-integration"]["uri"]
            text = uri["Fn::Sub"].replace("${APIHandler.Arn}", "${Alias}")
            uri["Fn::Sub"] = [text, {"Alias": alias}]
    resources["APIHandlerInvokePermission"]["Properties"]["FunctionName"] = alias


def _fit_the_emulator(template: Template, given: Mapping[str, str]) -> None:
    """It has no CodeDeploy and no network, and takes for a text what AWS makes a number of."""
    for function in _functions(template):
        function["Properties"].pop("DeploymentPreference", None)
    for name in _RELEASE:
        del template["Resources"][name]
    for name in _NETWORK:
        template["Parameters"][name]["Default"] = ""
    numbers = {
        name: json.loads(given.get(name, str(declared.get("Default"))))
        for name, declared in template["Parameters"].items()
        if declared["Type"] == "Number"
    }
    template["Resources"] = _with_numbers(template["Resources"], numbers)


def _with_numbers(value: Any, numbers: Mapping[str, float]) -> Any:
    """A part of a template with numbers in place of the references to them."""
    if isinstance(value, list):
        return [_with_numbers(each, numbers) for each in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("Ref") in numbers:
        return numbers[value["Ref"]]
    return {name: _with_numbers(each, numbers) for name, each in value.items()}

"""What to do about reasons that events or a function give, as most errors of AWS arrive. Pure."""

from __future__ import annotations

import re

NAME_TAKEN = (
    "A name is taken, perhaps by what an earlier stage has left: delete that, or choose another stage name,"
    " then deploy again."
)
UNPROTECT = (
    "Set `protected = false` for the stage in infra/stacks/stages.toml and deploy once: that takes the"
    " protection away. Then destroy."
)


_REASONS = (
    (
        r"CodeDeploy|Rollback successful|AlarmActive",
        "An alarm rang while a tenth of the traffic went to the new version, so it was taken back. See"
        " which one in the alarms' history, then `python -m infra logs`.",
    ),
    (r"already exists|already in use|name .*taken|scheduled for deletion", NAME_TAKEN),
    (
        r"quota|limit.{0,20}(exceeded|reached)|exceed.{0,20}limit|LimitExceeded|maximum number of",
        "That is a quota of the account: ask for more in Service Quotas, or lower the setting in"
        " infra/stacks/stages.toml; then deploy again.",
    ),
    (
        r"ReservedConcurrentExecutions|UnreservedConcurrentExecution",
        "The account has too few concurrent executions for what the stage reserves: lower"
        " door_reserved_concurrency in infra/stacks/stages.toml, or ask for more in Service Quotas.",
    ),
    (
        r"not authorized to perform|AccessDenied|access denied",
        "Ask whoever administers the account to allow that to the role you deploy with.",
    ),
    (
        r"Rate exceeded|Throttl",
        "AWS turned calls away because there were too many: deploy again in a minute.",
    ),
    (
        r"Installation of lambda-runtime|Docker not available|Docker.*(daemon|socket)",
        "LocalStack has no Docker, or could not fetch what it runs functions with: start it by"
        " docker-compose.localstack.yml, or deploy with --foundation-only; --target emulator needs neither.",
    ),
    (
        r"Unable to import module|ImportModuleError|invalid ELF header|GLIBC_|cannot open shared object",
        "The zip does not fit the function: it was made for another Python or architecture. Compare"
        " `architecture` in infra/stacks/stages.toml with `python -m infra package`, then deploy again.",
    ),
)
"""A pattern of a reason, and what to do; the first that fits."""


def hint(reason: str) -> str:
    """What to do about a reason that an event or a function gives; empty when nothing is known."""
    for pattern, sentence in _REASONS:
        if re.search(pattern, reason, re.IGNORECASE):
            return sentence
    return ""

"""The function that brings the ledger's tables up to date, before any other function has new code.

An operator calls it and hears what was applied, or the error. CloudFormation calls it for the custom
resource of the service's stack, and is answered where it asked to be: a migration that fails, fails the
update. Knows no SQL and no file's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.errors import OnsaleError
from chalicelib.log import log
from chalicelib.services import Services

PHYSICAL_ID = "onsale-ledger-schema"
"""The same for ever, so that CloudFormation never takes a change for a replacement."""


def migrate(services: Services, event: Mapping[str, Any] | None) -> dict[str, Any]:
    """Applies what the ledger does not have yet; returns {"applied": [names of files]}.

    Called by CloudFormation it raises for nothing but an answer that could not be given; deleting the
    resource deletes nothing. Called otherwise it raises what ledger.migrate raises.
    """
    from chalicelib.aws import custom_resource

    if not event or "ResponseURL" not in event:
        return {"applied": _applied(services)}
    applied: list[str] = []
    failure = None
    try:
        if event["RequestType"] != "Delete" and not _is_on_the_way_back(event):
            applied = _applied(services)
    except Exception as error:
        failure = reason(error)
        log("not-migrated", "error", type=type(error).__name__, cause=failure)
    custom_resource.answer(event, PHYSICAL_ID, {"Applied": ",".join(applied)}, failure)
    return {"applied": applied, "failure": failure}


def reason(error: Exception) -> str:
    """A sentence for the stack's events that says what failed, and shows no secret.

    Of an address that cannot be read nothing is shown, since a password may stand in it.
    """
    import psycopg

    from chalicelib.ledger.migrate import ChangedMigration

    file = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return f"{file}{error.diag.message_primary} ({error.diag.sqlstate})"
    if isinstance(error, psycopg.OperationalError):
        return f"{file}the ledger does not answer: {str(error).partition(chr(10))[0]}"
    if isinstance(error, psycopg.ProgrammingError):
        return f"{file}the ledger's address cannot be read"
    if isinstance(error, OnsaleError):
        return f"{file}{error.detail}"
    return f"{file}{error}" if isinstance(error, ChangedMigration) else f"{file}{type(error).__name__}"


def _is_on_the_way_back(event: Mapping[str, Any]) -> bool:
    """Whether an update is taken back, and reaches the resource before this function has its former code.

    The files in hand are then those that failed. Were they tried again, the way back would fail as well, and
    a stack in that state is mended by hand.
    """
    from chalicelib.ledger.migrate import digest

    in_hand = digest()
    asked, before = (
        event.get(name, {}).get("Files") for name in ("ResourceProperties", "OldResourceProperties")
    )
    return bool(asked) and before == in_hand != asked


def _applied(services: Services) -> list[str]:
    from chalicelib.ledger.migrate import migrate as apply

    applied = apply(services.settings.database_url, secret=services.ledger_login)
    log("migrated", applied=applied)
    return applied

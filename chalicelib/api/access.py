"""Who may do what: one table of operations and roles, and the one place where it is looked up.

`OWN` is what belongs to the caller: a buyer's orders, an organiser's events; views hold it, by `Caller`.
An operation that is not in the table cannot be mounted. Knows no store and nothing of tokens but their door.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import msgspec

from chalicelib.errors import Rejected
from chalicelib.identity.principal import Role
from chalicelib.services import Services


class Reach(Enum):
    """How far somebody may reach in an operation."""

    OWN = "own"
    ANY = "any"


Allowed = Mapping[Role, Reach] | None
"""Roles that may call an operation, and how far they reach; None is everybody, without a token as well."""

BUYER, ORGANISER, OPERATOR, STAFF = Role
OWN, ANY = Reach
PUBLIC: Allowed = None
_ORGANISERS: Allowed = {ORGANISER: OWN, OPERATOR: ANY}
_OPERATORS: Allowed = {OPERATOR: ANY}
_WATCHERS: Allowed = {STAFF: ANY, OPERATOR: ANY}
_ONLOOKERS: Allowed = {ORGANISER: OWN, STAFF: ANY, OPERATOR: ANY}

ACCESS: dict[str, Allowed] = {
    "getIndex": PUBLIC,
    "getHealth": PUBLIC,
    "getReadiness": PUBLIC,
    "getContract": PUBLIC,
    "getDocs": PUBLIC,
    "getDocsScript": PUBLIC,
    "getDocsStyle": PUBLIC,
    "getDocsPageStyle": PUBLIC,
    "getDocsStart": PUBLIC,
    "getConsole": PUBLIC,
    "getConsoleFile": PUBLIC,
    "listEvents": PUBLIC,
    "getEvent": PUBLIC,
    "getAvailability": PUBLIC,
    "createEvent": {ORGANISER: ANY, OPERATOR: ANY},
    "updateEvent": _ORGANISERS,
    "pauseSale": _ORGANISERS,
    "resumeSale": _ORGANISERS,
    "closeSale": _ORGANISERS,
    "placeOrder": {BUYER: OWN},
    "getOrder": {BUYER: OWN, STAFF: ANY, OPERATOR: ANY},
    "listOrders": {BUYER: OWN, OPERATOR: ANY},
    "cancelOrder": {BUYER: OWN, OPERATOR: ANY},
    "takePayment": PUBLIC,  # its door is the signature
    "listPayments": _OPERATORS,
    "findOrders": _WATCHERS,
    "getTimeline": _WATCHERS,
    "getDashboard": _WATCHERS,
    "queryMetrics": _WATCHERS,
    "listAlarms": _WATCHERS,
    "listAlarmHistory": _WATCHERS,
    "listDeadLetters": _WATCHERS,
    "getDeadLetter": _WATCHERS,
    "foreseeRedrive": _WATCHERS,
    "getRedrive": _WATCHERS,
    "redriveDeadLetters": _OPERATORS,
    "deleteDeadLetters": _OPERATORS,
    "listActions": _WATCHERS,
    "getMe": {ORGANISER: ANY, STAFF: ANY, OPERATOR: ANY},
    "getConservation": _ONLOOKERS,
    "getSale": _ONLOOKERS,
    "getQueue": _WATCHERS,
    "pauseFulfilment": _OPERATORS,
    "resumeFulfilment": _OPERATORS,
}
"""Operation id -> who may call it."""


class Caller(msgspec.Struct, frozen=True):
    """Who calls an operation, and how far the table lets them reach; the subject is None for anybody."""

    subject: str | None
    reach: Reach
    roles: frozenset[Role] = frozenset()
    """Of the token; none where nobody is asked for one."""

    @property
    def actor(self) -> str:
        """Who it was, for the log of actions."""
        return self.subject or "anybody"

    def reaches(self, owner: str | None) -> bool:
        """Whether what belongs to `owner` is within reach."""
        return self.reach is ANY or owner == self.subject


ANYBODY = Caller(None, ANY)


def caller(services: Services, operation_id: str, headers: Mapping[str, str]) -> Caller:
    """Lets a request with these headers into an operation.

    Raises Rejected("unauthenticated"), Rejected("forbidden"), or Unavailable when the issuer's keys cannot
    be read. In open mode everybody is let in.
    """
    allowed = ACCESS[operation_id]
    if services.tokens is None or allowed is None:
        return ANYBODY
    principal = services.tokens.principal(_bearer(headers.get("authorization")), services.clock().timestamp())
    reaches = {allowed[role] for role in principal.roles if role in allowed}
    if not reaches:
        raise Rejected("forbidden", "The token's roles do not allow this.")
    return Caller(principal.subject, ANY if ANY in reaches else OWN, principal.roles)


def _bearer(authorization: str | None) -> str:
    """The token of an Authorization header: `Bearer`, in any case, one blank, the token (RFC 6750)."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Rejected("unauthenticated", "Send a bearer token in the header Authorization.")
    return token

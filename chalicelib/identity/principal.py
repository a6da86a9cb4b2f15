"""Who somebody is, as their token says. It must not know how a token is verified, nor any route."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What somebody does here; one person may have several."""

    BUYER = "buyer"
    ORGANISER = "organiser"
    OPERATOR = "operator"
    STAFF = "staff"


class Principal(msgspec.Struct, frozen=True):
    """Somebody whose token was found good. `subject` is their id with the issuer, a buyer's `userId` here."""

    subject: str
    roles: frozenset[Role]

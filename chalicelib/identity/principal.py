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


class Principal(msgspec.Struct, frozen=True, gc=False):
    """Somebody whose token was found good. `subject` is their id with the issuer, a buyer's `userId` here.

    `expires` is when the token ends, in seconds since 1970. Thousands are kept: the garbage collector does
    not look at them, which would cost more than verifying their tokens.
    """

    subject: str
    roles: frozenset[Role]
    expires: float

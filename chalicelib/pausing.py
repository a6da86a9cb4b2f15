"""Whether fulfilment is paused, as far as Lambda tells. It changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.aws.mapping import UNKNOWN, Mapping, MappingState
from chalicelib.errors import Unavailable
from chalicelib.log import log

if TYPE_CHECKING:
    from chalicelib.services import Services

_PAUSED = {MappingState.DISABLING, MappingState.DISABLED}


def mapping(services: Services) -> Mapping:
    """What hands batches to the queue function; unknown while Lambda does not answer."""
    if services.fulfilment is None:
        return UNKNOWN
    try:
        return services.fulfilment.read()
    except Unavailable as error:
        log("mapping-unknown", "warning", part=error.part, cause=error.detail)
        return UNKNOWN


def is_paused(services: Services) -> bool:
    """Whether somebody has paused fulfilment for certain."""
    return mapping(services).state in _PAUSED

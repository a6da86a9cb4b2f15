"""The HTTP edge: one file per resource, mounted as one Chalice blueprint. Nothing below imports it."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.api.docs import ALL
from chalicelib.api.operations import mount
from chalicelib.log import set_level
from chalicelib.services import Services


def routes(services: Services) -> Blueprint:
    """Makes the blueprint with every call of the contract.

    `services` may be lazy: nothing is connected before a call needs it.
    """
    set_level(services.settings.log_level)
    blueprint = Blueprint(__name__)
    mount(blueprint, services, ALL)
    return blueprint

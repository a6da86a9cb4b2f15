"""The log of actions: who switched, redrove or deleted what, when and why. It is only read here."""

from __future__ import annotations

from chalice.app import Response

from chalicelib.api.cursors import before_action, read_before_action
from chalicelib.api.dead_letter_views import ActionPage, action_view
from chalicelib.api.operations import Call, Operation, answer, operation
from chalicelib.api.schemas import Page
from chalicelib.services import Services


@operation("GET /ops/log", query=Page, answers={200: ActionPage}, codes=("unavailable",))
def list_actions(services: Services, _: Call, page: Page) -> Response:
    """List what operators did, newest first."""
    before = read_before_action(page.cursor) if page.cursor else None
    found = services.ledger.actions(before, page.limit + 1)
    shown = [action_view(each) for each in found[: page.limit]]
    more = before_action(shown[-1].id) if len(found) > page.limit else None
    return answer(200, ActionPage(items=shown, next_cursor=more))


OPERATIONS: tuple[Operation, ...] = (list_actions,)

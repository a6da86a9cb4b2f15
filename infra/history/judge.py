"""Judges a run by its history alone. Pure: a story in, a verdict out; every promise is a check.

It asks no store, uses none of the service's rules, and says what it could not judge.
"""

from __future__ import annotations

from infra.history import heard, ledger_promises, orders_kept
from infra.history.story import Story
from infra.history.walk import Walk
from infra.rush.verdict import Audit, Check, verdict


def judge(story: Story) -> Audit:
    """Judges what can be judged; a history without a ledger, or without an end, has notes that say so."""
    checks = orders_kept.among_buyers(story)
    if not story.ledger_is_whole:
        return verdict(checks, *_notes(story))
    walk = Walk(story)
    checks += [
        *ledger_promises.checks(walk),
        *orders_kept.in_the_ledger(story, walk),
        *heard.checks(story, walk),
    ]
    return verdict(checks, *_notes(story), *orders_kept.notes(story, walk))


def as_one(audit: Audit, story: Story) -> Check:
    """The whole verdict as one check of another audit."""
    broken = [check for check in audit.checks if not check.passed]
    figures = f"{len(story.requests):,} requests, {len(story.commits):,} commits"
    named = "; ".join(f"{check.promise}: {check.detail}" for check in broken)
    promise = f"the history alone shows that {len(audit.checks)} promises were kept"
    return Check(promise, audit.passed, named or figures)


def _notes(story: Story) -> list[str]:
    if story.end is None:
        return ["the history breaks off: nothing was judged that needs the ledger or the end"]
    if story.end.without_ledger is not None:
        return [f"nothing was judged that needs the ledger: {story.end.without_ledger}"]
    return [] if story.end.awaited else ["not every answer was waited for; an undecided order is no fault"]

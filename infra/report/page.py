"""The report as one HTML page that needs nothing else: no script, no address; style and pictures are inside.

Pure: figures in, text out. Whatever comes from outside is escaped by `markup.py`.
"""

from __future__ import annotations

from pathlib import Path

from infra.report import pictures, sections
from infra.report.figures import Facts
from infra.report.happened import happened
from infra.report.markup import Markup, element
from infra.report.words import clock, day, duration, stretch

STYLE = Path(__file__).with_name("page.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for this page: nothing. Its style stands in the page."""


def page(facts: Facts) -> str:
    """The whole page."""
    html = element(
        "html", _head(facts), element("body", _header(facts), _main(facts), _footer(facts)), lang="en"
    )
    return f"<!doctype html>\n{html}\n"


def _head(facts: Facts) -> Markup:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("title", f"{facts.event_name}: how the sale went"),
        element("style", Markup(STYLE.read_text(encoding="utf-8"))),
    )


def _header(facts: Facts) -> Markup:
    return element(
        "header",
        element("p", "Sale report", class_="kicker"),
        element("h1", facts.event_name),
        element("p", stretch(facts.span.starts_at, facts.span.ends_at), class_="when"),
    )


def _main(facts: Facts) -> Markup:
    found = facts.certificate
    holds = "certificate" if found is None else f"certificate {'holds' if found.holds else 'broken'}"
    return element(
        "main",
        sections.at_a_glance(facts),
        _section("certificate", "Certificate", sections.certificate(found) if found else None, holds),
        _section("curve", "Tickets sold", pictures.curve(facts)),
        _section("asked", "Everybody who asked", sections.asked(facts)),
        _section("waits", "How long buyers waited", sections.waited(facts)),
        _section("happened", "What happened", happened(facts)),
        _section("cost", "What it cost on AWS", sections.cost(facts)),
        _missing(facts),
    )


def _section(name: str, title: str, inner: Markup | None, kind: str | None = None) -> Markup:
    shown = element("p", "Not known, or nothing to show.", class_="unknown") if inner is None else inner
    return element("section", element("h2", title, id=name), shown, aria_labelledby=name, class_=kind)


def _missing(facts: Facts) -> Markup | None:
    if not facts.missing:
        return None
    items = [element("li", f"not known: {one.source}. {one.why}") for one in facts.missing]
    return _section("missing", "What is not known", element("ul", items))


def _footer(facts: Facts) -> Markup:
    chosen = "as asked for" if facts.window_given else "the minutes in which people asked"
    stage = f"stage {facts.stage}" if facts.stage else "stage not known"
    return element(
        "footer",
        element(
            "p",
            f"Metrics cover {stretch(facts.window.starts_at, facts.window.ends_at)} ({chosen}), in steps of "
            f"{duration(facts.resolution_seconds)}. Sold tickets come from the ledger, attempts and waits "
            "from the service's metrics.",
        ),
        element(
            "p",
            f"Event {facts.event_id}, {stage}. Written {day(facts.made_at)}, {clock(facts.made_at)} UTC.",
        ),
    )

"""The families of failure. The family decides the answer; the code names the cause.

`Rejected`     a final answer: 4xx over HTTP; recorded and acknowledged in the worker.
`Conflict`     somebody was faster: retry at once, a bounded number of times.
`Unavailable`  not now: 503 with Retry-After over HTTP; `batchItemFailures` in the worker.

Anything else is a bug. An error knows no HTTP status: `api/problems.py` has the table.
"""

from __future__ import annotations


class OnsaleError(Exception):
    """A failure with a stable `code` for machines, a sentence for people, and data."""

    def __init__(self, code: str, detail: str, **data: object) -> None:
        """`code` is one of the contract's problem codes; `data` must hold no personal data."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.data = data


class Rejected(OnsaleError):
    """No, and asking again will not help."""


class Conflict(OnsaleError):
    """Another writer was faster; read again and decide again."""

    def __init__(self, detail: str) -> None:
        """`detail` says which row was taken."""
        super().__init__("conflict", detail)


class Unavailable(OnsaleError):
    """A store or the queue did not answer in time. `part` names it: gate, queue, ledger or secrets.

    `ambiguous` is true when the call may have taken effect although no answer came.
    """

    def __init__(self, part: str, detail: str, *, ambiguous: bool = False) -> None:
        """`detail` is for the log and never for the buyer."""
        super().__init__("unavailable", detail, part=part)
        self.part = part
        self.ambiguous = ambiguous


class Undecided(Unavailable):
    """Nobody can tell yet. The `detail` is for the caller."""


class InvalidRequest(Rejected):
    """The caller's input broke a rule. `errors` has one (field, message) pair for each."""

    def __init__(self, errors: list[tuple[str, str]], code: str = "invalid-request") -> None:
        """`errors` must not be empty; fields are named as in the JSON body or the query."""
        super().__init__(code, "; ".join(f"{field}: {message}" for field, message in errors))
        self.errors = errors

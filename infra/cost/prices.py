"""AWS's list prices, as `prices.json` has them: each with its unit, its day and where it was found stated.

Knows no workload; the model that multiplies is `cost.py`.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("prices.json")


class Price(msgspec.Struct, frozen=True):
    """`price` in the list's currency buys `per` units. Days are ISO dates, `source` and `where` addresses."""

    name: str
    price: float
    per: int
    unit: str
    as_of: str
    source: str
    confirmed: str | None = None
    """The day on which it was found stated at `where`; None: nobody has looked."""
    where: str = ""
    note: str = ""

    @property
    def one(self) -> float:
        """The price of a single unit."""
        return self.price / self.per


class Prices(msgspec.Struct, frozen=True):
    """A price list of one region."""

    currency: str
    region: str
    about: str
    prices: tuple[Price, ...]

    def named(self, name: str) -> Price:
        """The price of that name. Raises KeyError."""
        for price in self.prices:
            if price.name == name:
                return price
        raise KeyError(name)


def list_prices() -> Prices:
    """The list that is kept beside this module."""
    return msgspec.json.decode(FILE.read_bytes(), type=Prices)

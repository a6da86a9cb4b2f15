"""Compresses long answers for whoever accepts it, as API Gateway does from `minimum_compression_size` on.

Files come again and again and are compressed once; what is long and changes costs its compression each time.
"""

from __future__ import annotations

import gzip
from functools import lru_cache

LEAST_BYTES = 1024
"""`minimum_compression_size` of .chalice/config.json; a shorter answer would hardly shrink."""
_FAST, _SMALL = 1, 9


def compressed(headers: list[tuple[str, str]], body: bytes, accepted: str) -> bytes:
    """Returns `body` gzipped, with its headers appended to `headers`; as it is for who does not take gzip.

    `accepted` is the request's Accept-Encoding. An answer that is encoded already stays.
    """
    names = {name.lower() for name, _ in headers}
    if "content-encoding" in names:
        return body
    headers.append(("Vary", "Accept-Encoding"))
    if "gzip" not in accepted:
        return body
    headers.append(("Content-Encoding", "gzip"))
    return _once(body) if "etag" in names else gzip.compress(body, _FAST, mtime=0)


@lru_cache(maxsize=64)
def _once(body: bytes) -> bytes:
    return gzip.compress(body, _SMALL, mtime=0)

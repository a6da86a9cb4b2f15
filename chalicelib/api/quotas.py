"""What is left of a rate limit, in headers (draft-ietf-httpapi-ratelimit-headers). Pure."""

from __future__ import annotations

from chalicelib.model import Quota

NAMES = ("RateLimit-Policy", "RateLimit")


def quota_headers(quota: Quota) -> dict[str, str]:
    """The two headers, which name the bucket: "buyer" or "client"; `t` is the wait for one request more."""
    return {
        "RateLimit-Policy": f'"{quota.bucket}";q={quota.per_minute};w=60',
        "RateLimit": f'"{quota.bucket}";r={quota.left};t={quota.wait_seconds}',
    }

"""Schemathesis against the contract document of a running stack, as every role and as nobody."""

"""What Lambda hands to a function beside the event. It measures and limits nothing."""

from __future__ import annotations


class LambdaContext:
    """The context of one call of `function_name`."""

    function_version = "$LATEST"
    memory_limit_in_mb = "512"
    log_stream_name = "local"
    identity = None
    client_context = None

    def __init__(self, request_id: str, function_name: str, timeout_ms: int) -> None:
        self.aws_request_id = request_id
        self.function_name = function_name
        self._timeout_ms = timeout_ms

    @property
    def invoked_function_arn(self) -> str:
        """The function's name as AWS writes it."""
        return f"arn:aws:lambda:us-east-1:000000000000:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        """Where its log would be."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """The whole timeout: nothing is cut off here."""
        return self._timeout_ms

"""Is one cold start: run by a fresh interpreter that has only its standard library and the unpacked zip.

Reads what to do from standard input, and writes what it took as the last line of standard output. It
may import only what every Python has, so that it adds nothing to what it measures.
"""

import importlib
import json
import sys
import time
from types import SimpleNamespace

CONTEXT = SimpleNamespace(
    aws_request_id="first",
    function_name="onsale",
    function_version="1",
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:onsale",
    memory_limit_in_mb=1024,
    log_group_name="/aws/lambda/onsale",
    log_stream_name="first",
    get_remaining_time_in_millis=lambda: 15_000,
)


def cpu_ms() -> float:
    """Of this process since it was started."""
    return time.process_time() * 1000


def start(asked: dict) -> dict:  # type: ignore[type-arg]
    """Imports the handler, gives it its first events, and imports what else these would need."""
    sys.path.insert(0, asked["task"])
    module, _, name = asked["handler"].rpartition(".")
    loaded = importlib.import_module(module)
    handler, ready = getattr(loaded, name), cpu_ms()
    answers = [answer_of(handler, event) for event in asked["events"]]
    for part in asked["parts"]:
        getattr(loaded.services, part)
    for each in asked["modules"]:
        importlib.import_module(each)
    return {"ready_ms": ready, "first_ms": cpu_ms(), "modules": sorted(sys.modules), "answers": answers}


def answer_of(handler, event: dict) -> object:  # type: ignore[no-untyped-def,type-arg]
    """What the handler answers. That there is no server must not end it; that a module is missing must."""
    try:
        return handler(event, CONTEXT)
    except ImportError:
        raise
    except Exception as error:  # whatever a function makes of a store that is not there
        return repr(error)


if __name__ == "__main__":
    done = start(json.load(sys.stdin))
    print(json.dumps(done, default=str))

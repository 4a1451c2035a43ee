"""An S3-compatible server (moto) that fails now and then: prints its address, then serves until it is ended.

Of all reads of objects the fraction that is its argument is answered with status 500 or 503, as by a busy store; of the
keys that hold `broken`, all are.
"""

import random
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

_BODY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


def failing(application: Callable[..., Iterable[bytes]], fraction: float) -> Callable[..., Iterable[bytes]]:
    """`application`, with a `fraction` of its reads failing, drawn from a seed."""
    draw, lock = random.Random(0), threading.Lock()

    def answer(environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environment["PATH_INFO"]
        if environment["REQUEST_METHOD"] == "GET" and path.endswith(".jpg"):
            with lock:
                fails = draw.random() < fraction or "broken" in path
                status = draw.choice(["500 Internal Server Error", "503 Slow Down"])
            if fails:
                start(status, [("Content-Type", "text/xml")])
                return [_BODY]
        return application(environment, start)

    return answer


if __name__ == "__main__":
    application: Any = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, failing(application, float(sys.argv[1])), threaded=True)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()

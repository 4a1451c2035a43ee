"""Logs as JSON, one object a line on standard error; text from clients can't break a line or steer a terminal."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any


class JsonFormatter(logging.Formatter):
    """A record as a line of JSON; `extra={"fields": {...}}` adds members."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def configure() -> None:
    """Send our records, and all others from warnings up, to standard error.

    Remarks of the server and the parsers on clients' bytes are left out.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.root.handlers = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    package = logging.getLogger("clothing_classifier")
    package.handlers.clear()  # the command line's own
    package.setLevel(logging.INFO)
    for name, level in (("uvicorn", logging.ERROR), ("python_multipart", logging.CRITICAL), ("PIL", logging.CRITICAL)):
        logging.getLogger(name).setLevel(level)

"""Logs as JSON, one object a line on standard error; nothing in them can break a line or steer a terminal."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("clothing_classifier.serving")


class JsonFormatter(logging.Formatter):
    """A record as a line of JSON; what was logged with `extra={"fields": ...}` becomes members of it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        entry |= getattr(record, "fields", {})
        if record.exc_info:
            entry["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(entry)


def configure() -> None:
    """Send our records, and all others from warnings up, to standard error.

    Left out is what the server and the parsers remark on clients' bytes: our own records say what was refused.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.root.handlers = [handler]
    logging.getLogger("clothing_classifier").handlers.clear()  # the command line's own
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    LOGGER.setLevel(logging.INFO)
    for name, level in (("uvicorn", logging.ERROR), ("python_multipart", logging.CRITICAL), ("PIL", logging.CRITICAL)):
        logging.getLogger(name).setLevel(level)

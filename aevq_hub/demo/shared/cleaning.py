"""Gradio's hourly deletion of old files, which must not end."""

from contextlib import suppress
from functools import wraps

from gradio import route_utils

TRIES = 20


def keep_cleaning() -> None:
    """Try Gradio's deletion again if a request adds a file while it iterates over them, instead of ending for good."""
    delete = route_utils.delete_files_created_by_app
    if hasattr(delete, "__wrapped__"):
        return

    @wraps(delete)
    def persistent(*args, **kwargs) -> None:
        for _ in range(TRIES):
            with suppress(RuntimeError):  # a set changed its size
                delete(*args, **kwargs)
                break

    route_utils.delete_files_created_by_app = persistent

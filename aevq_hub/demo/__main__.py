"""``python -m aevq_hub.demo``: the page of the shipped models on this machine."""

import sys

try:
    from .page import build, launch
except ModuleNotFoundError as error:
    sys.exit(f'error: {error.name} is not installed; `pip install "aevq-hub[app]"` installs all that the demo needs')


def main() -> None:
    """Lay the page out and serve it."""
    launch(build())


if __name__ == "__main__":
    main()

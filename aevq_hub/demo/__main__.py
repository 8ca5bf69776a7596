"""``python -m aevq_hub.demo``: serve the demo of the shipped models."""

import sys

try:
    from .page import build, launch
except ModuleNotFoundError as error:
    sys.exit(f'error: {error.name} is not installed; `pip install "aevq-hub[app]"` installs what the demo needs')

launch(build())

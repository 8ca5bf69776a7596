"""``python -m aevq_hub.demo``: serve the demo of the shipped models."""

import argparse
import sys

argparse.ArgumentParser(
    description="Serve the demo of the models in model_cards/; in a checkout these include the models that were "
    "trained there. GRADIO_SERVER_NAME and GRADIO_SERVER_PORT choose the address.",
).parse_args()
try:
    from .page import build, launch
except ModuleNotFoundError as error:
    sys.exit(f'error: {error.name} is not installed; `pip install "aevq-hub[app]"` installs what the demo needs')

launch(build())

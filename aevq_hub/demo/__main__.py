"""``python -m aevq_hub.demo``: the page of the shipped models on this machine."""

from . import build, launch

launch(build())

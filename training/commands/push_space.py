"""``push-space``: publish the demo as a Space on the Hub."""

import argparse
import tempfile
from pathlib import Path

from ..publish import Publisher
from ..space import HARDWARE, lay_out, pinned
from .push import add_publishing, show

HELP = "publish the demo as a Space on the Hub"
DESCRIPTION = """\
Publish app.py and aevq_hub as a Gradio Space that shows a namespace's models, each at its present commit. The models
are downloaded while the Space is built. Run it in a checkout, and again after models have changed."""


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("--to", required=True, metavar="NAMESPACE/NAME", help="the Space, created if missing")
    parser.add_argument("--models", metavar="NAMESPACE", help="the owner of the models (the Space's namespace)")
    parser.add_argument("--hardware", choices=HARDWARE, default=HARDWARE[0], help="the Space's hardware (%(default)s)")
    add_publishing(parser)


def run(args: argparse.Namespace) -> None:
    """Publish the Space."""
    namespace, _, name = args.to.partition("/")
    if not name or "/" in name:
        raise ValueError(f"--to is {args.to!r}; give the Space as NAMESPACE/NAME")
    publisher = Publisher(namespace, repo_type="space", create_pr=args.create_pr)
    with tempfile.TemporaryDirectory() as temporary:
        folder = lay_out(Path(temporary) / name, pinned(args.models or namespace), args.hardware, args.to)
        changes = publisher.changes(folder, prune=args.prune)
        show(args.to, changes, in_full=args.dry_run)
        if not args.dry_run:
            print(publisher.push(folder, changes, private=args.private))

"""``push``: publish models' folders as repositories on the Hub."""

import argparse

from tqdm import tqdm

from aevq_hub.folder import WEIGHTS_FILE

from ..contents import checked_folders
from ..publish import Changes, Publisher, ladder
from . import options

HELP = "publish models' folders as repositories on the Hub"
DESCRIPTION = """\
Publish folders of model_cards/: NAMESPACE/<name> becomes a copy of <name>/, in one commit that contains only changed
files. The token comes from `hf auth login` or HF_TOKEN. After an interruption, the same command continues. Several
models on main are gathered in a collection, sorted by data set."""


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    parser.add_argument("models", nargs="*", metavar="NAME", help="such as center-celeba")
    parser.add_argument("--all", action="store_true", help="all models in the folder of models")
    parser.add_argument("--to", required=True, metavar="NAMESPACE", help="an account or an organisation on the Hub")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--revision", metavar="BRANCH", help="publish on this branch, created if missing (main)")
    add_publishing(parser, where)
    parser.add_argument("--tag", help="a tag for the published state")
    options.add_output(parser)


def add_publishing(parser: argparse.ArgumentParser, where=None) -> None:
    """Add the options that all publishing commands share."""
    parser.add_argument("--private", action="store_true", help="make new repositories private")
    (where or parser).add_argument("--create-pr", action="store_true", help="open pull requests instead")
    text = "also delete files that others have added to the repositories"
    parser.add_argument("--prune", action="store_true", help=text)
    parser.add_argument("--dry-run", action="store_true", help="list what would change, and change nothing")


def run(args: argparse.Namespace) -> None:
    """Publish the models."""
    if bool(args.models) == args.all:
        raise ValueError("name the models to publish, or give --all for all of them")
    if args.tag and args.create_pr:
        raise ValueError("--tag names what is published; a pull request (--create-pr) is not published yet")
    names = ladder(set(args.models) or {path.parent.name for path in args.output.glob(f"[!.]*/{WEIGHTS_FILE}")})
    if not names:
        raise ValueError(f"{args.output} contains no models; give their folder with --output")
    folders = checked_folders(names, args.output)
    publisher = Publisher(args.to, create_pr=args.create_pr)
    changes = {
        f: publisher.changes(f, args.revision, args.tag, prune=args.prune) for f in folders
    }  # before any is changed
    for folder, changed in changes.items():
        show(f"{args.to}/{folder.name}", changed, in_full=args.dry_run)
    if args.dry_run:
        return
    for folder, changed in tqdm(changes.items(), unit=" models"):
        tqdm.write(publisher.push(folder, changed, private=args.private, revision=args.revision, tag=args.tag))
    if len(folders) > 1 and not (args.create_pr or args.revision):
        print(publisher.collect(names, private=args.private))


def show(repo_id: str, changes: Changes, in_full: bool) -> None:
    """Print how many files of a repository change or, in full, which ones."""
    print(f"{repo_id}: {f'{len(changes.files)} files change' if changes.files else 'nothing changes'}")
    for change in changes.files if in_full else ():
        print(f"  {change.what:6} {change.path} ({change.size:,} bytes)")
    if changes.kept:
        print(f"  not ours, and kept unless --prune is given: {', '.join(changes.kept)}")

"""``python -m training``: train a variant on a data set, search for its recipe, measure a model."""

import argparse
import json
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path

from tqdm import tqdm

from aevq_hub import AEVQ, AEVQConfig
from aevq_hub.explore.exhibits import MAP_FILE
from aevq_hub.hub import CONFIG_FILE, WEIGHTS_FILE, available_models, find_files, locate
from aevq_hub.recipe import Recipe
from aevq_hub.registry import DATASETS, VARIANTS, lookup

from .card import report
from .data import Source, find_source, load
from .evaluate import evaluate
from .files import write_json
from .maps import write_map
from .options import parser
from .publish import Change, Publisher, PublishError, checked_folders, ladder
from .release import describe
from .runs import train_model
from .search import grid, search
from .space import lay_out, pinned
from .tables import SEARCH_FILE, markdown, models, table
from .trainer import TrainingError


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0, 1 after an error that was explained, 130 after Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    args = parser(arguments).parse_args(arguments)
    try:
        COMMANDS[args.command](args)
    except (ValueError, OSError, TrainingError, PublishError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command, without --restart, goes on from what is finished", file=sys.stderr)
        return 130
    return 0


def _source(args: argparse.Namespace, name: str) -> Source:
    return find_source(
        name, data=args.data, data_root=args.data_root, size=args.size, channels=args.channels,
        image_column=args.image_column, config=args.config,
    )  # fmt: skip


def _given(args: argparse.Namespace) -> dict:
    """The settings of the recipe that stand on the command line."""
    return {f.name: getattr(args, f.name) for f in fields(Recipe) if getattr(args, f.name, None) is not None}


def _train(args: argparse.Namespace) -> None:
    lookup(VARIANTS, args.variant, "variant")
    source = _source(args, args.dataset)
    recipe = replace(VARIANTS[args.variant].recipe_for(source.name), **_given(args))
    train_model(args.variant, source, recipe, args.output, args.device, restart=args.restart)


def _all(args: argparse.Namespace) -> None:
    chosen = [(v, d) for d in args.datasets or DATASETS for v in args.variants or VARIANTS]
    for variant, dataset in chosen:  # before any work
        lookup(VARIANTS, variant, "variant")
        lookup(DATASETS, dataset, "data set")
    index, count = args.shard
    folders, failed = [], []
    for variant, dataset in chosen[index - 1 :: count]:
        try:
            source = find_source(dataset, data_root=args.data_root)
            recipe = replace(VARIANTS[variant].recipe_for(dataset), **_given(args))
            folders.append(train_model(variant, source, recipe, args.output, args.device))
        except Exception as error:  # whatever it was, a full memory too, is no reason to leave out the others
            print(f"error: {variant}-{dataset}: {error}", file=sys.stderr)
            failed.append(f"{variant}-{dataset}")
    histories = [json.loads((folder / "history.json").read_text(encoding="utf-8")) for folder in folders]
    if histories:
        print(f"\n{markdown(models(histories))}")
    if failed:
        raise TrainingError(f"{len(failed)} of {len(failed) + len(folders)} models failed: {', '.join(failed)}")


def _search(args: argparse.Namespace) -> None:
    source = _source(args, args.dataset)
    base = lookup(VARIANTS, args.variant, "variant").recipe_for(source.name)
    path = args.output / f"{args.variant}-{source.name}" / SEARCH_FILE
    recipes = grid(base, _given(args))
    options = {"baseline": args.baseline, "beside": args.beside, "images": args.images, "device": args.device}
    rows = search(args.variant, source, recipes, path, **options, jobs=args.jobs)
    print(f"{markdown(table(rows))}\n\nwrote {path}")


def _evaluate(args: argparse.Namespace) -> None:
    if args.record and args.dataset:
        raise ValueError(
            "--record keeps the numbers on the data set that the model was trained on; leave out --dataset"
        )
    if args.record and not isinstance(locate(args.model), Path):
        raise ValueError(f"--record writes into a model's folder, and {args.model} is on the Hub: leave out --record")
    model = AEVQ.from_pretrained(args.model)
    results = evaluate(model, _source(args, args.dataset or model.config.dataset))
    print(report(results))
    if args.record:
        (path,) = find_files(args.model, ("history.json",))
        write_json(path, {**json.loads(path.read_text(encoding="utf-8")), "results": results})
        describe(model, path.parent)


def _card(args: argparse.Namespace) -> None:
    describe(AEVQ.from_pretrained(args.folder), args.folder)


def _map(args: argparse.Namespace) -> None:
    if bool(args.models) == args.all:
        raise ValueError("name the models to map, or give --all for all shipped ones that have vectors")
    files = {name: find_files(name, (CONFIG_FILE,))[0] for name in args.models or available_models()}
    configs = {name: AEVQConfig.from_file(file) for name, file in files.items()}
    without = [name for name, config in configs.items() if not config.num_codes]
    if without and not args.all:
        raise ValueError(f"{without[0]} has no vectors, so there is nothing to map")
    chosen = [name for name in files if name not in without]
    sources = {name: _source(args, configs[name].dataset) for name in chosen}  # before any work
    for name in tqdm(chosen, unit=" maps", disable=len(chosen) == 1):
        folder = files[name].parent
        write_map(AEVQ.from_pretrained(name), load(sources[name], "test"), folder)
        tqdm.write(f"wrote {folder / MAP_FILE}")


def _push(args: argparse.Namespace) -> None:
    if bool(args.models) == args.all:
        raise ValueError("name the models to publish, or give --all for all of them")
    if args.tag and args.create_pr:
        raise ValueError("--tag names what is published; a pull request (--create-pr) is not yet")
    names = ladder(set(args.models) or {path.parent.name for path in args.output.glob(f"[!.]*/{WEIGHTS_FILE}")})
    if not names:
        raise ValueError(f"{args.output} holds no models; --output says where they are")
    folders = checked_folders(names, args.output)
    publisher = Publisher(args.to, create_pr=args.create_pr)
    changes = {
        folder: publisher.changes(folder, args.revision, args.tag) for folder in folders
    }  # before any is touched
    for folder, changed in changes.items():
        _tell(f"{args.to}/{folder.name}", changed, in_full=args.dry_run)
    if args.dry_run:
        return
    for folder, changed in tqdm(changes.items(), unit=" models"):
        tqdm.write(publisher.push(folder, changed, private=args.private, revision=args.revision, tag=args.tag))
    if len(folders) > 1 and not (args.create_pr or args.revision):
        print(publisher.collect(names, private=args.private))


def _push_space(args: argparse.Namespace) -> None:
    namespace, _, name = args.to.partition("/")
    if not name or "/" in name:
        raise ValueError(f"--to is {args.to!r}; give the Space as NAMESPACE/NAME")
    publisher = Publisher(namespace, repo_type="space", create_pr=args.create_pr)
    with tempfile.TemporaryDirectory() as laid_out:
        folder = lay_out(Path(laid_out) / name, pinned(args.models or namespace), args.hardware)
        changes = publisher.changes(folder)
        _tell(args.to, changes, in_full=args.dry_run)
        if not args.dry_run:
            print(publisher.push(folder, changes, private=args.private))


def _tell(repo_id: str, changes: list[Change], in_full: bool) -> None:
    print(f"{repo_id}: " + (f"{len(changes)} files change" if changes else "nothing changes"))
    for change in changes if in_full else ():
        print(f"  {change.what:6} {change.path} ({change.size:,} bytes)")


COMMANDS = {
    "train": _train,
    "all": _all,
    "search": _search,
    "evaluate": _evaluate,
    "card": _card,
    "map": _map,
    "push": _push,
    "push-space": _push_space,
}

if __name__ == "__main__":
    sys.exit(main())

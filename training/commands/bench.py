"""``bench``: time training, the quantizer, loading and releasing, beside a plain loop and other libraries."""

import argparse
from pathlib import Path

import torch
from tqdm import tqdm

from aevq_hub.checks import one_of
from aevq_hub.measures import markdown_table

from .. import bench
from ..data import load
from ..files import write_json
from ..sources import find_source
from ..tables import timings
from . import options

HELP = "time training and loading, beside a plain loop and other libraries"
DESCRIPTION = """\
Time this implementation beside a plain PyTorch loop and, if they are installed (`pip install "aevq-hub[peers]"`),
pythae and vector-quantize-pytorch. All take turns, so that a change of the machine's speed affects all of them. Numbers
are medians; the range of all rounds is in the JSON file. Let the machine do nothing else meanwhile.

  training    images/s of six variants at batch 128, on 28 × 28 and 64 × 64 pixels, all on the same network: pythae's
              nearest model (AE, VAE, VQVAE) has no pull to a vector. GFLOP are those of a step's matrix products and
              convolutions; "share of peak" compares them with this machine's best fp32 matrix product
  scaling     images/s of vqvae at growing sizes and numbers of codes
  learning    test error of ae-conv and vae on MNIST after three epochs by each
  quantizer   milliseconds of the nearest vectors, their pull and their movement, without the networks
  loading     import, load and first picture of center-mnist
  release     seconds of the parts of a release of center-mnist, after its last epoch"""


def add_arguments(parser: argparse.ArgumentParser, arguments: list[str]) -> None:
    """Add the command's arguments."""
    text = f"which parts ({', '.join(_PARTS)})"
    parser.add_argument("--only", type=options.list_of(str), default=tuple(_PARTS), metavar="A,B…", help=text)
    text = "timings of each contender (%(default)s)"
    parser.add_argument("--rounds", type=options.at_least_one, default=5, help=text)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all numbers to a file")
    options.add_data_root(parser)


def run(args: argparse.Namespace) -> None:
    """Time the parts and print a table for each."""
    for name in args.only:
        one_of("--only", name, tuple(_PARTS))
    results = {"torch": torch.__version__, "instructions": torch.backends.cpu.get_cpu_capability(),
               "threads": torch.get_num_threads()}  # fmt: skip
    for name in args.only:
        rows = results[name] = []
        with tqdm(desc=name, unit=" rows") as bar:
            _PARTS[name](args, lambda row, rows=rows, bar=bar: (rows.append(row), bar.update()))
        print(f"\n{name}\n\n{markdown_table(timings(rows))}\n", flush=True)
        if args.json:
            write_json(args.json, results)


def _mnist(args: argparse.Namespace, split: str) -> torch.Tensor:
    return load(find_source("mnist", data_root=args.data_root), split).images


_PARTS = {
    "training": lambda args, report: bench.training(args.rounds, report),
    "scaling": lambda args, report: bench.scaling(args.rounds, report),
    "learning": lambda args, report: bench.learning(_mnist(args, "train"), _mnist(args, "test"), report),
    "quantizer": lambda args, report: bench.quantizers(args.rounds, report),
    "loading": lambda args, report: bench.loading(args.rounds, report),
    "release": lambda args, report: bench.releasing(find_source("mnist", data_root=args.data_root), report),
}

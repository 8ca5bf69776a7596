"""The command line: ``python -m training`` in a checkout, ``aevq`` once the package is installed."""

import argparse
import io
import sys

MISSING = 'error: {} is not installed; `pip install "aevq-hub[train]"` installs what training needs'

try:
    from .commands import (
        all_models,
        bench,
        card,
        claims,
        compare,
        evaluate,
        figures,
        fragments,
        map,
        names,
        options,
        prior,
        push,
        push_space,
        report,
        search,
        train,
    )
    from .contents import PublishError
    from .processor import keep_memory
    from .ranks import launched_processes, leave
    from .trainer import TrainingError
except ModuleNotFoundError as error:
    sys.exit(MISSING.format(error.name))

COMMANDS = {
    "train": train, "all": all_models, "search": search, "evaluate": evaluate, "card": card, "report": report,
    "map": map, "names": names, "prior": prior, "fragments": fragments, "figures": figures, "claims": claims,
    "compare": compare, "push": push, "push-space": push_space, "bench": bench,
}  # fmt: skip

OVERVIEW = """\
Train the models of "Rethinking VAE: From Continuous to Discrete Representations Without Probabilistic Assumptions".

  {prog} train center mnist                  the paper's `center` on MNIST, downloaded from the Hub
  {prog} train center mnist --data-root DIR  the same from local copies in the Hub's layout
  {prog} train center cats --data PHOTOS --size 64 --channels 3
                                             on your own images; labels come from class folders, PHOTOS/tabby/1.jpg,
                                             or from PHOTOS/metadata.csv with the columns file_name and label
  {prog} train center OWNER/NAME --size 64 --channels 3
                                             on any image data set on the Hub
  accelerate launch --multi_gpu --num_processes 4 -m {module} train center mnist
                                             on several GPUs
  {prog} all --variants vqae,vqvae           several models one after the other, by default all of them
  {prog} search center mnist --latent-dim 32,64 --pull-weight 1,3,10
                                             a recorded search over settings
  {prog} evaluate center-mnist               measure a model again
  {prog} map center-mnist                    its vectors and latents on a plane, for the demo
  {prog} names center-mnist                  words for its directions and samples, for the demo
  {prog} prior vqae-mnist                    the prior that a grid model draws from
  {prog} figures 3.2                         the paper's figures, from the shipped models
  {prog} claims                              the paper's claims, measured
  {prog} compare mnist                       other libraries on the same networks and images
  {prog} fragments                           why grids learn fragments: the paper's open question, measured
  {prog} report                              the report on all models, from their records
  {prog} push center-mnist --to NAMESPACE    publish its folder on the Hub
  {prog} push-space --to NAMESPACE/NAME      publish the demo of a namespace's models
  {prog} bench                               time training, loading and releasing, beside other libraries

`{prog} train center mnist --help` explains what is trained, and with which settings.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0, 1 after an error that was explained, 130 after Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # not every terminal has a σ
    args = parser(arguments).parse_args(arguments)
    keep_memory()
    try:
        if args.command in ("all", "search") and launched_processes() > 1:
            raise TrainingError(f"{args.command} cannot be launched in several processes; train can")
        COMMANDS[args.command].run(args)
    except (ValueError, OSError, TrainingError, PublishError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:  # some are imported only where they are used
        sys.exit(MISSING.format(error.name))
    except KeyboardInterrupt:
        print("\nstopped; run the same command, without --restart, to continue", file=sys.stderr)
        return 130
    return 0


def parser(arguments: list[str]) -> argparse.ArgumentParser:
    prog = "python -m training" if __package__ == "training" else "aevq"
    overview = OVERVIEW.format(prog=prog, module=__package__)
    parser = argparse.ArgumentParser(prog, description=overview, formatter_class=options.Formatter)
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        described = {"help": command.HELP, "description": getattr(command, "DESCRIPTION", command.HELP)}
        chosen = commands.add_parser(name, formatter_class=options.Formatter, **described)
        command.add_arguments(chosen, arguments[1:])
    return parser


if __name__ == "__main__":
    leave(main())

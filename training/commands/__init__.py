"""The commands of ``aevq``: one module each, with its help, ``add_arguments`` and ``run``."""

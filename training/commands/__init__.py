"""The commands of ``python -m training``: one module each, with its help, ``add_arguments`` and ``run``."""

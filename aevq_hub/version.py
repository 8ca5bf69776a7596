__version__ = "0.1.0"  # apart, so that a build can read it without torch

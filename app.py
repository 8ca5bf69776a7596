"""The demo as a Space, or by ``python app.py``: the same as ``python -m aevq_hub.demo``."""

import runpy
from contextlib import suppress

with suppress(ImportError):
    import spaces  # there on ZeroGPU, and before torch  # pyright: ignore[reportMissingImports]

    # ZeroGPU starts a Space only if some function may ask for the GPU; this one never does, the models are small
    spaces.GPU(lambda: None)

if __name__ == "__main__":
    runpy.run_module("aevq_hub.demo", run_name="__main__")

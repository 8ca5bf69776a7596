"""The demo, for ``python app.py`` and as a Space; what it shows and how is in ``aevq_hub.explore`` and ``.demo``."""

from contextlib import suppress

with suppress(ImportError):
    import spaces  # there on ZeroGPU, and before torch

    # ZeroGPU starts a Space only if some function may ask for the GPU; this one never does, the models are small
    spaces.GPU(lambda: None)

from aevq_hub.demo import build, launch  # noqa: E402

demo = build()

if __name__ == "__main__":
    launch(demo)

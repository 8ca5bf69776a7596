"""The demo, for ``python app.py`` and as a Space; what it shows and how is in ``aevq_hub.explore`` and ``.demo``."""

from aevq_hub.demo import build, launch

demo = build()

if __name__ == "__main__":
    launch(demo)

"""The Python that the demo's tabs show, run as someone would who has copied it."""

import contextlib
import re
from pathlib import Path

from PIL import Image

from aevq_hub.demo.morph.settings import CORNERS
from aevq_hub.demo.shared import starts
from aevq_hub.demo.shared.settings import Settings

# the setting whose image a tab's code opens as a file; all other files have that of the start
OPENED = {"picture-second.png": "second", **{f"picture-z{i}.png": which for i, which in enumerate(CORNERS, start=1)}}


def picture_of(code: str, settings: Settings, folder: Path) -> Image.Image:
    """Run a tab's code in a folder that has the images it opens; returns its picture, which is saved there."""
    with contextlib.chdir(folder):
        for file in re.findall(r'Image\.open\("(.+?)"\)', code):
            starts.brought(getattr(settings, OPENED.get(file, "start"))).image.save(file)
        scope = {}
        exec(code, scope)
    with Image.open(folder / "result.png") as saved:
        assert saved.tobytes() == scope["picture"].tobytes()
    return scope["picture"]

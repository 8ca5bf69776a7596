"""HTML of the page's parts: pictures, and buttons of which one is chosen."""

import base64
import html
import re
from io import BytesIO
from pathlib import Path

from PIL import Image

_STATIC = Path(__file__).parent.parent / "static"


def static(*names: str) -> str:
    """The text of files in ``static/``, one after another."""
    return "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in names)


def png(image: Image.Image) -> bytes:
    """The bytes of a PNG."""
    data = BytesIO()
    image.save(data, "PNG", compress_level=1 if image.width > 300 else 6)
    return data.getvalue()


def thumbnails(sheet: Image.Image) -> str:
    """A sheet of many small pictures as an address that contains it; they are compressed, for each visitor keeps it."""
    data = BytesIO()
    sheet.convert("RGB").save(data, "WEBP", quality=80)
    return data_url(data.getvalue(), "image/webp")


def data_url(content: bytes | Image.Image, kind: str = "image/png") -> str:
    """A file as an address that contains it, so that the page has it at once and nothing flickers."""
    content = png(content) if isinstance(content, Image.Image) else content
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def coded(text: str) -> str:
    """Text as HTML, with parts in backticks as code."""
    return re.sub("`(.*?)`", r"<code>\1</code>", html.escape(text))


def figure(
    picture: Image.Image | bytes,  # sent as small as it is and enlarged by the browser without blur; or a WebP's bytes
    caption: str,  # above the picture
    alt: str,
    *,
    hint: str = "",  # smaller, after the caption
    cells: int = 0,  # along a side of a grid, which can then be clicked
    cell: tuple[int, int] | None = None,  # row and column from 0 of the chosen one, which is framed
    download: str = "",  # a file name, to offer the picture for download
    least: int = 0,  # the width in pixels below which a wide picture scrolls instead of shrinking
    overlay: str = "",  # HTML that lies over the picture
    still: Image.Image | None = None,  # in place of a moving picture, for those who want less motion
) -> str:
    """HTML of a picture with its caption."""
    source = data_url(picture, "image/webp") if isinstance(picture, bytes) else data_url(picture)
    is_square = isinstance(picture, bytes) or picture.width == picture.height
    image = f'<img src="{source}" alt="{html.escape(alt)}">'
    if still:
        calm = f'<source srcset="{data_url(still)}" media="(prefers-reduced-motion: reduce)">'
        image = f"<picture>{calm}{image}</picture>"
    frame = f'<div class="frame {"square" if is_square else "wide"}" style="--least:{least}px"'
    frame += ' tabindex="0"' if least else ""  # what scrolls can be scrolled by keyboard
    frame += f' data-cells="{cells}">' if cells else ">"
    small = f" <small>{html.escape(hint)}</small>" if hint else ""
    heading = f"<figcaption>{html.escape(caption)}{small}</figcaption>"
    link = f'<button type="button" class="download" data-name="{html.escape(download)}">Download</button>'
    return (
        f'<figure class="picture">{heading}{frame}{image}{_framed(cells, cell)}{overlay}</div>'
        f"{link if download else ''}</figure>"
    )


def _framed(cells: int, cell: tuple[int, int] | None) -> str:
    if cell is None:
        return ""
    row, column, side = *cell, 100 / cells
    place = f"left:{column * side:.3f}%;top:{row * side:.3f}%;width:{side:.3f}%;height:{side:.3f}%"
    return f'<i class="cell" style="{place}"></i>'


def option(data: str, inside: str, chosen: bool, reached: bool, title: str = "", role: str = "radio") -> str:
    """HTML of a button in a group of which one is chosen: Tab reaches one of them, arrow keys the others.

    Args:
        data: its attributes ``data-…``.
        inside: HTML of its content.
        chosen: whether it is the chosen one.
        reached: whether Tab reaches it.
        title: shown when one points at it, and read aloud.
        role: ``radio``, or ``button`` in a group of buttons.
    """
    state = "aria-checked" if role == "radio" else "aria-pressed"
    said = f' title="{html.escape(title)}" aria-label="{html.escape(title)}"' if title else ""
    kind = ' role="radio"' if role == "radio" else ""
    return (
        f'<button type="button"{kind} {data} {state}="{str(chosen).lower()}" tabindex="{0 if reached else -1}"{said}>'
        f"{inside}</button>"
    )

"""The codebook tab's HTML: vectors as buttons, their use as bars, and the map, as SVG in the colours of the page."""

import html
from functools import lru_cache

from ...measures import MEASURES
from ..shared import originals
from ..shared.exhibits import class_names, exhibit
from ..shared.html import data_url, figure, thumbnails
from . import compute
from .map import Map, about_point, load_map
from .settings import Codebook

# ten colours that can be told apart on white and on black
COLOURS = (
    "#4e79a7", "#f28e2b", "#e15759", "#2fa8a0", "#59a14f", "#c9a400", "#b07aa1", "#f77fa5", "#9c755f", "#8a8a8a",
)  # fmt: skip
SIDE, MARGIN = 600, 20  # of the map, in the SVG's own units


@lru_cache(maxsize=16)
def sprites(model: str) -> str:
    """The pictures of all vectors on one sheet, which stays when the buttons that show them change."""
    sheet = compute.sprites(model)
    side = exhibit(model).model.config.image_size
    across, down = sheet.width // side, sheet.height // side
    return (
        f'<style>.vector i {{ background-image: url("{thumbnails(sheet)}"); '
        f"background-size: {across}00% {down}00%; background-position: calc(var(--x) * 100% / {max(across - 1, 1)}) "
        f"calc(var(--y) * 100% / {max(down - 1, 1)}); }}</style>"
    )


def gallery(settings: Codebook) -> str:
    """The vectors as buttons: Tab reaches one of them, arrow keys the others."""
    shown = compute.order(settings)
    if not shown:
        word = {"used": "in use", "duplicate": "a duplicate"}.get(settings.show, settings.show)
        return f'<p class="none">No vector of this model is {word}.</p>'
    entry = settings.vector if settings.vector in shown else shown[0]
    buttons = "".join(_button(settings, vector, str(vector), vector == entry) for vector in shown)
    size = "large" if len(compute.book(settings.model).share) <= 20 else "small"
    said = f"{len(shown)} vectors; arrow keys go from one to the next"
    return f'<div class="gallery {size}" role="group" aria-label="{said}">{buttons}</div>'


def panel(settings: Codebook) -> str:
    """The chosen vector: its use, its neighbours, and the samples nearest to it."""
    known = compute.about(settings)
    what = "cells" if settings.config.grid_size else "latents"
    said = f"It is the nearest vector of {known['share']:.2%} of the test {what}."
    if known["dead"]:
        said = f"It is <b>dead</b>: the nearest vector of none of the test {what}."
    elif not known["in_use"]:
        said += " It is hardly in use."
    if known["duplicate"]:
        said += " It is a <b>duplicate</b>: another one is in nearly the same place."
    near = "".join(
        _button(settings, item["vector"], f"{item['vector']}<br>{item['distance']:.2f}", True)
        for item in known["nearest_vectors"]
    )
    near = near or '<p class="none">This model has no other vector.</p>'
    samples = "".join(_sample(settings, index, value) for index, value in compute.samples(settings))
    samples = samples or '<p class="none">No shipped sample has a cell of it.</p>'
    measure = "how many cells it has there" if settings.config.grid_size else "distance"
    return (
        f'<div class="about"><h4>Vector {settings.vector}</h4><p role="status">{said}</p>'
        f"<h4>The vectors nearest to it <small>index and distance; click to go there</small></h4>"
        f'<div class="row">{near}</div>'
        f"<h4>The samples nearest to it <small>{measure}; click to start from one</small></h4>"
        f'<div class="row">{samples}</div></div>'
    )


def health(settings: Codebook) -> str:
    """How the codebook is used, in words and as bars."""
    found, book = compute.book(settings.model).health, compute.book(settings.model)
    count = found["vectors"]
    latents = "cells of the test images' grids" if settings.config.grid_size else "latents of the test images"
    if count == 1:
        said = f"One vector, the nearest of all {latents}: there is nothing to choose, and the perplexity is 1."
        return f'<div class="health"><div><h4>One vector</h4><p>{said}</p></div></div>'
    said = "".join(
        f"<li><b>{found[key]}</b> {MEASURES[f'codebook.{key}'].short}: {MEASURES[f'codebook.{key}'].meaning}</li>"
        for key in ("in_use", "dead", "duplicates")
    )
    rare = found["vectors"] - found["in_use"] - found["dead"]
    if rare:
        said += f"<li><b>{rare}</b> hardly used: nearest to fewer</li>"
    if found["duplicates"] > count / 2:
        said += "<li>most coincide with another one: which of these is the nearest is chance, and so is their use</li>"
    perplexity = (
        f"<b>Perplexity {found['perplexity']:.1f}</b>: the {latents} use the vectors like "
        f"{found['perplexity']:.1f} equally used vectors. The most used one has "
        f"{found['largest_share']:.1%}."
    )
    return (
        f'<div class="health"><div><h4>How well its {count} vectors are used <small>the codebook\'s health</small></h4>'
        f"<ul>{said}</ul><p>{perplexity}</p></div>{_bars(book.share)}</div>"
    )


def plane(settings: Codebook) -> str:
    """The map with its legend; the chosen vector and the chosen point are marked."""
    found = load_map(settings.model)
    if found is None:
        return '<p class="none">This model has no map.</p>'
    groups, legend = _groups(settings, found)
    dots = "".join(
        f'<path class="latent" stroke="{colour}" d="{"".join(f"M{x} {y}h0" for x, y in map(_spot, places))}"/>'
        for colour, places in groups
    )
    radius = 9 if len(found.vectors) <= 20 else 6 if len(found.vectors) <= 100 else 3.5
    kind = "vectors many" if len(found.vectors) > 100 else "vectors"
    diamonds = "".join(_diamond(place, radius) for place in found.vectors.tolist())
    chosen = found.vectors[settings.vector].tolist()
    x, y = _spot(chosen)
    around = f'd="{_diamond(chosen, radius + 5)}"'
    marked = f'<path class="chosen halo" {around}/><path class="chosen" {around}/>'
    side = "end" if x > SIDE * 0.75 else "start"
    marked += f'<text x="{x + (-20 if side == "end" else 20)}" y="{y + 5}" text-anchor="{side}">vector '
    marked += f"{settings.vector}</text>"
    px, py = _spot(found.points[min(settings.point, len(found.points) - 1)].tolist())
    around = f'cx="{px}" cy="{py}" r="10"'
    marked += f'<circle class="chosen halo" {around}/><circle class="chosen" {around}/>'
    what = "cells of test images" if settings.config.grid_size else "latents of test images"
    said = f"a map of {len(found.vectors)} vectors and {len(found.points)} {what}; the number box beside it chooses one"
    return (
        f'<div class="plane"><svg viewBox="0 0 {SIDE} {SIDE}" role="img" aria-label="{said}">{dots}'
        f'<path class="{kind}" d="{diamonds}"/>{marked}</svg><ul class="legend">{legend}</ul></div>'
    )


def inside(x: float, y: float) -> tuple[float, float]:
    """Convert a place in [0, 1] of the picture with its margin to one of the map itself."""
    x, y = ((share * SIDE - MARGIN) / (SIDE - 2 * MARGIN) for share in (x, y))
    return x, y


def point(settings: Codebook, picture) -> str:
    """What is chosen on the map: the vector, and the point with its picture, class and nearest vector."""
    known = about_point(settings)
    of = f", class {class_names(settings.model)[known['class']]}" if known["class"] >= 0 else ""
    what = "A cell of a test image" if settings.config.grid_size else "A test image"
    alt = f"point {known['point']} of the map{of}, as {settings.model} draws it"
    shown = figure(picture, f"Point {known['point']}{of}", alt, hint=what)
    shown += figure(compute.vector(settings), f"Vector {settings.vector}", f"vector {settings.vector} of the map")
    title = "The point's nearest vector <small>index and distance</small>"
    return (
        f'<div class="row-of">{shown}</div><div class="about"><h4>{title}</h4><div class="row">'
        + _button(settings, known["nearest_vector"], f"{known['nearest_vector']}<br>{known['distance']:.2f}", True)
        + "</div></div>"
    )


def _button(settings: Codebook, vector: int, below: str, is_stop: bool) -> str:
    book = compute.book(settings.model)
    y, x = divmod(vector, min(len(book.share), compute.SPRITES))
    kinds = [kind for kind in book.kinds(vector) if kind in ("dead", "duplicate")]
    said = ", ".join([f"vector {vector}", f"share {book.share[vector]:.2%}", *kinds])
    return (
        f'<button type="button" class="{" ".join(["vector", *kinds])}" data-vector="{vector}" title="{said}" '
        f'aria-label="{said}" aria-pressed="{str(vector == settings.vector).lower()}" '
        f'tabindex="{0 if is_stop else -1}"><i style="--x:{x};--y:{y}"></i><span>{below}</span></button>'
    )


def _sample(settings: Codebook, index: int, value: float) -> str:
    source = data_url(originals.samples(settings.config.dataset)[index])
    start = f"sample:{index}"
    measure = f"{value} cells" if settings.config.grid_size else f"distance {value:.2f}"
    return (
        f'<button type="button" class="sample" data-start="{start}" aria-label="{start}, {measure}" '
        f'aria-pressed="{str(start == settings.start).lower()}"><img src="{source}" alt="">'
        f"<span>{value if settings.config.grid_size else f'{value:.2f}'}</span></button>"
    )


def _bars(shares: list[float]) -> str:
    """A bar for each vector's share, the most used first, and a line at the share of equal use."""
    width, left, top, floor, count = 420, 46, 34, 128, len(shares)
    highest, step = max(shares), (width - 8 - left) / count
    thick = step * (0.8 if count <= 100 else 1)
    bars = "".join(
        f"M{left + i * step:.2f} {floor}v{-(floor - top) * share / highest:.2f}h{thick:.2f}V{floor}z"
        for i, share in enumerate(sorted(shares, reverse=True))
        if share
    )
    alike = floor - (floor - top) / count / highest
    said = (
        f"bars: each vector's share, from {highest:.2%} down to {min(shares):.2%}; used alike, each had {1 / count:.2%}"
    )
    return (
        f'<div class="curves"><svg viewBox="0 0 {width} {floor + 22}" role="img" aria-label="{said}">'
        f'<text x="0" y="13" class="title">Each vector\'s share, the most used first</text>'
        f'<text x="{left - 6}" y="{top + 8}" text-anchor="end">{highest:.1%}</text>'
        f'<text x="{left - 6}" y="{floor}" text-anchor="end">0</text><path class="bars" d="{bars}"/>'
        f'<line class="axis" x1="{left}" x2="{width - 8}" y1="{floor}" y2="{floor}"/>'
        f'<line class="alike" x1="{left}" x2="{width - 8}" y1="{alike:.1f}" y2="{alike:.1f}"/>'
        f'<text x="{width - 8}" y="{alike - 5:.1f}" text-anchor="end">{1 / count:.1%} if all were used alike</text>'
        f'<text x="{left}" y="{floor + 17}">1st</text>'
        f'<text x="{width - 8}" y="{floor + 17}" text-anchor="end">{count}th</text></svg></div>'
    )


def _groups(settings: Codebook, found: Map) -> tuple[list[tuple[str, list]], str]:
    """The points by colour, and the legend: by class, or by nearest vector if there are no classes."""
    has_classes = max(found.classes) >= 0
    keys, groups = found.classes if has_classes else found.nearest, {}
    for key, place in zip(keys, found.points.tolist(), strict=True):
        groups.setdefault(key, []).append(place)
    legend = '<li><i class="diamond"></i>a vector</li>'
    if has_classes:
        legend += "".join(
            f'<li><i style="background:{_colour(key)}"></i>{html.escape(class_names(settings.model)[key])}</li>'
            for key in sorted(groups)
        )
    else:
        legend += "<li>dots: latents, each in the colour of its nearest vector</li>"
    return [(_colour(key), groups[key]) for key in sorted(groups)], legend


def _colour(key: int) -> str:
    """One of ten chosen colours; beyond them, hues that are far apart."""
    return COLOURS[key] if key < len(COLOURS) else f"hsl({key * 137.508 % 360:.0f} 55% {45 + key // 10 % 3 * 8}%)"


def _spot(place: list[float]) -> tuple[float, float]:
    x, y = (round(MARGIN + share * (SIDE - 2 * MARGIN), 1) for share in place)
    return x, y


def _diamond(place: list[float], radius: float) -> str:
    x, y = _spot(place)
    return f"M{x} {y - radius:.1f}l{radius} {radius}l{-radius} {radius}l{-radius} {-radius}z"

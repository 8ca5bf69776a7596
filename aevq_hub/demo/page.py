"""The page: the bar, the tabs, and what a link restores."""

import ctypes
import sys
from collections.abc import Mapping
from urllib.parse import parse_qsl

import gradio as gr
import torch
from gradio.themes import Soft
from starlette.middleware import Middleware

from ..config import LoadError
from .about import layout as about
from .bar import bar, below
from .codebook import layout as codebook
from .compare import layout as compare
from .grid import layout as grid
from .morph import layout as morph
from .shared import starts, tools
from .shared.cleaning import keep_cleaning
from .shared.endpoints import ENDPOINTS, bring
from .shared.events import CLICKS, PROGRAMS, SESSIONS, UPLOADS, endpoint, sent, uploaded
from .shared.exhibits import offers
from .shared.fair import share_fairly
from .shared.guard import Guard
from .shared.html import static
from .shared.paths import ShownPaths
from .shared.settings import Settings, is_start, one_of, token
from .shared.tab import INSIDE, Page, Tab, alert, part
from .state import PLACES, State
from .tour import STEPS
from .turn import layout as turn

TABS = (turn, morph, codebook, grid, compare, about)
THEME = Soft(
    primary_hue="teal",
    secondary_hue="teal",
    font=["ui-sans-serif", "system-ui", "sans-serif"],  # nothing is fetched
    font_mono=["ui-monospace", "Consolas", "monospace"],
).set(
    block_title_background_fill="none",
    block_title_background_fill_dark="none",
    block_title_text_color="*body_text_color",
    block_title_text_color_dark="*body_text_color",
    block_title_padding="0",
    block_info_text_color="*body_text_color_subdued",
    # dark enough on light, and light enough on dark, to be read: WCAG's 4.5 to 1
    body_text_color_subdued="*neutral_500",
    checkbox_label_background_fill_selected="*primary_700",
    checkbox_label_background_fill_selected_dark="*primary_700",
    link_text_color="*primary_700",
    link_text_color_hover="*primary_800",
)
_M_ARENA_MAX = -8  # from glibc's malloc.h
# what links said before: tabs, and of some tabs the settings
_OLD_TABS = {"perturbation": "turn", "interpolation": "morph", "recombination": "grid", "ladder": "compare"}
_OLD_NAMES = {"end": "second"}
_OLD_VALUES = {"perturbation": {"basis": "numbers"}}


def build() -> gr.Blocks:
    """Build the page, with the tabs that at least one model supports.

    Raises:
        LoadError: there is no model.
    """
    shown = [module for module in TABS if offers(module.SETTINGS.can)]
    if not shown:
        raise LoadError("there is no model to show: model_cards/ has none; train one with `aevq train`")
    with gr.Blocks(
        title="AEVQ – from continuous to discrete", analytics_enabled=False, delete_cache=(3600, 3600)
    ) as demo:
        state = State(model=shown[0].SETTINGS.first())
        page = Page(
            bar=part(
                "bar", "bar.js", "group.js", value=state.values, template=INSIDE,
                inside=bar(state, shown[0].SETTINGS, shown[0].VERB, shown[0].SAYS),
            ),
            address=part("address", "address.js", template=""),
            problem=part("problem"),
        )  # fmt: skip
        with gr.Tabs(selected=shown[0].ID, elem_id="tabs", overflow_behavior="wrap") as tabs:
            built = {module.ID: module.build(page) for module in shown}
        foot = part("below", classes="fold", value=below(state.model))
        _wire(page, tabs, built, foot)
        for function in (*ENDPOINTS, *(function for module in shown for function in module.ENDPOINTS)):
            endpoint(function, UPLOADS if function is bring else PROGRAMS)
    return demo


def _wire(page: Page, tabs: gr.Tabs, built: Mapping[str, Tab], foot: gr.HTML) -> None:
    components = set().union(*(tab.components for tab in built.values()))
    of_tabs = dict.fromkeys(box for tab in built.values() for box in tab.outputs)
    outputs = [page.bar, page.address, page.problem, tabs, foot, *of_tabs]
    first = next(iter(built))

    def everything(tab: Tab, state: State, values: dict, components: Mapping) -> tuple[dict, list[str]]:
        """All that a tab shows of values of its settings, and a sentence for each that is invalid."""
        settings, wrong = tab.settings.fitted({**values, **state.shared})
        shown = gr.update(value=state.values, inside=bar(state, tab.settings, *tab.words))
        drawn = tab.drawn(settings, components) | {page.address: tab.address(settings, state.values)}
        return {page.bar: shown, foot: below(settings.model), **tab.filled(settings), **drawn}, wrong

    def choose(components: dict, data: gr.EventData) -> dict:
        """After a click in the bar, a picture that was brought, or a tab that was opened, draw the open tab."""
        tab = built.get(sent(data, "tab"), built[first])
        state = State.of(components[page.bar])
        if sent(data, "tour") is not None and state.tour:
            return restore({**STEPS[state.tour - 1].parameters, "tour": f"{state.tour}"}, components)
        if (dataset := sent(data, "dataset")) is not None:
            state = state.of_dataset(dataset)
        if (file := sent(data, "file")) is not None:
            state = state.with_start(starts.bring(uploaded(file)))
        if (picture := sent(data, "picture")) is not None:
            state = state.with_start(starts.bring_data(picture))
        return everything(tab, state, tab.values(components, state.model), components)[0]

    def restore(link: Mapping[str, str], components: Mapping) -> dict:
        """Restore what a link asks for. Invalid values keep their defaults and are named on the page."""
        link, problems = _here(_renamed(link))
        try:
            chosen = one_of("tab", link.get("tab", first), built)
        except ValueError as error:
            chosen, problems = first, [*problems, str(error)]
        tab = built[chosen]
        settings, wrong = tab.settings.fitted({name: link[name] for name in tab.settings.names() if name in link})
        state = State.of(link)
        shown, _ = everything(tab, state, vars(settings), components)
        problems += [*wrong, *_others(link, settings)]
        said = alert("This link was not quite right: " + " ".join(problems)) if problems else ""
        return {**shown, tabs: gr.update(selected=chosen), page.problem: said}

    def visit(components: dict, data: gr.EventData) -> dict:
        """After the page has opened with a link, and after the browser's Back or Forward."""
        return restore(dict(parse_qsl(sent(data, "query") or "")), components)

    page.bar.input(page.answered(choose), components, outputs, **CLICKS)
    page.address.select(page.answered(visit), components, outputs, **CLICKS)


def _renamed(link: Mapping[str, str]) -> dict[str, str]:
    """A link's parameters under today's names."""
    tab = link.get("tab", "")
    named = {_OLD_NAMES.get(name, name): value for name, value in link.items()}
    return {**_OLD_VALUES.get(tab, {}), **named, **({"tab": _OLD_TABS[tab]} if tab in _OLD_TABS else {})}


def _here(link: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """A link without the uploaded pictures that are no longer here, and a sentence for each of them."""
    gone = [name for name in PLACES if link.get(name, "").startswith("image:") and not starts.is_here(link[name])]
    said = "An uploaded picture is no longer here: the server keeps them until it restarts. Please upload it again."
    return {name: value for name, value in link.items() if name not in gone}, [said] * bool(gone)


def _others(link: Mapping[str, str], settings: Settings) -> list[str]:
    """A sentence for each picture of a link that does not exist, and in whose place another one is shown."""
    shown = {name: getattr(settings, name) for name in PLACES if name in link}
    return [
        f"There is no {link[name]} for this model; {start} is shown."
        for name, start in shown.items()
        if is_start(link[name]) and token(name, link[name]) != start
    ]


def _share_memory() -> None:
    """Let all threads take memory from two pools, where the C library is glibc: with one pool for each of the dozens of
    threads that answer, every visitor would take 15 MB."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 2)


def launch(demo: gr.Blocks, **options) -> None:
    """Serve the page; the options are those of Gradio's ``launch``."""
    _share_memory()
    torch.set_num_threads(1)  # several people share the processors: one picture, one thread
    demo.queue(max_size=200, default_concurrency_limit=4)
    share_fairly(demo._queue)
    keep_cleaning()
    if tools.OFFERED:  # the endpoints are tools of language models too
        tools.answer_in_json()
    options = {"mcp_server": tools.OFFERED, **options}
    demo.launch(
        theme=THEME, css=static("page.css", "tabs.css", "narrow.css"), js=static("page.js"), footer_links=["api"],
        max_file_size="10mb", state_session_capacity=SESSIONS,
        app_kwargs={"middleware": [Middleware(Guard), Middleware(ShownPaths)]}, **options,
    )  # fmt: skip

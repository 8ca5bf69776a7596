"""How the page looks."""

from gradio.themes import Soft

from .parts import static

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
CSS = static("demo.css")

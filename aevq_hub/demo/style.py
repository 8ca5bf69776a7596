"""How the page looks."""

from gradio.themes import Soft

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
CSS = """
button[role=tab].selected { color: var(--primary-700) !important; }
.dark button[role=tab].selected { color: var(--primary-400) !important; }
.snippet .cm-line span { color: inherit !important; }
.gradio-container { max-width: 1200px !important; margin: auto; }
.pixels img, .picture img { image-rendering: pixelated; }
#problem { border-left: 4px solid #b45309; padding-left: 12px !important; }

.starts .gallery-item { height: auto !important; }
.starts .grid-wrap { height: auto !important; min-height: 0 !important; max-height: none !important; padding: 0; }
.starts .grid-container { grid-template-columns: repeat(10, minmax(0, 1fr)) !important; gap: 5px; padding: 2px;
  grid-auto-rows: min-content !important; grid-template-rows: none !important; }
.starts .thumbnail-item { height: auto !important; width: 100%; aspect-ratio: 1; }
.starts .thumbnail-item img { height: auto !important; width: 100%; }

.html-container:has(.picture, .curves, .gallery, .about, .plane, .health) { padding: 0 !important; }
.picture { margin: 0; }
.picture figcaption { font-weight: 600; margin-bottom: 6px; color: var(--body-text-color); line-height: 1.3; }
.picture figcaption small { font-weight: 400; color: var(--body-text-color-subdued); }
.picture .frame { position: relative; border: 1px solid var(--border-color-primary); border-radius: 8px;
  overflow: hidden; background: var(--background-fill-secondary); }
.picture .square { aspect-ratio: 1; }
.picture img { display: block; width: 100%; }
.picture .wide { overflow-x: auto; contain: inline-size; }
.picture .wide img { min-width: var(--least, 0); }
.picture [data-cells] { cursor: crosshair; }
.picture .cell { position: absolute; outline: 2px solid #f59e0b; box-shadow: 0 0 0 3px rgb(0 0 0 / 60%);
  pointer-events: none; }
.picture a { display: inline-block; margin-top: 6px; font-size: var(--text-sm); color: var(--link-text-color);
  text-decoration: underline; }
.snippet, .tab-wrapper { contain: inline-size; }
.pair { flex-wrap: nowrap !important; }
.pair > * { min-width: 0 !important; }
.four > * { min-width: min(130px, 40%) !important; }
#animation { max-width: 300px; }
#sheet .picture { max-width: 900px; }
#corners .picture { max-width: 640px; }

.picture .cells { position: absolute; inset: 0; display: grid;
  grid-template: repeat(var(--side), 1fr) / repeat(var(--side), 1fr); }
.cells button { padding: 0; min-width: 0; border-radius: 0; background: none; cursor: pointer;
  border: 1px solid rgb(128 128 128 / 22%);
  font: 600 clamp(8px, 1.1vw, 12px) / 1 ui-sans-serif, system-ui, sans-serif; color: transparent; }
.cells button:is(:hover, :focus-visible) { background: rgb(0 0 0 / 55%); color: #fff; }
.cells button:focus-visible { outline: 3px solid #38bdf8; outline-offset: -3px; z-index: 2; }
.cells .edited { border: 1px dashed #2dd4bf; }
.cells [aria-pressed=true] { border: 2px solid #f59e0b; box-shadow: 0 0 0 1px rgb(0 0 0 / 70%); z-index: 1; }
.palette { display: grid; grid-template-columns: repeat(auto-fill, minmax(38px, 1fr)); gap: 4px; max-height: 330px;
  overflow-y: auto; padding: 3px; }
.palette button { padding: 0; min-width: 0; border: 1px solid var(--border-color-primary); border-radius: 5px;
  overflow: hidden; cursor: pointer; background: var(--background-fill-secondary); color: var(--body-text-color); }
.palette i { display: block; aspect-ratio: 1; background: var(--sprite) no-repeat; image-rendering: pixelated; }
.palette b { display: block; font-size: 11px; line-height: 16px; font-weight: 500; }
.palette button:focus-visible { outline: 3px solid #38bdf8; }
.palette [aria-pressed=true] { border-color: #f59e0b; box-shadow: 0 0 0 2px #f59e0b; }
.said-of { margin: 0; line-height: 1.5; color: var(--body-text-color); }
.said-of a { color: var(--link-text-color); text-decoration: underline; }
.matrix textarea { font-family: var(--font-mono); white-space: pre; overflow-x: auto !important; }

.rung { display: grid; grid-template-columns: minmax(0, 2.3fr) repeat(2, minmax(0, 1fr)) minmax(0, 5fr); gap: 14px;
  border-top: 1px solid var(--border-color-primary); padding-top: 10px; }
.rung h3 { margin: 0 0 4px; font-size: 1rem; color: var(--body-text-color); }
.rung p { margin: 0 0 6px; line-height: 1.35; font-size: var(--text-sm); color: var(--body-text-color); }
.rung .error { font-weight: 600; }
.rung figcaption { font-size: var(--text-sm); white-space: nowrap; }
.html-container:has(.rung, .said-of, .palette, .table) { padding: 0 !important; }
.rung-of:not(:has(.rung)) { display: none; }

.table { overflow-x: auto; contain: inline-size; border: 1px solid var(--border-color-primary); border-radius: 8px; }
.table table { border-collapse: collapse; width: 100%; font-size: var(--text-sm); color: var(--body-text-color); }
.table :is(td, th) { padding: 5px 10px; text-align: left; vertical-align: top; white-space: nowrap; font-weight: 400; }
.table thead th { font-weight: 600; }
.table tr + tr, .table tbody tr { border-top: 1px solid var(--border-color-primary); }
#about_variants :is(td:nth-child(3), td:nth-child(4), td:nth-child(5)) { white-space: normal; min-width: 10em; }
#about_variants td:nth-child(4) { min-width: 17em; }

.curves { display: flex; flex-wrap: wrap; gap: 12px 32px; }
.curves svg { flex: 1 1 300px; min-width: 0; max-width: 560px; height: auto; color: var(--body-text-color); }
.curves text { fill: currentColor; font-size: 12px; }
.curves .title { font-weight: 600; font-size: 13px; }
.curves .what { opacity: .75; }
.curves .line { fill: none; stroke: var(--color-accent); stroke-width: 2; }
.curves .axis { stroke: currentColor; opacity: .3; }
.curves .now { stroke: #f59e0b; stroke-width: 1.5; }
.curves .dot { fill: #f59e0b; stroke: var(--background-fill-primary); stroke-width: 1.5; }

.gallery, .about .row { display: grid; gap: 4px; }
.gallery { max-height: 440px; overflow-y: auto; padding: 4px; position: relative; overscroll-behavior: contain; }
.gallery.large { grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); }
.gallery.small { grid-template-columns: repeat(auto-fill, minmax(48px, 1fr)); }
.about .row { grid-template-columns: repeat(auto-fill, 68px); }
.about .none { grid-column: 1 / -1; }
.picture + .about { margin-top: 12px; }
.prose button.vector, .prose button.sample { display: block; margin: 0; border: 2px solid transparent; padding: 2px;
  border-radius: 6px; box-shadow: none; background: none; color: var(--body-text-color); font-size: 11px;
  font-weight: 500; line-height: 1.25; text-align: center; cursor: pointer; }
.vector i, .sample img { display: block; width: 100%; aspect-ratio: 1; image-rendering: pixelated; border-radius: 3px;
  margin: 0 0 1px; }
.prose button.vector.dead { border: 2px dashed var(--body-text-color-subdued); }
.prose button.vector.duplicate { border: 4px double var(--body-text-color-subdued); padding: 0; }
.prose button.vector:hover, .prose button.sample:hover { border-color: var(--color-accent); }
.prose button.vector[aria-pressed=true], .prose button.sample[aria-pressed=true] { border: 2px solid #f59e0b;
  padding: 2px; box-shadow: 0 0 0 1px #f59e0b; }
.vector:focus-visible, .sample:focus-visible { outline: 3px solid var(--color-accent); outline-offset: 1px; }
.about h4, .health h4 { margin: 12px 0 4px; font-weight: 600; }
.about h4:first-child, .health h4 { margin-top: 0; }
.about small, .health small { font-weight: 400; color: var(--body-text-color-subdued); }
.health { display: flex; flex-wrap: wrap; gap: 12px 32px; }
.health > * { flex: 1 1 300px; min-width: 0; }
.health ul { list-style: disc; padding-left: 20px; margin: 0 0 8px; }
.curves .bars { fill: var(--color-accent); }
.curves .alike { stroke: #f59e0b; stroke-dasharray: 5 4; stroke-width: 1.5; }
.plane svg { display: block; width: 100%; height: auto; max-width: 680px; cursor: crosshair;
  border: 1px solid var(--border-color-primary); border-radius: 8px; color: var(--body-text-color);
  background: var(--background-fill-primary); }
.plane .latent { fill: none; stroke-width: 6.5; stroke-linecap: round; opacity: .8; }
.plane .vectors { fill: var(--background-fill-primary); stroke: currentColor; stroke-width: 2; }
.plane .many { stroke-width: 1.3; }
.plane .chosen { fill: none; stroke: #f59e0b; stroke-width: 4; }
.plane .halo { stroke: var(--background-fill-primary); stroke-width: 9; }
.plane text { fill: currentColor; font-size: 16px; font-weight: 600; paint-order: stroke; stroke-width: 4px;
  stroke: var(--background-fill-primary); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; list-style: none; padding: 0; margin: 8px 0 0;
  font-size: var(--text-sm); }
.legend li { display: flex; align-items: center; gap: 6px; margin: 0; }
.legend i { width: 11px; height: 11px; border-radius: 50%; }
.legend .diamond { border: 2px solid currentColor; border-radius: 0; transform: rotate(45deg) scale(.8); }
#codebook_sprites { display: none; }
#codebook_point_picture .picture { max-width: 300px; }

.sketch canvas { display: block; width: 100%; max-width: 224px; aspect-ratio: 1; background: #000; border-radius: 8px;
  cursor: crosshair; touch-action: none; }
.sketch button { margin-top: 6px; padding: 4px 12px; border-radius: 6px; border: 1px solid var(--border-color-primary);
  background: var(--button-secondary-background-fill); color: var(--button-secondary-text-color); }
@media (max-width: 760px) {
  .rung { grid-template-columns: 110px 110px 1fr; }
  .rung > :first-child, .rung > :last-child { grid-column: 1 / -1; }
}
@media (max-width: 640px) {
  .stacked { flex-wrap: wrap !important; }
  .stacked > * { flex: 1 1 100% !important; }
  .gradio-container { padding: 8px !important; }
  .starts .grid-container { grid-template-columns: repeat(7, minmax(0, 1fr)) !important; }
  .gradio-container h1 { font-size: 1.4rem !important; }
}
"""

"""The demo's page: layout and events, and nothing that is computed. Only this package imports Gradio.

A tab is a module with ``ID`` and ``TITLE``, a function ``build`` that lays it out, wires it and returns a
:class:`parts.Tab`, and ``ENDPOINTS``, what programs may call by name; ``page.TABS`` lists them. What it shows comes
from the module of the same name in ``aevq_hub.explore``.
"""

"""The demo's page: layout and events, without computations. Only this package imports Gradio.

A tab is a module with ``ID`` and ``TITLE``, a function ``build`` that lays it out, wires it and returns a
:class:`parts.Tab`, and ``ENDPOINTS``, the functions that programs may call by name; ``page.TABS`` lists the tabs. What
a tab shows is computed by the module of the same name in ``aevq_hub.explore``.
"""

"""The demo: a page whose tabs share one data set, model and pair of pictures.

A tab is a package: ``settings`` (a frozen dataclass that checks every value), ``compute`` (what is shown, without
Gradio), ``snippet`` (the Python that makes its picture), ``endpoints`` (functions for programs) and ``layout``, with
``ID``, ``TITLE``, ``SETTINGS``, ``VERB`` and ``build``, which lays it out and returns a :class:`shared.tab.Tab`.
``page.TABS`` lists the tabs, ``bar`` and ``tour`` write what is above them, ``shared`` has what they have in common,
and ``static`` the page's CSS and JavaScript.
"""

"""What the tabs share.

``exhibits`` has the models with their samples, ``starts`` the pictures to start from, ``originals`` the images behind
them, ``settings`` the base of a tab's settings, and ``snippets`` what their Python has in common; they do without
Gradio. ``tab`` and ``events`` connect settings to Gradio's components, and ``html`` writes the page's parts.
"""

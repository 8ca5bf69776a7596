"""The demo's computations, without Gradio: one module per tab, and modules that the tabs share.

``exhibits`` has the models with their samples, ``starts`` the pictures to start from, ``settings`` the base of a tab's
settings, which a link can hold, and ``snippets`` the Python that makes the picture of a tab. A tab's module has its
settings, a frozen dataclass that checks every value, and functions that make pictures of them.
"""

from .exhibits import Exhibit, Offer, data_sets, describe, exhibit, offers

__all__ = ["Exhibit", "Offer", "data_sets", "describe", "exhibit", "offers"]

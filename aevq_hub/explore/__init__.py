"""What the demo shows, computed without it: one module per tab, and what the tabs share.

``exhibits`` has the models with their samples, ``starts`` what one can start from, ``settings`` what a tab can be set
to and how a link holds it, ``snippets`` the Python that makes what a tab shows. A tab's module has its settings, a
frozen dataclass that checks every value, and functions that make pictures of them.
"""

from .exhibits import Exhibit, Offer, data_sets, describe, exhibit, offers

__all__ = ["Exhibit", "Offer", "data_sets", "describe", "exhibit", "offers"]

"""The tab Grid: its settings, what it shows, its Python, its functions for programs, and its layout."""

"""Other libraries and a plain loop, trained on the same networks and images for comparison: one module each.

They are optional: ``pip install "aevq-hub[peers]"``. Nothing else imports them.
"""

"""Training, measuring and publishing of the models that ``aevq_hub`` loads."""

import os

# Waiting OpenMP threads then sleep soon, instead of taking the processor from a training beside this one. It takes
# effect if torch is not loaded yet.
os.environ.setdefault("GOMP_SPINCOUNT", "20000")

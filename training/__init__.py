"""Training, measuring and publishing of the models that ``aevq_hub`` loads."""

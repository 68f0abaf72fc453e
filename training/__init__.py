"""Files to arrays to networks to Models/.  Read in this order: emnist, download, unipen, corrections_store, dataset,
augment, devices, networks, character_trainer; synthesis, prefetch, line_trainer; metrics, curves, tensorboard_log,
export."""

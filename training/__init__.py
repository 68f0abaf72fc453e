"""Files to arrays to networks to Models/.  Read in this order: emnist, download, unipen, unipen_format, corrections_store,
dataset, augment, devices, networks, character_trainer; line_records, line_texts, line_rendering, synthesis, prefetch,
line_trainer; metrics, curves, tensorboard_log, export."""

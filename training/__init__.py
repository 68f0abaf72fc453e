"""Files to arrays to networks to Models/.  Read: config, pipeline, dataset, emnist, download, unipen, unipen_format,
corrections_store; devices, networks, optimizer, augment, character_trainer, callbacks; line_records, line_texts,
line_rendering, synthesis, prefetch, line_validation, line_trainer; calibration, metrics, curves, tensorboard_log, export."""

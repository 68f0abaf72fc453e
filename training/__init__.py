"""Training: config, pipeline; dataset, emnist, download, unipen, unipen_format, corrections_store; devices, networks,
optimizer, augment, callbacks, character_trainer; line_records, line_texts, line_rendering, accents, real_lines, fonts,
paper, synthesis, prefetch, line_validation, line_trainer; calibration, metrics, curves, export, tensorboard_log."""

"""Files to networks in Models/: config, pipeline; dataset, emnist, download, unipen, unipen_format, corrections_store;
devices, networks, optimizer, augment, callbacks, character_trainer; line_records, line_texts, line_rendering, synthesis,
prefetch, line_validation, line_trainer; calibration, metrics, curves, tensorboard_log, export.  Read in this order."""

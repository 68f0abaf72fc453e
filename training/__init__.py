"""Files to networks: config pipeline; dataset emnist download unipen unipen_format corrections_store devices networks
optimizer augment callbacks character_trainer metrics; line_records line_texts line_rendering accents real_lines
originals materials line_scans synthesis prefetch line_validation line_trainer; page_writing paper page_layouts
page_synthesis page_trainer; calibration curves export tensorboard_log.  Read them in this order."""

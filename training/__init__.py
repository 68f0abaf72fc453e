"""Files to networks.  In reading order: config pipeline; dataset emnist download unipen unipen_format corrections_store
devices networks optimizer augment callbacks curves character_trainer metrics export; line_records line_texts
line_rendering materials synthesis prefetch line_validation line_trainer; page_writing paper page_layouts
page_synthesis page_trainer."""

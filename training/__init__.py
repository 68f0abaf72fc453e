"""Files to networks.  In reading order: config pipeline; dataset emnist download unipen unipen_format corrections_store
devices networks optimizer augment curves callbacks character_trainer metrics export; line_records materials line_texts
line_rendering page_writing paper synthesis page_layouts page_synthesis prefetch line_validation line_trainer
page_trainer."""

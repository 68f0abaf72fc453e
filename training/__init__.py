"""Files to networks.  Read config pipeline; dataset emnist download unipen unipen_format corrections_store devices
networks optimizer augment curves callbacks character_trainer metrics export; line_records materials line_texts paper
line_rendering page_writing synthesis page_layouts page_synthesis prefetch line_validation line_trainer page_trainer."""

"""Picture to text: recognizer readings; pictures binarize page_network line_cores reading_order line_inks text_lines;
line_recognizer network ctc character_lm word_lm capitals character_boxes; character_reader, segmenting_reader for lines
read by a network for single characters; picture_names and bulk for many pictures.  Read them in this order."""

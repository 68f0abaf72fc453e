"""Picture to text.  Read in this order: recognizer, readings; pictures, binarize, page_network, text_lines,
line_recognizer, network, ctc, character_lm, word_lm, capitals, character_boxes; character_reader and, for lines read by
a network for single characters, segmenting_reader; for many pictures, picture_names and bulk."""

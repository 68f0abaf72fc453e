"""Picture to text.
Read in this order: binarize, text_lines, network, line_recognizer, ctc, character_lm, word_lm, character_boxes, recognizer;
then oversegmentation and lattice, which read with a network for single characters.
"""

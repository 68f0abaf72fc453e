"""What training and reading must do the same way: characters and their pictures, pen strokes, runs, settings, files.

Read in this order: alphabets, pen_strokes, glyph, line_image, runs, settings, interrupt, files, softmax, errors."""

"""Beside the scripts; run as python -m tools.NAME.  To measure: evaluate, check_acc_loss, plotScript, benchmark (with
benchmark_read, benchmark_train, benchmark_apps, processes), measure_adaptation.  To draw: draw_samples, ui_driver,
draw_line_images.  To make data: fetch_data, extract_characters, train_geometry, build_character_lm, build_word_lm."""

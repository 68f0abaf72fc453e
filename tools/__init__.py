"""Run as python -m tools.NAME; read in this order: fetch_data either_case extract_characters build_language_models;
report evaluate evaluate_pages other_readers check_acc_loss plotScript measure_adaptation measure_writing; torture;
benchmark benchmark_read benchmark_train benchmark_apps processes; draw_samples draw_training ui_driver screenshots."""
import sys

from common import interrupt

interrupt.end_quietly("__main__" if sys.argv[0] == "-m" else "")   # a tool is to run

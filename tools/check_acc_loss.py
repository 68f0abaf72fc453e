"""Scores saved networks again and prints a table of results.

    python -m tools.check_acc_loss                     every run in Models that reads characters
    python -m tools.check_acc_loss 1700000000 ...      these

Each is scored on EMNIST's official test set and, if the files exist, on pen strokes of unseen writers.
The table is Markdown.
"""
import statistics
import timeit
from pathlib import Path
from types import SimpleNamespace

from common import runs, settings
from tools import report
from training import metrics

# ---- settings: change them here or on the command line, as --name=value
models_path = "Models"           # where runs are kept
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes; "" leaves them out
limit = 0                        # score at most this many images of each set; 0: all
# ---- end of settings

# Keys of the figures in metrics.json, and their column names here.
TEST = {"accuracy": "accuracy", "accuracy_without_case": "without case", "accuracy_lookalikes_merged":
        "lookalikes merged", "top5": "top 5", "macro_f1": "macro F1", "loss": "loss"}
PEN = {"accuracy": "drawn", "accuracy_without_case": "drawn without case"}
COLUMNS = ("network", "unixTime", "parameters", "MB", *TEST.values(), *PEN.values(), "ms per 20")


def main(arguments: list[str]) -> None:
    """Score each named run, and print a table with a line for each."""
    config, names = settings.configure(globals(), arguments, positional="unixTime...")
    settings.between("limit", config.limit, 0)
    names = names or runs.list_runs(config.models_path, "characters")
    if not names:
        raise runs.RunError(f"{config.models_path} holds no trained network; train one with `python model.py`")
    for name in names:
        if (reads := runs.read_config(config.models_path, name)["reads"]) != "characters":
            raise runs.RunError(f"the run {name} reads {reads}, not single characters: python -m tools.evaluate "
                                "measures those that read lines")
    pen = config.pen_path if Path(config.pen_path, "characters.jsonl.gz").is_file() else ""
    data = metrics.read_test_data(config.data_path, pen, config.limit)
    report.print_table(COLUMNS, sorted((score(config, name, data) for name in names), key=lambda row: row["accuracy"]))
    print(f"\nOfficial test set of EMNIST ByClass, n = {len(data['emnist_test'][1]):,}"
          + (f"; pen strokes of unseen writers, n = {len(data['pen_test'][1]):,}" if pen else "")
          + f". ms per 20: one call with 20 glyphs, median of 50, {runs.hardware()}.")


def score(config: SimpleNamespace, name: str, data: dict) -> dict:
    """One row of the table."""
    from training import devices
    devices.import_keras()
    from training import networks
    about = runs.read_config(config.models_path, name)
    network = networks.load_network(config.models_path, name)
    figures, _ = metrics.evaluate(network, data, about)
    times = timeit.repeat(lambda: network.predict_on_batch(data["emnist_test"][0][:20]), number=1, repeat=51)[1:]
    row = {"network": about["settings"]["network"], "unixTime": name, "parameters": f"{network.count_params():,}",
           "MB": Path(config.models_path, name, "model.keras").stat().st_size / 1e6,
           "ms per 20": 1000 * statistics.median(times)}
    for part, columns in (("emnist_test", TEST), ("pen_test", PEN)):
        row |= {column: figures[part][key] for key, column in columns.items() if part in figures}
    return row


if __name__ == "__main__":
    settings.run(main)

"""Scores saved networks again and prints the README's table of results.

    python -m tools.check_acc_loss                     every run in Models
    python -m tools.check_acc_loss 1700000000 ...      these

Each is scored on EMNIST's official test set, and on the pen strokes of writers
it never saw where those are at hand.  Tables are Markdown.
"""
import sys
import time
from pathlib import Path

from common import errors, runs, settings
from training import metrics

# ---- settings: change them here or on the command line, as --name=value
models_path = "Models"           # where runs are kept
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes; "" leaves them out
limit = 0                        # score only so many images of each; 0: all
# ---- end of settings

COLUMNS = ("network", "unixTime", "parameters", "MB", "trained on", "accuracy", "without case", "lookalikes merged",
           "top 5", "macro F1", "loss", "drawn", "drawn without case", "ms per 20")


def main(arguments: list[str]) -> None:
    """Score each run named and print one line of the table for it."""
    given, names = settings.read(__file__, globals(), arguments, positional="unixTime...")
    config = globals() | given
    names = names or runs.list_runs(config["models_path"], "characters")
    if not names:
        raise runs.RunError(f"{config['models_path']} holds no trained network; train one with `python model.py`")
    for name in names:
        if runs.read_config(config["models_path"], name)["reads"] != "characters":
            raise runs.RunError(f"the run {name} reads words and lines, not single characters: score it with "
                                f"`python -m tools.evaluate --model={name}`")
    pen = config["pen_path"] if Path(config["pen_path"], "characters.jsonl.gz").is_file() else ""
    data = metrics.read_test_data(config["data_path"], pen, config["limit"])
    rows = [score(config, name, data) for name in names]
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for row in sorted(rows, key=lambda row: row[5]):
        print("| " + " | ".join(row) + " |")
    print(f"\nOfficial test set of EMNIST ByClass, n = {len(data['emnist_test'][1]):,}"
          + (f"; drawn: pen strokes of unseen writers, n = {len(data['pen_test'][1]):,}" if pen else "")
          + f". ms per 20: one call with 20 glyphs, median of 50, {runs.hardware()}.")


def score(config: dict, name: str, data: dict) -> list[str]:
    """One line of the table."""
    about = runs.read_config(config["models_path"], name)
    from training import networks
    network = networks.load_network(config["models_path"], name)
    figures, _ = metrics.evaluate(network, data, about)
    test, drawn = figures["emnist_test"], figures.get("pen_test")
    kinds = {"emnist_train": "scans", "emnist_either_case": "either-case scans", "pen_strokes": "drawings",
             "pen_words": "letters of written words"}
    trained = ", ".join(f"{about['images'][kind]:,} {what}" for kind, what in kinds.items() if kind in about["images"])
    size = Path(config["models_path"], name, "model.keras").stat().st_size / 1e6
    return [about["settings"]["network"], name, f"{network.count_params():,}", f"{size:.1f}", trained,
            *(f"{test[key]:.4f}" for key in ("accuracy", "accuracy_without_case", "accuracy_lookalikes_merged",
                                             "top5", "macro_f1", "loss")),
            *(f"{drawn[key]:.4f}" if drawn else "" for key in ("accuracy", "accuracy_without_case")),
            f"{milliseconds(network, data['emnist_test'][0][:20]):.1f}"]


def milliseconds(network, images, repeats: int = 50) -> float:
    """Median time of one call with these images, after a first one that compiles."""
    network.predict_on_batch(images)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        network.predict_on_batch(images)
        times.append(time.perf_counter() - start)
    return 1000 * sorted(times)[repeats // 2]


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, errors.DataError, runs.RunError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None

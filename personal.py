"""Measures how much the characters of one writer gain when half of them have been learned as corrections.

    python personal.py                    writers that no part of the reader has learned from
    python personal.py --split=val        others, to try settings on

For each writer the network learns as `model.py --finetune` does, from half of the
writer's characters, chosen by lot; the other half is measured.  "forms" is what
it then reads of EMNIST's validation images: what it has not forgotten.
"""
import sys

import numpy as np
from tqdm import tqdm

import dataset
import model
import runs
import scores
import settings
import unipen

# ---- settings: change them here or on the command line, as --name=value
unixTime = ""                    # the network to start from; without one, the shipped network
split = "test"                   # of the pen strokes
writers = 6                      # so many, those with most characters
most = 400                       # characters of each writer at most
pen = 7.0                        # px, the pen's diameter for a character 100 px tall
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
models_path = "Models"           # where networks are kept
# ---- end of settings


def main(arguments: list[str]) -> None:
    """Let the network know each writer, and print what that brings."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    name = config["unixTime"] or runs.DEFAULT_CHARACTERS
    setup = model.configure([f"--finetune={name}", *(f"--{key}={config[key]}" for key in ("data_path", "pen_path",
                                                                                       "models_path"))])
    hands = read_writers(config)
    images, sources = model.load_sources(setup | {"corrections": 0.0})
    model.prepare_backend(setup)
    before = runs.load_network(config["models_path"], name)
    prior = runs.read_config(config["models_path"], name)["prior_of_drawings"]
    print("| writer | learned | measured | before | after | forms before | forms after |\n|" + "---|" * 7)
    total = np.zeros(3)
    for writer, (glyphs, labels) in (bar := tqdm(hands.items(), "learning", unit="writer")):
        half = len(labels) // 2
        data = model.join(setup, images, [*sources, model.corrections_of(glyphs[:half], labels[:half])])
        after = learn(setup, data)
        forms = data.images[data.val_rows], data.targets[data.val_rows, 0]
        hits = [(scores.read(network, glyphs[half:], labels[half:], shift=prior).guesses == labels[half:]).sum()
                for network in (before, after)]
        kept = [(scores.read(network, *forms).guesses == forms[1]).mean() for network in (before, after)]
        count = len(labels) - half
        total += [count, *hits]
        bar.write(f"| {writer} | {half} | {count} | " + " | ".join(f"{share:.3f}" for share in (
            *np.array(hits) / count, *kept)) + " |", file=sys.stdout)
    count, *hits = total
    print(f"\n{len(hands)} writers, n = {count:.0f} characters: {hits[0] / count:.3f} read rightly before, "
          f"{hits[1] / count:.3f} after; {runs.hardware()}.")


def read_writers(config: dict) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Glyphs uint8 (n, 28, 28) and labels uint8 (n,) of the writers with most characters, in an order drawn by lot."""
    records: dict[str, list[dict]] = {}
    for record in unipen.read_strokes(f"{config['pen_path']}/characters.jsonl.gz", config["split"]):
        records.setdefault(record["writer"], []).append(record)
    chosen = sorted(records, key=lambda writer: -len(records[writer]))[:config["writers"]]
    random, found = np.random.default_rng(0), {}
    for writer in chosen:
        some = [records[writer][row] for row in random.permutation(len(records[writer]))[:config["most"]]]
        found[writer] = (np.array([dataset.draw_glyph(record["strokes"], config["pen"]) for record in some]),
                         np.array([dataset.CHARACTERS.index(record["label"]) for record in some], np.uint8))
    return found


def learn(setup: dict, data: model.Data):
    """The network after a training as model.py's."""
    trainee, order = model.build_trainee(setup, data)
    trainee.fit(order.places, batch_size=setup["batch_size"], shuffle=False, epochs=setup["train_epochs"],
                callbacks=[order], verbose=0)
    return trainee.network


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, dataset.DataError, unipen.UnipenError, runs.RunError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None

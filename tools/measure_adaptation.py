"""Measures how much one writer gains when half of what he wrote has been learned as corrections.

    python -m tools.measure_adaptation                    characters of writers that no part of the reader has learned from
    python -m tools.measure_adaptation --reads=lines      words of such writers, read by the network that reads lines
    python -m tools.measure_adaptation --split=val        others, to try settings on

For each writer the network learns as `model.py --finetune` does, from half of what
he wrote, chosen by lot; the other half is measured.  Of words only those are
learned that were read wrongly: nobody corrects the others.  The last two columns
tell what has not been forgotten: how much of EMNIST's validation images is read
rightly, or the character error rate of words of the validation split, which
others wrote, without a language model.
"""
import functools
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

import model
from common import alphabets, errors, glyph, runs, settings
from reading import line_recognizer, word_lm
from training import corrections_store, dataset, line_records, line_rendering, line_trainer, metrics, unipen

# ---- settings: change them here or on the command line, as --name=value
reads = "characters"             # or lines: which of the shipped networks learns, without a unixTime
unixTime = ""                    # the network to start from; without one, the shipped network
split = "test"                   # of the pen strokes
writers = 6                      # so many, those with most of it
most = 400                       # characters or words of each writer at most
pen = 7.0                        # px, the pen's diameter for a character 100 px tall
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
models_path = "Models"           # where networks are kept
# ---- end of settings


def main(arguments: list[str]) -> None:
    """Let a network know each writer, and print what that brings."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    if config["reads"] not in ("characters", "lines"):
        raise settings.SettingsError(f"--reads={config['reads']} has to be characters or lines")
    name = config["unixTime"] or (runs.DEFAULT_CHARACTERS if config["reads"] == "characters" else runs.DEFAULT)
    lines = runs.read_config(config["models_path"], name)["reads"] == "lines"
    with tempfile.TemporaryDirectory() as folder:
        setup = model.configure([f"--finetune={name}", f"--corrections_path={folder}", *(
            f"--{key}={config[key]}" for key in ("data_path", "pen_path", "models_path"))])
        (measure_words if lines else measure_characters)(config, setup)


def report(names: tuple[str, ...], hands: dict, measure: Callable) -> np.ndarray:
    """A table of what `measure` finds for each hand: (learned, measured, before, after, ...); all as an array."""
    print("| writer | learned | measured | " + " | ".join(names) + " |\n|" + "---|" * (3 + len(names)))
    rows = []
    for writer in (bar := tqdm(hands, "learning", unit="writer")):
        learned, measured, *shares = measure(hands[writer])
        bar.write(f"| {writer} | {learned} | {measured} | " + " | ".join(f"{share:.3f}" for share in shares) + " |",
                  file=sys.stdout)
        rows.append((learned, measured, *shares))
    return np.array(rows, float)


def chosen(records: Iterable[dict], config: dict) -> dict[str, list[dict]]:
    """Some records, in an order drawn by lot, of each of the writers with most of them."""
    of_writer: dict[str, list[dict]] = {}
    for record in records:
        of_writer.setdefault(record["writer"], []).append(record)
    names = sorted(of_writer, key=lambda writer: -len(of_writer[writer]))[:config["writers"]]
    random = np.random.default_rng(0)
    return {name: [of_writer[name][row] for row in random.permutation(len(of_writer[name]))[:config["most"]]]
            for name in names}


# ---- characters

def measure_characters(config: dict, setup: dict) -> None:
    """Let a network that reads characters know each writer."""
    hands = chosen(unipen.read_strokes(Path(config["pen_path"], "characters.jsonl.gz"), config["split"]), config)
    images, sources = dataset.load_sources(setup | {"corrections": 0.0})
    model.prepare_backend(setup)
    from training import networks
    network = networks.load_network(config["models_path"], setup["finetune"])
    prior = runs.read_config(config["models_path"], setup["finetune"])["prior_of_drawings"]

    def measure(records: list[dict]) -> tuple:
        glyphs = np.array([glyph.draw_glyph(record["strokes"], config["pen"]) for record in records])
        labels = np.array([alphabets.CHARACTERS.index(record["label"]) for record in records], np.uint8)
        half = len(labels) // 2
        data = dataset.join(setup, images, [*sources, dataset.corrections_of(glyphs[:half], labels[:half])])
        trainee, order = model.build_training_model(setup, data)
        trainee.fit(order.places, batch_size=setup["batch_size"], shuffle=False, epochs=setup["train_epochs"],
                    callbacks=[order], verbose=0)
        forms = data.images[data.val_rows], data.targets[data.val_rows, 0]
        both = network, trainee.network
        hits = [(metrics.predict(one, glyphs[half:], labels[half:], shift=prior).guesses == labels[half:]).mean()
                for one in both]
        kept = [(metrics.predict(one, *forms).guesses == forms[1]).mean() for one in both]
        return half, len(labels) - half, *hits, *kept

    found = report(("before", "after", "forms before", "forms after"), hands, measure)
    count, before, after = found[:, 1].sum(), *(found[:, 1] @ found[:, 2:4] / found[:, 1].sum())
    print(f"\n{len(hands)} writers, n = {count:.0f} characters: {before:.3f} read rightly before, {after:.3f} after; "
          f"{runs.hardware()}.")


# ---- words

def measure_words(config: dict, setup: dict) -> None:
    """Let a network that reads lines know each writer."""
    hands = chosen(line_records.read_records(config["pen_path"], "words", config["split"]), config)
    model.prepare_backend(setup)
    import keras
    validation = line_trainer.Validation(setup)
    from training import networks
    first = networks.load_network(config["models_path"], setup["finetune"])
    decoding = runs.read_config(config["models_path"], setup["finetune"]).get("decoding")
    others = validation.measure(first)[0]["val_cer_words"]
    prior = word_lm.load()

    def pairs(network, records: list[dict]) -> list[tuple[str, str]]:
        reader = line_recognizer.LineReader(functools.partial(map, network.predict_on_batch), decoding, prior)
        return [(record["label"], text.text) for record, text in zip(records, reader.read_lines(
            [line_rendering.draw_plain(line_records.writing_of(record)) for record in records]), strict=True)]

    def measure(records: list[dict]) -> tuple:
        half = len(records) // 2
        wrong = [record for record, (truth, read) in zip(records, pairs(first, records[:half])) if truth != read]
        corrections_store.write_corrected_words(setup["corrections_path"], wrong)
        after, kept = first, others
        if wrong:
            trainee, history = model.build_line_training_model(setup), keras.callbacks.History()
            line_trainer.fit(trainee, setup, validation, keras.callbacks.CallbackList([history], model=trainee))
            after, kept = trainee.network, history.history["val_cer_words"][-1]
        found = [pairs(network, records[half:]) for network in (first, after)]
        return (len(wrong), len(records) - half, *map(metrics.cer, found),
                *(np.mean([truth == read for truth, read in both]) for both in found), others, kept)

    found = report(("CER before", "after", "exact before", "after", "others' CER before", "after"), hands, measure)
    count = found[:, 1].sum()
    means = found[:, 1] @ found[:, 2:] / count
    print(f"\n{len(hands)} writers, n = {count:.0f} words: CER {means[0]:.3f} before, {means[1]:.3f} after; exact "
          f"{means[2]:.3f} and {means[3]:.3f}; {runs.hardware()}.")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, errors.DataError, runs.RunError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None

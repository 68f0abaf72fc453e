"""Measures how much one writer gains once half of what they wrote has been learned as corrections.

    python -m tools.measure_adaptation                    characters of writers that no network has learned from
    python -m tools.measure_adaptation --reads=lines      words of such writers, read by the network that reads lines
    python -m tools.measure_adaptation --split=val        others, to try settings on

For each writer the network learns from a random half of what they wrote, as `model.py --finetune` does; the other half
is measured.  Of the words, only misread ones are learned, since nobody corrects the others.  The last two columns show
what has not been forgotten: the accuracy on EMNIST's validation images, or the CER without a language model on words
that others wrote, from the validation split.
"""
import functools
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from tqdm import tqdm

from common import alphabets, glyph, runs, settings
from reading import line_recognizer, word_lm
from tools.report import print_table
from training import corrections_store, dataset, devices, line_records, line_rendering, metrics, unipen
from training.config import TrainingConfig, configure

# ---- settings: change them here or on the command line, as --name=value
reads = "characters"             # or lines: which of the shipped networks learns, if unixTime is empty
unixTime = ""                    # the network to start from; if empty, the shipped one
split = "test"                   # of the pen strokes
writers = 6                      # number of writers, those with the most samples
most = 400                       # most characters or words of each writer
pen = 7.0                        # px, the pen's diameter for a character 100 px tall
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
models_path = "Models"           # where networks are kept
# ---- end of settings


def main(arguments: list[str]) -> None:
    """Finetune a network for each writer, and print the gain."""
    config, _ = settings.configure(globals(), arguments)
    settings.one_of("reads", config.reads, ("characters", "lines"))
    for key, least in (("writers", 1), ("most", 2)):
        settings.between(key, getattr(config, key), least)
    name = config.unixTime or (runs.DEFAULT_CHARACTERS if config.reads == "characters" else runs.DEFAULT)
    with tempfile.TemporaryDirectory() as folder:
        setup = configure(settings.constants(runs.ROOT / "model.py"), [
            f"--finetune={name}", f"--corrections_path={folder}",
            *(f"--{key}={getattr(config, key)}" for key in ("data_path", "pen_path", "models_path"))])
        (measure_words if setup.reads == "lines" else measure_characters)(config, setup)


def report(names: tuple[str, ...], of_writers: dict[str, list[dict]], measure: Callable) -> None:
    """Print what `measure` returns for each writer's records, (learned, measured, figure, ...), and for all of them.

    names: of the figures; the last line has their means, each writer weighted by the number of measured records.
    """
    found = {writer: measure(records) for writer, records in tqdm(of_writers.items(), "learning", unit="writer")}
    counts, figures = np.split(np.array(list(found.values()), float), [2], axis=1)
    found["mean"] = (*counts.sum(axis=0).astype(int), *np.average(figures, axis=0, weights=counts[:, 1]))
    columns = ("writer", "learned", "measured", *names)
    print_table(columns, (dict(zip(columns, (writer, *row))) for writer, row in found.items()))
    print(f"\n{runs.hardware()}.")


def chosen(records: Iterable[dict], config: SimpleNamespace) -> dict[str, list[dict]]:
    """Some records, in random order, of each of the writers who have the most."""
    of_writer: dict[str, list[dict]] = {}
    for record in records:
        of_writer.setdefault(record["writer"], []).append(record)
    names = sorted(of_writer, key=lambda writer: -len(of_writer[writer]))[:config.writers]
    random = np.random.default_rng(0)
    return {name: [of_writer[name][row] for row in random.permutation(len(of_writer[name]))[:config.most]]
            for name in names}


def measure_characters(config: SimpleNamespace, setup: TrainingConfig) -> None:
    """Finetune a network that reads characters for each writer."""
    of_writers = chosen(unipen.read_strokes(Path(config.pen_path, "characters.jsonl.gz"), config.split), config)
    images, sources = dataset.load_sources(replace(setup, corrections=0.0))
    devices.prepare(setup)
    from training import networks
    from training.character_trainer import CharacterTrainer
    network = networks.load_network(config.models_path, setup.finetune)
    prior = runs.read_config(config.models_path, setup.finetune)["prior_of_drawings"]

    def accuracy(network, samples, **more) -> float:
        return float((metrics.predict(network, *samples, **more).guesses == samples[1]).mean())

    def measure(records: list[dict]) -> tuple:
        glyphs = np.array([glyph.draw_glyph(record["strokes"], config.pen) for record in records])
        labels = np.array([alphabets.CHARACTERS.index(record["label"]) for record in records], np.uint8)
        half = len(labels) // 2
        data = dataset.join(setup, images, [*sources, dataset.corrections_of(glyphs[:half], labels[:half])])
        trainer = CharacterTrainer(setup, data)
        model = trainer.build_model()
        trainer.fit(model, [])
        rest = glyphs[half:], labels[half:]
        return (half, len(rest[1]), *(accuracy(one, rest, shift=prior) for one in (network, model.network)),
                *(accuracy(one, data.validation()) for one in (network, model.network)))

    report(("before", "after", "scans before", "scans after"), of_writers, measure)


def measure_words(config: SimpleNamespace, setup: TrainingConfig) -> None:
    """Finetune a network that reads lines for each writer."""
    of_writers = chosen(line_records.read_records(config.pen_path, "words", config.split), config)
    devices.prepare(setup)
    from training import networks
    from training.line_trainer import LineTrainer, Validation
    validation = Validation(setup)
    first = networks.load_network(config.models_path, setup.finetune)
    decoding = runs.read_config(config.models_path, setup.finetune).get("decoding")
    others = validation.measure(first)["cer_words"]
    lm = word_lm.load()

    def pairs(network, records: list[dict]) -> list[tuple[str, str]]:
        reader = line_recognizer.LineReader(functools.partial(map, network.predict_on_batch), decoding, lm)
        inks = [line_rendering.draw_plain(line_records.writing_of(record)) for record in records]
        return [(record["label"], text.text) for record, text in zip(records, reader.read_lines(inks), strict=True)]

    def measure(records: list[dict]) -> tuple:
        half = len(records) // 2
        wrong = [record for record, (truth, read) in zip(records, pairs(first, records[:half])) if truth != read]
        corrections_store.write_corrected_words(setup.corrections_path, wrong)
        after, kept = first, others
        if wrong:
            trainer = LineTrainer(setup, validation)
            model = trainer.build_model()
            kept = trainer.fit(model, []).history["val_cer_words"][-1]
            after = model.network
        found = [pairs(network, records[half:]) for network in (first, after)]
        return (len(wrong), len(records) - half, *map(metrics.cer, found),
                *(np.mean([truth == read for truth, read in both]) for both in found), others, kept)

    report(("CER before", "CER after", "exact before", "exact after", "others' CER before",
            "others' CER after"), of_writers, measure)


if __name__ == "__main__":
    settings.run(main)

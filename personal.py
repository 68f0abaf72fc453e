"""Measures how much the writing of one person gains when some characters of it have been learned as corrections.

    python personal.py                          words, by writers that no part of the reader has learned from
    python personal.py --split=val              others, to try settings on
    python personal.py --unixTime=1795560346    another network, here one that reads characters

For each writer the network learns as `model.py --finetune` does, from half of the
writer's characters, chosen by lot.  A network that reads characters is measured by the
other half; "forms" is what it then reads of EMNIST's validation images: what it has not
forgotten.  A reader of lines is measured by the writer's words, and by words of other
people who wrote the validation data.
"""
import sys

import numpy as np
from tqdm import tqdm

import dataset
import edits
import feed
import model
import runs
import scores
import scribe
import settings
import unipen

# ---- settings: change them here or on the command line, as --name=value
unixTime = ""                    # the network to start from; without one, the shipped reader of lines
split = "test"                   # of the pen strokes
writers = 6                      # so many, those with most characters, and words if these are read
most = 400                       # characters of each writer at most
words = 150                      # words of each writer at most
others = 600                     # words of other people at most
pen = 7.0                        # px, the pen's diameter for a character 100 px tall
data_path = "Dataset/EMNIST"     # folder with EMNIST's files
pen_path = "Dataset/UNIPEN"      # folder with the pen strokes
models_path = "Models"           # where networks are kept
# ---- end of settings


def main(arguments: list[str]) -> None:
    """Let the network know each writer, and print what that brings."""
    config = globals() | settings.read(__file__, globals(), arguments)[0]
    name = config["unixTime"] or runs.DEFAULT
    setup = model.configure([f"--finetune={name}", *(f"--{key}={config[key]}" for key in ("data_path", "pen_path",
                                                                                       "models_path"))])
    lines = runs.read_config(config["models_path"], name)["reads"] == "lines"
    (measure_lines if lines else measure_characters)(config, setup, name)


# ---- a network that reads characters

def measure_characters(config: dict, setup: dict, name: str) -> None:
    """Print what it reads of the characters that it has not learned."""
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


def learn(setup: dict, data: model.Data):
    """The network after a training as model.py's."""
    trainee, order = model.build_trainee(setup, data)
    trainee.fit(order.places, batch_size=setup["batch_size"], shuffle=False, epochs=setup["train_epochs"],
                callbacks=[order], verbose=0)
    return trainee.network


# ---- a reader of lines

def measure_lines(config: dict, setup: dict, name: str) -> None:
    """Print what it reads of the writers' words, with the language model."""
    drawn = scribe.Scribe(config["pen_path"], "", config["split"], variety=0)
    hands = read_writers(config, drawn.by_writer)
    if not hands:
        raise unipen.UnipenError(f"{config['pen_path']} holds nobody in the split {config['split']} who wrote both "
                                 "characters and words: choose another with --split=")
    random = np.random.default_rng(0)
    own = {writer: plain(drawn, random.permutation(drawn.by_writer[writer])[:config["words"]]) for writer in hands}
    if config["split"] != "val":
        drawn = scribe.Scribe(config["pen_path"], "", "val", variety=0)
    strangers = random.permutation([row for row, record in enumerate(drawn.words) if record["writer"] not in hands])
    strangers = plain(drawn, strangers[:config["others"]])
    writer_of_all = scribe.Scribe(config["pen_path"], config["data_path"], variety=setup["augmentation"])

    model.prepare_backend(setup)
    network = runs.load_network(config["models_path"], name)
    decoding = runs.read_config(config["models_path"], name)["decoding"]
    kept = [read(network, decoding, strangers)]
    print("| writer | learned | words | CER before | CER after | exact before | exact after | others' CER before | "
          "others' CER after |\n|" + "---|" * 9)
    total = [[], []]
    for writer, (glyphs, labels) in (bar := tqdm(hands.items(), "learning", unit="writer")):
        half = len(labels) // 2
        writer_of_all.know(glyphs[:half], labels[:half])
        after = learn_lines(setup, writer_of_all)
        pairs = [read(each, decoding, own[writer]) for each in (network, after)]
        kept.append(read(after, decoding, strangers))
        for all_of_them, found in zip(total, pairs, strict=True):
            all_of_them += found
        figures = [function(found) for function in (edits.error_rate, exact) for found in pairs]
        figures += [edits.error_rate(kept[0]), edits.error_rate(kept[-1])]
        bar.write(f"| {writer} | {half} | {len(own[writer])} | " + " | ".join(f"{figure:.3f}" for figure in figures)
                  + " |", file=sys.stdout)
    before, after = ((edits.error_rate(pairs), exact(pairs)) for pairs in total)
    print(f"\n{len(hands)} writers, n = {len(total[0])} words: CER {before[0]:.3f} before, {after[0]:.3f} after; read "
          f"rightly {before[1]:.3f} before, {after[1]:.3f} after.  {len(strangers)} words of others: CER "
          f"{edits.error_rate(kept[0]):.3f} before, {np.mean([edits.error_rate(pairs) for pairs in kept[1:]]):.3f} "
          f"after on average; {runs.hardware()}.")


def plain(drawn: scribe.Scribe, rows) -> list[scribe.Sample]:
    """These of the words, as they are."""
    return [sample for row in rows if (sample := drawn.plain("words", int(row)))]


def learn_lines(setup: dict, writer: scribe.Scribe):
    """As learn, for a reader of lines; writer: knows the corrections."""
    trainee = model.build_line_trainee(setup)
    for epoch in range(setup["train_epochs"]):
        for strips, labels in feed.written(writer, setup, epoch):
            trainee.train_on_batch(strips, labels)
    return trainee.network


def read(network, decoding: dict, samples: list[scribe.Sample]) -> list[tuple[str, str]]:
    """(truth, reading) of each sample."""
    import linereader
    import phrases
    reader = linereader.LineReader(network, decoding, phrases.load())
    texts = [reader.decode(log_probs).text for log_probs in reader.log_probs([sample.picture for sample in samples])]
    return [(sample.text, text) for sample, text in zip(samples, texts, strict=True)]


def exact(pairs: list[tuple[str, str]]) -> float:
    """The share of readings without any error."""
    return float(np.mean([truth == text for truth, text in pairs]))


# ---- what people wrote

def read_writers(config: dict, with_words: dict[str, list] | None = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Glyphs uint8 (n, 28, 28) and labels uint8 (n,) of the writers with most characters, in an order drawn by lot.

    with_words: words by writer; of each writer's characters and words the fewer count.
    """
    records: dict[str, list[dict]] = {}
    for record in unipen.read_strokes(f"{config['pen_path']}/characters.jsonl.gz", config["split"]):
        records.setdefault(record["writer"], []).append(record)
    counts = {writer: min(len(found), len(with_words.get(writer, ()))) if with_words is not None else len(found)
              for writer, found in records.items()}
    chosen = sorted(filter(counts.get, counts), key=lambda writer: -counts[writer])[:config["writers"]]
    random, found = np.random.default_rng(0), {}
    for writer in chosen:
        some = [records[writer][row] for row in random.permutation(len(records[writer]))[:config["most"]]]
        found[writer] = (np.array([dataset.draw_glyph(record["strokes"], config["pen"]) for record in some]),
                         np.array([dataset.CHARACTERS.index(record["label"]) for record in some], np.uint8))
    return found


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (settings.SettingsError, dataset.DataError, unipen.UnipenError, runs.RunError) as error:
        settings.fail(error)
    except KeyboardInterrupt:
        raise SystemExit(130) from None

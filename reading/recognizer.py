"""Picture to text with one trained network.

    reader = Recognizer()
    reader.recog("a.png").text                  words and lines
    reader.recog_character("a.png").text        a single character
"""
import functools
from dataclasses import replace
from pathlib import Path

from common import alphabets, runs, settings
from reading import pictures, word_lm
from reading.binarize import Picture, Source, read_picture
from reading.character_reader import CharacterReader, glyphs_of
from reading.line_recognizer import LineReader
from reading.network import THREADS, Network
from reading.readings import Character, Reading, Word, line_of
from reading.segmenting_reader import SegmentingReader

PRIORS = ("drawings", "forms")


class Recognizer:
    """Reads pictures with the network of one run, opened once, when it is first needed.

    A pickle holds only the settings; the network is opened again where the pickle is loaded.
    """

    def __init__(self, unixTime: str | None = None, models_path: str | Path = "Models", prior: str = "drawings",
                 language: str = "english", threads: int = THREADS):
        """unixTime: the run that reads; None for the shipped run.

        A relative models_path is looked up in the current folder, then beside the scripts.
        prior: the class mix expected of single characters; "drawings" is that of the pen strokes that the run was
        trained on, "forms" that of NIST's forms.
        language: of word_lm.LANGUAGES; words and lines that fit it are preferred; "none" reads without a language.
        threads: the most that work at once.
        Raises runs.RunError when there is no such run.
        """
        settings.one_of("prior", prior, PRIORS)
        settings.one_of("language", language, word_lm.LANGUAGES)
        self.models_path = runs.models_folder(models_path)
        self.unixTime = unixTime or runs.DEFAULT
        self._config = runs.read_config(self.models_path, self.unixTime)
        self._prior, self._language, self._threads = prior, language, threads
        if self.reads not in ("characters", "lines"):
            raise runs.RunError(f"the run {self.unixTime} reads {self.reads}, neither characters nor lines: "
                                "name another with --unixTime=")

    def __reduce__(self):
        return Recognizer, (self.unixTime, self.models_path, self._prior, self._language, self._threads)

    @property
    def reads(self) -> str:
        """What the network reads, "characters" or "lines"."""
        return self._config["reads"]

    @functools.cached_property
    def pages(self) -> LineReader | SegmentingReader:
        """What reads words and lines."""
        lm = word_lm.load(self._language)
        if self.reads == "lines":
            return self._line_reader(self.models_path, self.unixTime, lm)
        return SegmentingReader(self._line_reader(self.folder_of(runs.DEFAULT), runs.DEFAULT, lm), self.characters, lm)

    def folder_of(self, run: str) -> Path:
        """Where a run is: among the others or, for a shipped one, beside the scripts."""
        there = run in (self.unixTime, *runs.list_runs(self.models_path))
        return self.models_path if there else runs.ROOT / "Models"

    def _line_reader(self, models_path: Path, unix_time: str, lm: word_lm.WordLM | None) -> LineReader:
        about = runs.read_config(models_path, unix_time)
        if not alphabets.ALPHABET.startswith(about.get("alphabet", "")):
            raise runs.RunError(f"the run {unix_time} reads characters that this version does not know: "
                                "take a newer version")
        return LineReader(Network(models_path, unix_time, self._threads).each, about.get("decoding"), lm)

    @property
    def character_run(self) -> str:
        """The run that reads single characters: this one or, for the shipped reader of lines, one made for them."""
        return runs.DEFAULT_CHARACTERS if self.unixTime == runs.DEFAULT else self.unixTime

    @functools.cached_property
    def characters(self) -> CharacterReader | LineReader:
        """What reads single characters."""
        if self.reads == "lines" and self.character_run == self.unixTime:
            return self.pages
        folder = self.folder_of(self.character_run)
        mix = runs.read_config(folder, self.character_run).get("prior_of_drawings", 0.0)
        return CharacterReader(Network(folder, self.character_run, self._threads),
                               mix if self._prior == "drawings" else 0.0)

    def load(self, characters: bool = False) -> None:
        """Open what reads words and lines, or single characters, now rather than at the first picture.

        Raises runs.RunError when the network's file is damaged.
        """
        import numpy.ma  # noqa: F401  np.median imports it on its first call, and the first picture would wait
        self.characters if characters else self.pages  # noqa: B018  the properties open it

    def recog(self, image: Source) -> Reading:
        """Read the words and lines in a picture: a path, PIL image or uint8 array, as for binarize.read_picture.

        Raises ImageError, a ValueError, when the picture cannot be read or holds no ink.
        """
        return self.read(self.see(image))

    def see(self, image: Source, name: str = "") -> Picture:
        """Find the writing in a picture, for `read`; name: what messages call it.  Errors as for `recog`."""
        return pictures.read_page(image, name, self._threads)

    def read(self, picture: Picture) -> Reading:
        """Read the words and lines of a picture whose ink has been found."""
        reading, lines = self.pages.read(picture), picture.lines
        one = len(reading.characters) == 1 and reading.text in alphabets.CHARACTERS
        if not one or self.character_run == self.unixTime or lines and len(lines) > 1:
            return reading
        if not lines:
            return self.read_character(picture)
        return self.read_character(Picture(lines[0].ink, 1.0), reading.characters[0].box, lines[0].confidence)

    def recog_character(self, image: Source) -> Character:
        """Read the one character in a picture; images and errors as for `recog`."""
        return self.read_characters([read_picture(image)])[0]

    def read_characters(self, pictures: list[Picture]) -> list[Character]:
        """Read pictures of one character each, whose ink has been found."""
        return self.characters.read_characters(pictures)

    def read_character(self, picture: Picture, box: list[int] | None = None, sure: float = 1.0) -> Reading:
        """As `read`, for a picture of one character.

        box: where that is, if the picture is a part of another.  sure: how sure it is that this is writing, 0..1.
        """
        character, = self.read_characters([picture])
        character = replace(character, box=box or character.box)
        word = Word(character.text, character.box, character.confidence, [character], character.alternatives)
        return Reading([line_of(word.text, [word], sure)], functools.partial(glyphs_of, [picture]), [True])


def recog(img: Source) -> str:
    """The text in a picture, read with the shipped network; see Recognizer.recog."""
    return _shipped().recog(img).text


_shipped = functools.cache(Recognizer)

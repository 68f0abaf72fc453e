"""Fetches handwriting fonts and sentences, to write training lines and pages with.

    materials.fetch("Dataset/Paper")     fonts/ and text/

Files already there stay, so the next run continues.  training/fonts.tsv lists the fonts: npm package, version, weights,
and the archive's bytes and SHA-256.
"""
import io
import tarfile
from pathlib import Path

from common import files
from training import download, originals

FONTS = Path(__file__).with_name("fonts.tsv")
PACKAGE = "https://registry.npmjs.org/@fontsource/{name}/-/{name}-{version}.tgz"
SENTENCES = "https://github.com/mozilla/voice-web", "e0bfbc4b"   # Common Voice's, CC0
LANGUAGES = "de", "en", "es", "fr"


def fetch(paper_path: str | Path) -> dict[str, int]:
    """Fetch both; returns how many fonts and sentences there are.  Raises errors.UserError when it cannot."""
    return {"fonts": fetch_fonts(Path(paper_path, "fonts")), "sentences": fetch_sentences(Path(paper_path, "text"))}


def fetch_fonts(folder: Path) -> int:
    """Fetch the fonts of fonts.tsv as NAME-WEIGHT.ttf; returns how many there are."""
    for row in FONTS.read_text("utf-8").splitlines():
        name, version, weights, size, sha256 = row.split("\t")
        wanted = {folder / f"{name}-{weight}.ttf": f"package/files/{name}-latin-{weight}-normal.woff"
                  for weight in weights.split(",")}
        if all(path.is_file() for path in wanted):
            continue
        archive = f"{name}-{version}.tgz"
        folder.mkdir(parents=True, exist_ok=True)
        download.fetch(PACKAGE.format(name=name, version=version), folder, {archive: sha256}, int(size))
        with tarfile.open(folder / archive) as members:
            for path, member in wanted.items():
                _unpack(members.extractfile(member).read(), path)
        (folder / archive).unlink()
    return len(list(folder.glob("*.ttf")))


def _unpack(woff: bytes, path: Path) -> None:
    """Write a web font as a plain font file."""
    from fontTools.ttLib import TTFont  # comes with matplotlib
    font = TTFont(io.BytesIO(woff))
    font.flavor = None
    files.write_atomically(path, font.save)


def fetch_sentences(folder: Path) -> int:
    """Fetch Common Voice's sentences as commonvoice_LANGUAGE.txt, one per line; returns how many there are."""
    originals.fetch_commit(*SENTENCES, folder / "original", [f"server/data/{language}" for language in LANGUAGES])
    count = 0
    for language in LANGUAGES:
        found = {line.strip() for path in (folder / "original" / "server" / "data" / language).glob("*.txt")
                 for line in path.read_text("utf-8").splitlines()}
        lines = sorted(found - {""})
        files.write_atomically(folder / f"commonvoice_{language}.txt",
                               lambda path, lines=lines: path.write_text("\n".join(lines) + "\n", "utf-8"))
        count += len(lines)
    return count

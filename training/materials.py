"""Fetches what Dataset/Paper holds: published real writing, handwriting fonts and sentences.

    materials.fetch("Dataset/Paper")     copiste/ and dhsd/, each with lines.zip and lines.tsv; fonts/ and text/

Git fetches the files of a pinned commit, a few at a time, and checks each by the commit's hash.  training/fonts.tsv
lists the fonts: npm package, version, weights, and the archive's bytes and SHA-256.  Files already there stay, so the
next run continues.
"""
import csv
import io
import json
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np

from common import files
from training import download, line_records

SOURCES = {"copiste": ("https://github.com/banq-dcn/Copiste-d-un-jour", "a3636d2e151b4312973cfb88438a0c4ccd1eb523"),
           "dhsd": ("https://github.com/nauman-riaz/DHSD", "ab871d395966c3f1177444a2db847e047b9559b8")}
AT_ONCE = 40          # files in one request
FONTS = Path(__file__).with_name("fonts.tsv")
PACKAGE = "https://registry.npmjs.org/@fontsource/{name}/-/{name}-{version}.tgz"
SENTENCES = "https://github.com/mozilla/voice-web", "e0bfbc4b"   # Common Voice's, CC0
LANGUAGES = "de", "en", "es", "fr"
LINE_HEIGHT = 64      # px of a line's picture
PAGE_WIDTH = 1500     # px of a page's picture
ALTO = {"": "http://www.loc.gov/standards/alto/ns-v4#"}
FORM = "wikitexte_", "imp_", "Référence du texte"   # what printed or stamped reference numbers begin with
LINE = tuple[str, str, np.ndarray]   # a writer, a text, and its picture, uint8 (height, width)


def fetch(paper_path: str | Path) -> Iterator[tuple[int, str, Path]]:
    """Fetch and convert everything; yields how many lines, fonts and sentences there are, and in which folder.

    Raises errors.UserError when it cannot.
    """
    paper_path = Path(paper_path)
    for name, convert in (("copiste", convert_copiste), ("dhsd", convert_dhsd)):
        folder = paper_path / name
        fetch_commit(*SOURCES[name], folder / "original")
        yield write_lines(folder, convert(folder)), "lines", folder
    yield fetch_fonts(paper_path / "fonts"), "fonts", paper_path
    yield fetch_sentences(paper_path / "text"), "sentences", paper_path


def fetch_commit(url: str, commit: str, folder: Path, wanted: Sequence[str] = ()) -> None:
    """Put the files of a commit of a Git repository into a folder; continues where an earlier run ended.

    commit: its hash; for a short one Git has to look through all commits.  wanted: folders; none means all files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _git(folder, "init", "--quiet")
    (folder / ".git" / "index.lock").unlink(missing_ok=True)   # of a run that was killed
    _git(folder, "config", "remote.origin.url", url)
    _git(folder, "config", "remote.origin.promisor", "true")
    part = ("--depth=1", "--filter=blob:none", url, commit) if len(commit) == 40 else ("--filter=tree:0", url)
    _git(folder, "fetch", "--quiet", *part)
    names = _git(folder, "ls-tree", "-r", "--name-only", "-z", commit, *wanted).split("\0")
    _git(folder, "read-tree", commit)
    lacking = {*_git(folder, "ls-files", "--deleted", "--modified", "-z").split("\0")} - {""}   # or cut short
    missing = [name for name in names if name in lacking]
    for first in range(0, len(missing), AT_ONCE):
        _git(folder, "checkout", commit, "--", *missing[first:first + AT_ONCE])
        print(f"{min(first + AT_ONCE, len(missing)):,} of {len(missing):,} files in {folder}", end="\r", flush=True)


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        raise download.DownloadError("Git is missing, which fetches and checks the real writing: install it") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason was given"]
        reason = next((line for line in lines if line.startswith("fatal:")), lines[-1])
        raise download.DownloadError(f"could not fetch into {folder} ({reason}): "
                                     "run again to go on from what is already here")
    return done.stdout


def write_lines(folder: Path, lines: Iterator[LINE]) -> int:
    """Write lines.zip and lines.tsv, without writers held out for final figures; returns how many lines they hold."""
    rows = []

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            for writer, text, picture in lines:
                split = line_records.split_of(folder.name, writer)
                if split != "test" and text.strip():
                    rows.append(f"{len(rows):05}.webp\t{writer}\t{split}\t{text.strip()}\n")
                    archive.writestr(rows[-1][:10], cv2.imencode(".webp", picture, (cv2.IMWRITE_WEBP_QUALITY, 90))[1])

    files.write_atomically(folder / "lines.zip", write)
    files.write_atomically(folder / "lines.tsv", lambda path: path.write_text("".join(rows), "utf-8"))
    return len(rows)


# ---- Copiste d'un jour: pictures of pages, and ALTO with the lines on them

def convert_copiste(folder: Path) -> Iterator[LINE]:
    """Write the pages, pages/*.webp and pages.jsonl, of a folder with original/, and yield their lines."""
    (folder / "pages").mkdir(exist_ok=True)
    pages = []
    for path in sorted((folder / "original" / "alto").glob("*.xml")):
        writer = writer_of(path.stem)
        split = line_records.split_of("copiste", writer)
        picture = cv2.imread(str(folder / "original" / "jpg" / f"{path.stem}.jpg"))
        if split == "test" or picture is None:
            continue
        lines = read_alto(path)
        for line in lines:
            if not line["text"].startswith(FORM):
                yield writer, line["text"], cut(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), line["polygon"])
        scale = PAGE_WIDTH / picture.shape[1]
        page = cv2.resize(picture, (PAGE_WIDTH, round(picture.shape[0] * scale)), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / "pages" / f"{path.stem}.webp"), page, (cv2.IMWRITE_WEBP_QUALITY, 80))
        for line, shape in ((line, shape) for line in lines for shape in ("baseline", "polygon")):
            line[shape] = np.rint(np.array(line[shape]) * scale).astype(int).tolist()
        pages.append({"file": f"{path.stem}.webp", "writer": writer, "split": split,
                      "size": [page.shape[1], page.shape[0]], "lines": lines})
    files.write_atomically(folder / "pages.jsonl", lambda path: path.write_text(
        "".join(json.dumps(page, ensure_ascii=False) + "\n" for page in pages), "utf-8"))


def writer_of(page: str) -> str:
    """The writer of a page, who may have written several: wikitexte_0051 for imp_wikitexte_0051_2."""
    name = page.removeprefix("imp_")
    return name.rpartition("_")[0] if name[-2:] in ("_1", "_2", "_3", "_4") else name


def read_alto(path: Path) -> list[dict]:
    """The lines of an ALTO file: text, kind, baseline and polygon in px."""
    root = ElementTree.parse(path).getroot()
    kinds = {tag.get("ID"): tag.get("LABEL") for tag in root.iterfind(".//OtherTag", ALTO)}
    found = []
    for line in root.iterfind(".//TextLine", ALTO):
        text = " ".join(part.get("CONTENT", "") for part in line.iterfind("String", ALTO))
        polygon = line.find("Shape/Polygon", ALTO)
        if polygon is not None and line.get("BASELINE"):
            found.append({"text": text, "kind": kinds.get(line.get("TAGREFS"), ""),
                          "baseline": _points(line.get("BASELINE")), "polygon": _points(polygon.get("POINTS"))})
    return found


def _points(text: str) -> list[list[int]]:
    return np.array(text.replace(",", " ").split(), float).astype(int).reshape(-1, 2).tolist()


def cut(page: np.ndarray, polygon: list) -> np.ndarray:
    """Cut a line, LINE_HEIGHT px high, out of a page uint8 (height, width); bright paper surrounds its polygon."""
    points = np.array(polygon)
    left, top = np.maximum(points.min(axis=0), 0).tolist()
    right, bottom = (points.max(axis=0) + 1).tolist()
    part = page[top:bottom, left:right]
    inside = cv2.fillPoly(np.zeros(part.shape, np.uint8), [points - (left, top)], 255)
    part = np.where(inside > 0, part, int(np.percentile(part, 90))).astype(np.uint8)
    width = max(1, round(part.shape[1] * LINE_HEIGHT / part.shape[0]))
    return cv2.resize(part, (width, LINE_HEIGHT), interpolation=cv2.INTER_AREA)


# ---- DHSD: one picture for each name, and a table

def convert_dhsd(folder: Path) -> Iterator[LINE]:
    """Yield the lines of a folder with original/."""
    table = (folder / "original" / "data.csv").read_text("utf-8")
    for row in csv.DictReader(table.splitlines()):
        picture = cv2.imread(str(folder / "original" / row["file_name"]), cv2.IMREAD_GRAYSCALE)
        if picture is not None:
            yield f"w{row['writer_id']}", row["text"], picture


# ---- fonts and sentences

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
    fetch_commit(*SENTENCES, folder / "original", [f"server/data/{language}" for language in LANGUAGES])
    count = 0
    for language in LANGUAGES:
        found = {line.strip() for path in (folder / "original" / "server" / "data" / language).glob("*.txt")
                 for line in path.read_text("utf-8").splitlines()}
        lines = sorted(found - {""})
        files.write_atomically(folder / f"commonvoice_{language}.txt",
                               lambda path, lines=lines: path.write_text("\n".join(lines) + "\n", "utf-8"))
        count += len(lines)
    return count

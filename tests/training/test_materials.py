"""Real writing becomes lines that trainings read; fonts come from npm, and sentences from a Git repository."""
import csv
import hashlib
import io
import json
import tarfile

import cv2
import numpy as np
import pytest
import toy
from fontTools.ttLib import TTFont

from training import download, line_records, materials, page_writing

ALTO = """<?xml version="1.0"?><alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Tags>
<OtherTag ID="LT7" LABEL="default"/></Tags><Layout><Page><PrintSpace><TextBlock>{lines}</TextBlock></PrintSpace></Page>
</Layout></alto>"""
LINE = """<TextLine TAGREFS="LT7" BASELINE="{x} 150 900 150"><Shape><Polygon POINTS="{x} 100 900 100 900 180 {x} 180"/>
</Shape><String CONTENT="{text}"/></TextLine>"""


@pytest.fixture
def published(tmp_path):
    """A Git repository laid out like Copiste d'un jour and DHSD at once; its address and commit."""
    source = tmp_path / "source"
    for name in ("alto", "jpg", "german_hw_data"):
        (source / name).mkdir(parents=True)
    picture = np.full((400, 1000, 3), 230, np.uint8)
    cv2.putText(picture, "word", (120, 150), cv2.FONT_HERSHEY_SIMPLEX, 2, (40, 40, 40), 3)
    for page in ("wikitexte_0022_1", "wikitexte_0024", "wikitexte_9999"):
        lines = LINE.format(x=100, text="L&apos;été à Noël") + LINE.format(x=500, text=page)
        (source / "alto" / f"{page}.xml").write_text(ALTO.format(lines=lines), "utf-8")
        cv2.imwrite(str(source / "jpg" / f"{page}.jpg"), picture)
    with open(source / "data.csv", "w", encoding="utf-8", newline="") as file:
        rows = [(f"german_hw_data/{writer}.png", "Groß Köris", writer) for writer in (1, 3, 13)]
        csv.writer(file).writerows([("file_name", "text", "writer_id"), *rows])
    for name, *_ in rows:
        cv2.imwrite(str(source / name), np.dstack([picture[90:154, 100:356], np.full((64, 256), 255, np.uint8)]))

    return f"file://{source}", toy.commit(source)


def test_what_is_published_becomes_lines_by_writer(published, tmp_path, monkeypatch):
    monkeypatch.setattr(materials, "SOURCES", dict.fromkeys(("copiste", "dhsd"), published))
    monkeypatch.setattr(materials, "AT_ONCE", 2)
    target = tmp_path / "Paper"
    monkeypatch.setattr(materials, "fetch_fonts", lambda folder: 4)
    monkeypatch.setattr(materials, "fetch_sentences", lambda folder: 9)
    assert list(materials.fetch(target)) == [(2, "lines", target / "copiste"), (2, "lines", target / "dhsd"),
                                             (4, "fonts", target), (9, "sentences", target)]
    for name, text in (("copiste", "L'été à Noël"), ("dhsd", "Groß Köris")):
        for split in ("train", "val"):
            line, = line_records.read_scans(target / name, split)   # the third writer is kept for final figures
            assert line.text == text
            image = line.image()
            assert image.shape[0] == materials.LINE_HEIGHT and image.max() > 200 > 100 > image.min()
    pages = [json.loads(line) for line in (target / "copiste" / "pages.jsonl").read_text("utf-8").splitlines()]
    assert [page["writer"] for page in pages] == ["wikitexte_0022", "wikitexte_0024"]
    assert [page["split"] for page in pages] == ["train", "val"]
    assert pages[0]["size"] == [1500, 600] and pages[0]["lines"][0]["polygon"][0] == [150, 150]
    assert cv2.imread(str(target / "copiste" / "pages" / pages[0]["file"])).shape[:2] == (600, 1500)


def test_what_is_there_is_not_fetched_again_and_a_break_is_gone_on_with(published, tmp_path):
    folder = tmp_path / "original"
    materials.fetch_commit(*published, folder)
    kept, lost, cut = folder / "data.csv", *(folder / "jpg" / f"wikitexte_{page}.jpg" for page in ("0024", "9999"))
    before, contents = kept.stat().st_mtime_ns, [path.read_bytes() for path in (lost, cut)]
    lost.unlink()
    cut.write_bytes(contents[1][:100])
    (folder / ".git" / "index.lock").touch()   # as a kill leaves it
    materials.fetch_commit(*published, folder)
    assert kept.stat().st_mtime_ns == before and [path.read_bytes() for path in (lost, cut)] == contents


def test_what_cannot_be_fetched_is_said_in_one_sentence(published, tmp_path):
    with pytest.raises(download.DownloadError, match="run again"):
        materials.fetch_commit(published[0], "0" * 40, tmp_path / "original")


def test_the_writers_of_each_split_are_known():
    assert line_records.split_of("copiste", "wikitexte_0024") == "val" == line_records.split_of("dhsd", "w20")
    assert line_records.split_of("copiste", "oldbatch_wikitexte_0001") == "train" == line_records.split_of("dhsd", "w1")
    assert line_records.split_of("dhsd", "w13") == "test" == line_records.split_of("copiste", "wikitexte_9999")


# ---- fonts and sentences

def archive_of(path: str, name: str) -> bytes:
    """An npm archive with one web font."""
    woff, packed = io.BytesIO(), io.BytesIO()
    font = TTFont(path)
    font.flavor = "woff"
    font.save(woff)
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(f"package/files/{name}-latin-400-normal.woff")
        member.size = len(woff.getvalue())
        archive.addfile(member, io.BytesIO(woff.getvalue()))
    return packed.getvalue()


def test_fonts_are_unpacked_once_each(tmp_path, monkeypatch):
    packed = archive_of(page_writing.typefaces()[0], "some-hand")
    table, asked = tmp_path / "fonts.tsv", []
    table.write_text(f"some-hand\t1.0.0\t400\t{len(packed)}\t{hashlib.sha256(packed).hexdigest()}\n")
    monkeypatch.setattr(materials, "FONTS", table)

    def fetch(url, folder, contents, size):
        asked.append(url)
        (folder / url.rpartition("/")[2]).write_bytes(packed)

    monkeypatch.setattr(download, "fetch", fetch)
    assert materials.fetch_fonts(tmp_path / "fonts") == materials.fetch_fonts(tmp_path / "fonts") == 1
    assert len(asked) == 1 and asked[0].endswith("/some-hand-1.0.0.tgz")
    font, = (tmp_path / "fonts").iterdir()
    assert font.name == "some-hand-400.ttf" and "é" in page_writing.letters_of(str(font))


def test_the_table_names_fonts_that_npm_has():
    rows = [row.split("\t") for row in materials.FONTS.read_text("utf-8").splitlines()]
    assert len(rows) == len({row[0] for row in rows}) > 50
    assert all(int(size) > 10_000 and len(bytes.fromhex(sha256)) == 32 for _, _, _, size, sha256 in rows)


@pytest.fixture
def sentences(tmp_path):
    """A Git repository like Common Voice's, with a commit after the wanted one; its address and the wanted commit."""
    source = tmp_path / "source"
    for language in ("de", "en", "es", "fr", "pl"):
        (source / "server" / "data" / language).mkdir(parents=True)
        (source / "server" / "data" / language / "a.txt").write_text(f"{language} b\n\n{language} a\n", "utf-8")

    wanted = toy.commit(source)
    (source / "server" / "data" / "en" / "a.txt").write_text("later\n")
    toy.commit(source)
    return f"file://{source}", wanted[:8]


def test_sentences_are_those_of_the_pinned_commit(sentences, tmp_path, monkeypatch):
    monkeypatch.setattr(materials, "SENTENCES", sentences)
    for _ in range(2):
        assert materials.fetch_sentences(tmp_path / "text") == 8
    assert (tmp_path / "text" / "commonvoice_en.txt").read_text("utf-8") == "en a\nen b\n"
    assert not (tmp_path / "text" / "original" / "server" / "data" / "pl").exists()

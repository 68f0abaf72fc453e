"""Fonts come from npm's archives, and sentences from a Git repository."""
import hashlib
import io
import tarfile

import pytest
import toy
from fontTools.ttLib import TTFont

from training import download, line_scans, materials, page_writing


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
    assert font.name == "some-hand-400.ttf" and "é" in line_scans.letters_of(str(font))


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

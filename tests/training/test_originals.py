"""Real writing as published becomes lines that trainings read."""
import csv
import json

import cv2
import numpy as np
import pytest
import toy

from training import originals, real_lines

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
    monkeypatch.setattr(originals, "SOURCES", dict.fromkeys(("copiste", "dhsd"), published))
    monkeypatch.setattr(originals, "AT_ONCE", 2)
    target = tmp_path / "Paper"
    assert originals.fetch(target) == {"copiste": 2, "dhsd": 2}
    for name, text in (("copiste", "L'été à Noël"), ("dhsd", "Groß Köris")):
        for split in ("train", "val"):
            line, = real_lines.read(target / name, split)   # the third writer is kept for final figures
            assert line.text == text
            image = line.image()
            assert image.shape[0] == originals.LINE_HEIGHT and image.max() > 200 > 100 > image.min()
    pages = [json.loads(line) for line in (target / "copiste" / "pages.jsonl").read_text("utf-8").splitlines()]
    assert [page["writer"] for page in pages] == ["wikitexte_0022", "wikitexte_0024"]
    assert [page["split"] for page in pages] == ["train", "val"]
    assert pages[0]["size"] == [1500, 600] and pages[0]["lines"][0]["polygon"][0] == [150, 150]
    assert cv2.imread(str(target / "copiste" / "pages" / pages[0]["file"])).shape[:2] == (600, 1500)


def test_what_is_there_is_not_fetched_again_and_a_break_is_gone_on_with(published, tmp_path):
    folder = tmp_path / "original"
    originals.fetch_commit(*published, folder)
    kept, lost, cut = folder / "data.csv", *(folder / "jpg" / f"wikitexte_{page}.jpg" for page in ("0024", "9999"))
    before, contents = kept.stat().st_mtime_ns, [path.read_bytes() for path in (lost, cut)]
    lost.unlink()
    cut.write_bytes(contents[1][:100])
    (folder / ".git" / "index.lock").touch()   # as a kill leaves it
    originals.fetch_commit(*published, folder)
    assert kept.stat().st_mtime_ns == before and [path.read_bytes() for path in (lost, cut)] == contents


def test_what_cannot_be_fetched_is_said_in_one_sentence(published, tmp_path):
    with pytest.raises(originals.FetchError, match="run again"):
        originals.fetch_commit(published[0], "0" * 40, tmp_path / "original")


def test_the_writers_of_each_split_are_known():
    assert real_lines.split_of("copiste", "wikitexte_0024") == "val" == real_lines.split_of("dhsd", "w20")
    assert real_lines.split_of("copiste", "oldbatch_wikitexte_0001") == "train" == real_lines.split_of("dhsd", "w1")
    assert real_lines.split_of("dhsd", "w13") == "test" == real_lines.split_of("copiste", "wikitexte_9999")

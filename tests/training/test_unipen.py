"""training/unipen.py and training/unipen_format.py on small files that the tests write themselves."""
import gzip
import json
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from common.errors import DataError
from training import unipen, unipen_format
from training.unipen import read_strokes
from training.unipen_format import convert, parse_file, split_of

# Components: 0 pen down, 1 pen up with coordinates, 2 and 3 pen down. The empty .PEN_UP between
# 2 and 3 does not count. y points up: stroke 0 falls from y = 90 to y = 10.
PEN = """.VERSION 1.0
.DATA_INFO
     Writing style: see .STYLE, here in the middle of a text
.COORD X Y
.STYLE PRINTED
.WRITER_ID anna
.PEN_DOWN
100 90
100 10
.PEN_UP
100 10
140 90
.PEN_DOWN
140 90
180 90

180 10
.PEN_UP
.PEN_DOWN
200 20
200 60
"""
INK = {0: [100, 90, 100, 10], 2: [140, 90, 180, 90, 180, 10], 3: [200, 20, 200, 60]}


def expected(*components: int) -> list[list[int]]:
    """The strokes with y down and the origin at the top left of their ink."""
    xs = [x for c in components for x in INK[c][::2]]
    ys = [y for c in components for y in INK[c][1::2]]
    return [[v - min(xs) if i % 2 == 0 else max(ys) - v for i, v in enumerate(INK[c])]
            for c in components]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def parse(root: Path, segments: str, kind: str = "7", pen: str = PEN,
          include: str = ".INCLUDE abc/data/pen.dat\n") -> tuple[list[dict], Counter]:
    """Parse a file of `segments` that includes one with the strokes `pen`."""
    write(root / "include/abc/data/pen.dat", pen)
    path = write(root / f"data/{kind}/abc/x.dat", f".VERSION 1.0\n{include}{segments}")
    unipen_format._statements.cache_clear()
    skipped = Counter()
    return list(parse_file(path, root, skipped)), skipped


def strokes(root: Path, components: str, **options: str) -> list[list[int]]:
    (record,), skipped = parse(root, f'.SEGMENT WORD {components} OK "word"\n', **options)
    assert not skipped
    return record["strokes"]


def test_record_of_an_included_file(tmp_path):
    records, skipped = parse(tmp_path, '.SEGMENT WORD 0,2 OK "Hi"\n')
    assert records == [{"label": "Hi", "writer": "abc/anna", "style": "printed",
                        "split": split_of("abc/anna"), "strokes": [[0, 0, 0, 80],
                                                                  [40, 0, 80, 0, 80, 80]]}]
    assert not skipped


@pytest.mark.parametrize("components, named", [
    ("0", [0]), ("2-3", [2, 3]), ("0-3", [0, 2, 3]), ("0,3", [0, 3]), ("0,2-3", [0, 2, 3]),
    ("0, 3", [0, 3]), ("0:0-3:1", [0, 2, 3])])
def test_component_lists(tmp_path, components, named):
    assert strokes(tmp_path, components) == expected(*named)


def test_segment_that_begins_and_ends_inside_strokes(tmp_path):
    assert strokes(tmp_path, "2:1-3:0") == [[0, 0, 0, 80], [20, 70]]


def test_segment_without_a_list_is_the_ink_up_to_the_next_segment(tmp_path):
    text = '.SEGMENT WORD ? OK "ab"\n{}.SEGMENT WORD ? OK "c"\n{}'
    text = text.format(".PEN_DOWN\n0 0\n0 20\n", ".PEN_DOWN\n5 5\n9 5\n.PEN_DOWN\n7 5\n7 9\n")
    records, _ = parse(tmp_path, text)
    assert [(r["label"], len(r["strokes"])) for r in records] == [("ab", 1), ("c", 2)]


def test_columns_in_any_order_among_others(tmp_path):
    pen = ".COORD T Y P X\n.PEN_DOWN 0 90 5 100\n10 10 5 130\n"
    assert strokes(tmp_path, "0", pen=pen) == [[0, 0, 30, 80]]


def test_columns_declared_in_the_including_file(tmp_path):
    pen = ".PEN_DOWN\n90 100\n10 130\n"
    include = ".COORD Y X\n.INCLUDE abc/data/pen.dat\n"
    assert strokes(tmp_path, "0", pen=pen, include=include) == [[0, 0, 30, 80]]


def test_components_count_on_through_several_and_nested_includes(tmp_path):
    write(tmp_path / "include/abc/more.dat", ".INCLUDE abc/deep.dat\n")
    write(tmp_path / "include/abc/deep.dat", ".PEN_DOWN\n0 0\n0 50\n")
    include = ".INCLUDE abc/data/pen.dat\n.INCLUDE abc/more.dat\n"
    assert strokes(tmp_path, "4", include=include) == [[0, 50, 0, 0]]


@pytest.mark.parametrize("written, label", [
    (r'"say"', "say"), (r'"\"BIZ"', '"BIZ'), (r'"a"b"', 'a"b'), (r'"c:\\d"', r"c:\d"),
    (r'"\"', "\\"), ("\n   \"next\"", "next")])
def test_labels_with_quotes_and_backslashes(tmp_path, written, label):
    (record,), _ = parse(tmp_path, f".SEGMENT WORD 0 OK {written}  \n.COMMENT end\n")
    assert record["label"] == label


def test_lines_keep_their_spaces_and_lose_their_line_breaks(tmp_path):
    (record,), _ = parse(tmp_path, '.SEGMENT TEXT 0 OK "to  be\n or not"\n', kind="8")
    assert record["label"] == "to be or not"


@pytest.mark.parametrize("segment, kind, reason", [
    ('CHARACTER 7 OK "a"', "1c", "names a component that does not exist"),
    ('CHARACTER 2-4 OK "a"', "1c", "names a component that does not exist"),
    ('CHARACTER 0:1-2 OK "a"', "1c", "cut out of a cursive word"),
    ('CHARACTER 1 OK "a"', "1c", "no ink"),
    ('CHARACTER 0 BAD "a"', "1c", "marked as bad"),
    ('CHARACTER 0-x OK "a"', "1c", "unreadable component list"),
    ('CHARACTER 0 OK "ab"', "1c", "no label of characters"),
    ('CHARACTER 0 OK', "1c", "no label of characters"),
    ('CHARACTER 0 OK "a"', "1d", "no label of symbols"),
    ('WORD 0 OK "caf\xe9"', "7", "no label of words")])
def test_unusable_segment_is_counted_and_the_next_one_read(tmp_path, segment, kind, reason):
    good = {"1c": "z", "1d": "!", "7": "word"}[kind]
    records, skipped = parse(tmp_path, f'.SEGMENT {segment}\n.SEGMENT X 0 OK "{good}"\n', kind)
    assert [record["label"] for record in records] == [good]
    assert skipped == {reason: 1}


def test_truncated_stroke_file_loses_its_last_strokes_alone(tmp_path):
    cut = PEN[:PEN.index("180 10") + 3]  # ends within the third component: "180"
    segments = "".join(f'.SEGMENT WORD {n} OK "word"\n' for n in (0, 2, 3))
    records, skipped = parse(tmp_path, segments, pen=cut)
    assert [record["strokes"] for record in records] == [expected(0)]
    assert skipped == {"unreadable coordinates": 1, "names a component that does not exist": 1}


def test_characters_are_thinned_out_and_scaled_down(tmp_path):
    """A long L of many points ends as its three corners, 400 high."""
    points = [(0, 1000 - y) for y in range(0, 1000)] + [(x, 0) for x in range(0, 501)]
    pen = ".COORD X Y\n.PEN_DOWN\n" + "".join(f"{x} {y}\n" for x, y in points)
    (record,), _ = parse(tmp_path, '.SEGMENT CHARACTER 0 OK "L"\n', kind="1b", pen=pen)
    assert record["strokes"] == [[0, 0, 0, 400, 200, 400]]


def test_the_step_of_an_integer_grid_is_no_shape(tmp_path):
    pen = ".PEN_DOWN\n0 0\n30 1\n40 1\n"  # a quarter of a unit off the straight line
    (record,), _ = parse(tmp_path, '.SEGMENT CHARACTER 0 OK "-"\n', kind="1d", pen=pen)
    assert record["strokes"] == [[0, 1, 40, 0]]


def test_a_dot_is_a_symbol_but_too_small_for_a_character(tmp_path):
    pen = ".PEN_DOWN\n5 5\n5 5\n"
    (record,), _ = parse(tmp_path, '.SEGMENT CHARACTER 0 OK "."\n', kind="1d", pen=pen)
    assert set(record["strokes"][0]) == {0}
    assert parse(tmp_path, '.SEGMENT CHARACTER 0 OK "i"\n', kind="1c", pen=pen) == (
        [], {"too small": 1})


def test_missing_and_circular_includes(tmp_path):
    with pytest.raises(DataError, match="gone.dat cannot be read .*unpack the whole distribution"):
        parse(tmp_path, "", include=".INCLUDE abc/gone.dat\n")
    write(tmp_path / "include/abc/loop.dat", ".INCLUDE abc/loop.dat\n")
    with pytest.raises(DataError, match="loop.dat includes itself"):
        parse(tmp_path, "", include=".INCLUDE abc/loop.dat\n")


# ---------------------------------------------------------------------------------------------

SEGMENTS = {
    "1a": '.SEGMENT CHARACTER 0 ? "1"\n.SEGMENT CHARACTER 99 ? "2"\n',
    "1b": '.SEGMENT CHARACTER 2 ? "T"\n',
    "1c": '.SEGMENT CHARACTER 0,2 ? "n"\n',
    "1d": '.SEGMENT CHARACTER 3 ? "!"\n',
    "3": '.SEGMENT CHARACTER 0 ? "1"\n',
    "7": '.SEGMENT WORD 0-3 OK "hello"\n',
    "8": '.SEGMENT TEXT 0-3 OK "hello world"\n',
}
COUNTS = {"characters": 3, "symbols": 1, "words": 1, "lines": 1}


def distribution(folder: Path, writers: tuple[str, ...] = ("anna",)) -> Path:
    """Write a small distribution, every writer with all SEGMENTS; returns its folder."""
    root = folder / "train_r01_v07"
    for writer in writers:
        include = write(root / f"include/abc/data/{writer}.dat", PEN.replace("anna", writer))
        for kind, segments in SEGMENTS.items():
            name = include.relative_to(root / "include")
            write(root / f"data/{kind}/abc/{writer}.dat", f".INCLUDE {name.as_posix()}\n{segments}")
    return root


def packed(root: Path, archive: Path) -> Path:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as contents:
            for path in root.rglob("*.dat"):
                contents.write(path, path.relative_to(root.parent))
    else:
        with tarfile.open(archive, "w:" if archive.suffix == ".tar" else "w:gz") as contents:
            contents.add(root, root.name)
    return archive


@pytest.mark.parametrize("name", ["", "u.tgz", "u.tar.gz", "u.tar", "u.zip"])
def test_convert_a_folder_or_archive_and_read_it_back(tmp_path, name):
    root = distribution(tmp_path / "made")
    source = packed(root, tmp_path / name) if name else root
    out = tmp_path / "Dataset" / "unipen"
    written, skipped = convert(source, out)
    assert written == COUNTS
    assert skipped == {"names a component that does not exist": 1}
    assert sorted(path.name for path in out.iterdir()) == sorted(f"{c}.jsonl.gz" for c in COUNTS)
    labels = {c: [r["label"] for r in read_strokes(out / f"{c}.jsonl.gz")] for c in COUNTS}
    assert labels == {"characters": ["1", "T", "n"], "symbols": ["!"], "words": ["hello"],
                      "lines": ["hello world"]}
    (word,) = read_strokes(out / "words.jsonl.gz")
    assert word["strokes"] == expected(0, 2, 3) and word["writer"] == "abc/anna"


def test_convert_reads_files_that_changed_since_the_last_time(tmp_path):
    root = distribution(tmp_path)
    convert(root, tmp_path / "out")
    write(root / "include/abc/data/anna.dat", PEN.replace("PRINTED", "CURSIVE"))
    convert(root, tmp_path / "out")
    (word,) = read_strokes(tmp_path / "out/words.jsonl.gz")
    assert word["style"] == "cursive"


def test_no_writer_is_in_two_splits(tmp_path):
    writers = tuple(f"w{n}" for n in range(60))
    convert(distribution(tmp_path, writers), tmp_path / "out")
    records = [r for c in COUNTS for r in read_strokes(tmp_path / f"out/{c}.jsonl.gz")]
    by_writer = {(record["writer"], record["split"]) for record in records}
    assert len(by_writer) == len(writers)
    assert {split for _, split in by_writer} == set(unipen.SPLITS)
    parts = {split: len(list(read_strokes(tmp_path / "out/words.jsonl.gz", split)))
             for split in unipen.SPLITS}
    assert parts == Counter(split for _, split in by_writer)


def test_splits_are_the_same_on_every_machine_and_of_the_intended_size():
    assert [split_of(f"abc/w{n}") for n in range(5)] == ["val", "train", "test", "train", "val"]
    share = Counter(split_of(f"x/{n}") for n in range(5000))
    assert 0.70 < share["train"] / 5000 < 0.74 and 0.07 < share["val"] / 5000 < 0.09


def test_writers_of_one_contributor_are_the_same_people_in_all_sets(tmp_path):
    write(tmp_path / "include/pen.dat", PEN)
    text = '.INCLUDE pen.dat\n.SEGMENT WORD 0 OK "word"\n'
    paths = [write(tmp_path / f"data/7/{source}/x.dat", text) for source in ("apa", "apc")]
    assert [r["writer"] for p in paths for r in parse_file(p, tmp_path, Counter())] == ["ap/anna"] * 2


def test_a_file_that_cannot_be_read_does_not_stop_the_rest(tmp_path):
    root = distribution(tmp_path)
    write(root / "data/7/abc/broken.dat", ".INCLUDE abc/data/gone.dat\n")
    written, skipped = convert(root, tmp_path / "out")
    assert written == COUNTS
    assert sum("gone.dat cannot be read" in reason for reason in skipped) == 1


def test_convert_says_what_is_wrong_with_the_source(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(DataError, match="nowhere.tgz is missing.*download it from"):
        convert(tmp_path / "nowhere.tgz", out)
    with pytest.raises(DataError, match="text.tgz is .*damaged or no .tgz"):
        convert(write(tmp_path / "text.tgz", "no archive"), out)
    whole = packed(distribution(tmp_path), tmp_path / "whole.tgz").read_bytes()
    (tmp_path / "half.tgz").write_bytes(whole[:len(whole) // 2])
    with pytest.raises(DataError, match="half.tgz is .*damaged"):
        convert(tmp_path / "half.tgz", out)
    with pytest.raises(DataError, match="it is not the UNIPEN distribution"):
        convert(write(tmp_path / "other/data/readme.txt", "").parents[1], out)
    write(tmp_path / "empty/data/7/abc/x.dat", ".INCLUDE gone.dat\n")
    (tmp_path / "empty/include").mkdir()
    with pytest.raises(DataError, match="gave no pen strokes .*gone.dat cannot be read"):
        convert(tmp_path / "empty", out)
    with pytest.raises(DataError, match="cannot be converted into .*text.tgz"):
        convert(tmp_path / "train_r01_v07", tmp_path / "text.tgz")
    assert list(out.iterdir()) == []


def test_interrupted_conversion_keeps_the_older_files(tmp_path, monkeypatch):
    out = tmp_path / "out"
    root = distribution(tmp_path, ("anna", "berta"))
    convert(root, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def interrupted(path, *rest):
        if path.stem == "berta":
            raise KeyboardInterrupt
        return parse_file(path, *rest)

    monkeypatch.setattr(unipen_format, "parse_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert(root, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


# ---------------------------------------------------------------------------------------------

RECORD = {"label": "a", "writer": "abc/anna", "style": "?", "split": "val",
          "strokes": [[0, 0, 3, 9]]}


def without(key: str) -> str:
    return json.dumps({k: v for k, v in RECORD.items() if k != key})


@pytest.mark.parametrize("source, label, written", [
    ("hpp", "( 5 1 0 ) 8 7 4 - 3 8 6 1", "(510) 874-3861"),
    ("hpp", "Schedule meeting with Bill at 2 : 0 0 on 3 / 2 3 / 9 2 .",
     "Schedule meeting with Bill at 2:00 on 3/23/92."),
    ("hpb", "Book it at 1 2 : 0 0 2 3 / 3 / 9 2", "Book it at 12:00 23/3/92"),
    ("hpb", "Action : write by Tue 2 4 th .", "Action: write by Tue 24th."),
    ("hpb", "Maxwell 's dog , who had the word ' bubblet '", "Maxwell's dog, who had the word 'bubblet'"),
    ("hpp", 'ostracized red - handed " czar "', 'ostracized red-handed "czar"'),
    ("hpp", "$ 1 0 0 # 5 1 0 0 %", "$100 #5100%"),   # it is unclear where a number ends
    ("sta", "I went away , and was gone ; about 3 weeks ?", "I went away, and was gone; about 3 weeks?"),
    ("ced", "55 : = ( 16*4 ) -9", "55:=(16*4)-9"),
    ("dar", "Monday . It wasn ' t by a hair - so", "Monday. It wasn't by a hair - so"),
    ("hpp", "A B C D E F G", "A B C D E F G"), ("hpb", "0 1 2 3 4 5 6 7 8 9", "0 1 2 3 4 5 6 7 8 9"),
    ("art", "FOX AND OX COAX ?", "FOX AND OX COAX ?"), ("ap", "1 2 3 4", "1 2 3 4"),   # as they wrote it
    ("hpp", ".", "."), ("hpp", "Houston", "Houston")])
def test_labels_have_the_spaces_that_people_write(tmp_path, source, label, written):
    record = RECORD | {"label": label, "writer": f"{source}/someone"}
    path = write(tmp_path / "x.jsonl", json.dumps(record) + "\n")
    assert [each["label"] for each in read_strokes(path)] == [written]
    assert list(read_strokes(path, as_labelled=True)) == [record]
    assert unipen.as_written(written, record["writer"]) == written   # nothing is left to do


def with_strokes(value: object) -> str:
    return json.dumps(RECORD | {"strokes": value})


@pytest.mark.parametrize("line, complaint", [
    ("{", "JSONDecodeError"), ("", "JSONDecodeError"), ("[1]", "TypeError"), ("7", "TypeError"),
    (without("label"), "label"), (without("style"), "style"), (without("strokes"), "strokes"),
    (json.dumps(RECORD | {"split": "tset"}), "the split is 'tset'"),
    (json.dumps(RECORD | {"split": ["test"]}), "the split is"),
    (json.dumps(RECORD | {"label": 7}), "not texts"),
    (json.dumps(RECORD | {"writer": None}), "not texts"),
    *((with_strokes(strokes), "lists of x, y") for strokes in ([[1, 2, 3]], [[1, "2"]], [], [[]], "ab", {"ab": 1})),
    (with_strokes(5), "TypeError"), (with_strokes([5]), "TypeError")])
def test_bad_line(tmp_path, line, complaint):
    path = write(tmp_path / "x.jsonl", json.dumps(RECORD) + f"\n{line}\n")
    records = read_strokes(path)
    assert next(records) == RECORD
    with pytest.raises(DataError, match=f"line 2, is not a record .*{complaint}") as error:
        next(records)
    assert str(path) in str(error.value) and "tools.fetch_data --archive" in str(error.value)


def test_bad_file(tmp_path):
    def read(path):
        return list(read_strokes(path))

    with pytest.raises(DataError, match="none.jsonl.gz is missing"):
        read(tmp_path / "none.jsonl.gz")
    with pytest.raises(DataError, match="plain.jsonl.gz cannot be read"):
        read(write(tmp_path / "plain.jsonl.gz", json.dumps(RECORD)))
    lines = "".join(json.dumps(RECORD | {"label": str(n)}) + "\n" for n in range(2000))
    whole = gzip.compress(lines.encode())
    (tmp_path / "cut.jsonl.gz").write_bytes(whole[:-500])
    with pytest.raises(DataError, match="cut.jsonl.gz cannot be read"):
        read(tmp_path / "cut.jsonl.gz")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="bytes.jsonl cannot be read"):
        read(tmp_path / "bytes.jsonl")
    with pytest.raises(DataError, match="splits are train, val, test"):
        list(read_strokes(tmp_path / "none.jsonl.gz", split="tset"))

"""The quick part of tools/torture.py: a few tries of each kind in this process."""
import pytest

from tools import torture

QUICK = [name for name, (_, _, starts_programs) in torture.KINDS.items() if not starts_programs and name != "pages"]


@pytest.mark.parametrize("name", QUICK)
def test_damage_is_refused_with_one_sentence(name, tmp_path):
    tries, bad = torture.torture(name, tmp_path, seed=1, share=0.06)
    assert tries >= 3 and not bad, bad


def test_a_failure_is_found(tmp_path, monkeypatch):
    monkeypatch.setitem(torture.KINDS, "broken", (3, lambda rng, folder: {}["missing"], False))
    assert len(torture.torture("broken", tmp_path, seed=0, share=1)[1]) == 3

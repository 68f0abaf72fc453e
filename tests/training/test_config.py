"""Where the settings of a training come from, and which are refused."""
import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import model
from common import errors, runs, settings
from training import config, networks

ROOT = Path(__file__).resolve().parents[2]
MODELS = f"--models_path={ROOT / 'Models'}"


def configure(*arguments: str) -> config.TrainingConfig:
    return config.configure(vars(model), list(arguments))


def test_each_setting_of_model_has_a_typed_field():
    meanings = settings.meanings(model.__file__)
    assert [field.name for field in fields(config.TrainingConfig)] == list(meanings)
    assert asdict(configure()) == {name: getattr(model, name) for name in meanings}
    assert all(len(meaning) > 15 for meaning in meanings.values())
    assert set(get_args(get_type_hints(config.TrainingConfig)["network"])) == set(networks.NETWORKS)


def test_the_command_line_wins_over_the_preset_and_the_preset_over_the_script():
    best = model.PRESETS["best"]
    found = configure("--preset=best", "--batch_size=64")
    assert (found.batch_size, found.learning_rate) == (64, best["learning_rate"])
    assert best["batch_size"] != 64 and best["learning_rate"] != model.learning_rate


@pytest.mark.parametrize("name", ["dense", "mixer", "resnet", "line", "page"])
def test_what_is_shipped_has_a_preset_that_learns_from_shipped_networks_alone(name):
    found = configure(f"--preset={name}", MODELS)
    assert found.network == name and {found.teacher, found.finetune} <= {"", *runs.list_runs(ROOT / "Models")}


def test_tools_have_the_settings_of_model_without_running_it():
    space = settings.constants(model.__file__)
    assert space["PRESETS"] == model.PRESETS and space["__doc__"] == model.__doc__
    assert config.configure(space, ["--network=line"]) == configure("--network=line")


@pytest.mark.parametrize("name, values, allowed", [
    ("batch_size", (0, -1, 10**9), "from 1 to 65536"), ("dropout", (-1, 5, "nan"), "from 0 to 0.95"),
    ("seed", (-1, 10**20), "from 0 to 4294967295"), ("val_split", (0, 0.99999, "nan"), "from 0.0001 to 0.9"),
    ("augmentation", ("nan", -5, "inf"), "from 0 to 5"), ("steps_per_call", (-1,), "from 0 to 10000"),
    ("label_smoothing", (7,), "from 0 to 0.95"), ("weight_decay", (-1, "inf"), "from 0 to 1"),
    ("learning_rate", (-1, 0, 1e9, "nan"), "from 1e-09 to 1"), ("teacher_share", (9,), "from 0 to 1"),
    ("class_cap", (-1,), "from 0 to 1000000000"), ("train_epochs", (0,), "from 1 to 1000000"),
    ("patience", (0,), "from 1 to"), ("corrections", (1,), "from 0 to 0.95")])
def test_values_out_of_bounds_are_refused_with_the_bounds(name, values, allowed):
    for value in values:
        with pytest.raises(settings.SettingsError, match=f"--{name}=.* has to be {allowed}"):
            configure(f"--{name}={value}")


@pytest.mark.parametrize("arguments, named", [
    (["--learning_rat=1"], "learning_rate"), (["--train_epochs=many"], "train_epochs"),
    (["--network=transformer"], "dense, conv, deepconv, resnet, lstm, mixer, line"), (["--preset=fast"], "best"),
    (["--schedule=step"], "plateau, cosine"), (["--preset=corrections"], "--finetune="), (["--resume=123"], "123"),
    (["--finetune=123"], "123"), (["--teacher=123"], "123"), (["--models_path=/dev/null"], "not a folder"),
    (["--models_path=/dev/null/runs"], "not a folder"), (["--models_path=" + "1" * 5000], "not a folder"),
    ([f"--teacher={runs.DEFAULT}", MODELS], "only networks for char"),
    (["--network=line", f"--teacher={runs.DEFAULT_CHARACTERS}", MODELS], "only networks for characters"),
    ([f"--resume={runs.DEFAULT}", MODELS], "no checkpoint.npz")])
def test_what_cannot_be_is_named(tmp_path, arguments, named):
    with pytest.raises(errors.UserError, match=named):
        configure(f"--models_path={tmp_path}", *arguments)


def test_a_line_reader_learns_corrected_words_unless_told_to_go_on():
    given = [f"--finetune={runs.DEFAULT}", MODELS]
    learning = configure(*given)
    assert learning.preset == "corrected_words" and learning.corrections > 0 and learning.reads == "lines"
    for wrong in ("--preset=corrections", "--preset=best"):
        with pytest.raises(settings.SettingsError, match="does not fit it; corrected_words does"):
            configure(*given, wrong)
    with pytest.raises(settings.SettingsError, match="leave --network= out"):
        configure(*given, "--network=dense")
    for wrong, named in (([f"--finetune={runs.DEFAULT_PAGES}"], "learns no corrections: --preset=page goes on with it"),
                         ([f"--finetune={runs.DEFAULT_CHARACTERS}", "--preset=dense"], "is a resnet: .* does not fit"),
                         (["--preset=line", "--network=dense"], "is for line: leave --network= out")):
        with pytest.raises(settings.SettingsError, match=named):
            configure(MODELS, *wrong)
    going_on = configure(*given, "--preset=line")
    assert (going_on.preset, going_on.epoch_steps) == ("line", model.PRESETS["line"]["epoch_steps"])
    assert not going_on.corrections


def test_an_older_run_goes_on_with_its_settings_as_far_as_they_exist(tmp_path):
    folder = tmp_path / "1700000000"
    folder.mkdir()
    (folder / "checkpoint.npz").touch()
    saved = {"network": "mixer", "harvest": True, "echo": 3, "renderings": 3, "train_epochs": 7, "models_path": "gone"}
    (folder / "config.json").write_text(json.dumps({"reads": "characters", "settings": saved}))
    resumed = configure("--resume=1700000000", f"--models_path={tmp_path}", "--patience=3")
    assert (resumed.network, resumed.extracted, resumed.train_epochs, resumed.patience) == ("mixer", True, 7, 3)
    assert resumed.models_path == str(tmp_path)
    for wrong in ("--preset=best", "--dry_run", "--finetune=1700000000"):
        with pytest.raises(settings.SettingsError, match="for a new training: leave it out with --resume="):
            configure("--resume=1700000000", f"--models_path={tmp_path}", wrong)
    finetuned = configure("--finetune=1700000000", f"--models_path={tmp_path}", "--harvest")
    assert (finetuned.network, finetuned.preset, finetuned.extracted) == ("mixer", "corrections", True)
    for wrong in ({"train_epochs": "many"}, {"network": 5}, {"dropout": True}, {"pen": 1}):
        (folder / "config.json").write_text(json.dumps({"reads": "characters", "settings": saved | wrong}))
        with pytest.raises(errors.UserError, match=f"{next(iter(wrong))}|no usable settings"):
            configure("--resume=1700000000", f"--models_path={tmp_path}")
    (folder / "config.json").write_text("[]")
    with pytest.raises(errors.UserError, match="config.json"):
        configure("--resume=1700000000", f"--models_path={tmp_path}")

"""The settings of a training, typed and within bounds.

A preset or an earlier run overrides the settings of model.py, and the command line overrides both:

    config = configure(globals(), arguments)                                            in model.py
    config = configure(settings.constants("model.py"), ["--finetune=1700000000"])       elsewhere
"""
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin, get_type_hints

from common import runs, settings

READS = {"line": "lines", "page": "pages"}   # what these networks read; all others read characters
ONLY_NEW = "preset", "finetune", "dry_run"   # settings that a resumed training cannot change
DRY_RUN = {"train_epochs": 2, "steps_per_call": 2, "epoch_steps": 8, "batch_size": 32}

Share = Annotated[float, (0, 1)]
ShareLeft = Annotated[float, (0, 0.95)]   # something has to remain
Count = Annotated[int, (1, 10**6)]


@dataclass(frozen=True)
class TrainingConfig:
    """One field for each setting of model.py, which explains it, with its least and greatest value."""
    learning_rate: Annotated[float, (1e-9, 1)]
    train_epochs: Count
    train_workers: Annotated[int, (1, 1000)]
    val_split: Annotated[float, (1e-4, 0.9)]
    batch_size: Annotated[int, (1, 65_536)]
    dropout: ShareLeft
    network: Literal["dense", "conv", "deepconv", "resnet", "lstm", "mixer", "line", "page"]
    preset: str
    seed: Annotated[int, (0, 2**32 - 1)]
    data_path: str
    either_case: bool
    pen: bool
    extracted: bool
    pen_path: str
    paper_path: str
    class_cap: Annotated[int, (0, 10**9)]
    augmentation: Annotated[float, (0, 5)]
    augmentation_last: Annotated[float, (-1, 5)]
    label_smoothing: ShareLeft
    schedule: Literal["plateau", "cosine"]
    cycles: Count
    patience: Count
    weight_decay: Share
    finetune: str
    start_share: ShareLeft
    corrections: ShareLeft
    corrections_path: str
    teacher: str
    teacher_share: Share
    mixed_precision: bool
    epoch_steps: Annotated[int, (2, 10**6)]
    steps_per_call: Annotated[int, (0, 10_000)]
    models_path: str
    resume: str
    dry_run: bool

    @property
    def reads(self) -> str:
        """What the network reads: "characters", "lines" or "pages"."""
        return READS.get(self.network, "characters")

    @property
    def last_augmentation(self) -> float:
        """The strength of augmentation in the last epoch."""
        return self.augmentation if self.augmentation_last < 0 else self.augmentation_last

    @property
    def cycle_epochs(self) -> int:
        """Epochs in a cycle of the learning rate."""
        return math.ceil(self.train_epochs / self.cycles)

    def check(self) -> None:
        """Raise SettingsError or runs.RunError for settings that cannot work, before any data are read or fetched."""
        for name, kind in get_type_hints(TrainingConfig, include_extras=True).items():
            _check_value(name, getattr(self, name), kind)
        if self.corrections and not self.finetune:
            raise settings.SettingsError("--corrections needs --finetune=, the network that was corrected")
        if self.cycles > 1 and not (self.reads == "lines" and self.schedule == "cosine"):
            raise settings.SettingsError("--cycles is for --network=line with --schedule=cosine: leave it out")
        models = Path(self.models_path)
        try:
            usable = all(path.is_dir() or not path.exists() for path in (models, *models.parents))
        except OSError:   # its name is too long
            usable = False
        if not usable:
            raise settings.SettingsError(f"--models_path={self.models_path} is not a folder: name one that is")
        if self.resume and not (models / self.resume / "checkpoint.npz").is_file():
            raise runs.RunError(f"{models / self.resume} holds no checkpoint.npz: it cannot be resumed; "
                                "start a new training")
        if self.teacher and not (self.reads == "characters"
                                 == runs.read_config(self.models_path, self.teacher).get("reads")):
            raise settings.SettingsError(f"--teacher={self.teacher}: only networks for characters can teach or learn")


def _check_value(name: str, value, kind) -> None:
    """Refuse a value of the wrong type, one that is not among the field's choices, or one out of bounds."""
    if get_origin(kind) is Literal:
        return settings.one_of(name, value, get_args(kind))
    plain, (least, most) = get_args(kind) if get_origin(kind) is Annotated else (kind, (None, None))
    if type(value) not in ((int, float) if plain is float else (plain,)):
        raise settings.SettingsError(f"--{name}={value} has to be {settings.KINDS[plain]}")
    if least is not None:
        settings.between(name, value, least, most)


def configure(space: dict, arguments: list[str]) -> TrainingConfig:
    """All settings of a training, checked; space: model.py's globals(), or settings.constants("model.py")."""
    given, _ = settings.read(space, arguments)
    values = {field.name: space[field.name] for field in fields(TrainingConfig)}
    asked = values | given
    if asked["resume"]:
        begun = saved_settings(asked["models_path"], asked["resume"])
        values |= {name: value for name, value in begun.items() if name != "models_path"}
        for name in ONLY_NEW:
            if name in given and given[name] != begun.get(name):
                raise settings.SettingsError(f"--{name}= is for a new training: leave it out with --resume=")
    else:
        values |= _preset_of(asked, given, space["PRESETS"])
    config = TrainingConfig(**values | given)
    config.check()
    return config


def saved_settings(models_path: str, unix_time: str) -> dict:
    """The settings of an earlier run under their current names, without those that no longer exist."""
    found = runs.read_config(models_path, unix_time)["settings"]
    found = {settings.ALIASES.get(name, name): value for name, value in found.items()}
    return {field.name: found[field.name] for field in fields(TrainingConfig) if field.name in found}


def _preset_of(asked: dict, given: dict, presets: dict[str, dict]) -> dict:
    """The settings of the preset that is asked for, or else of the one that suits the network."""
    if asked["preset"]:
        settings.one_of("preset", asked["preset"], presets)
    before = saved_settings(asked["models_path"], asked["finetune"]) if asked["finetune"] else {}
    network = before.get("network", asked["network"])
    learning = "corrected_words" if network == "line" else "corrections"   # for one writer's corrections
    preset = asked["preset"] or (learning if before else network if network in READS else "")
    found = presets.get(preset, {})
    if network == "page" and before and not asked["preset"]:
        raise settings.SettingsError(f"the run {asked['finetune']} finds the writing on pages, and learns no "
                                     "corrections: --preset=page goes on with it")
    if before and found.get("network", "" if network == "line" else network) != network:
        raise settings.SettingsError(f"the run {asked['finetune']} is a {network}: --preset={preset} does not fit it; "
                                     f"{learning} does")
    if before and given.get("network", network) != network:
        raise settings.SettingsError(f"the run {asked['finetune']} is a {network}: leave --network= out")
    if "finetune" in found and given.get("network", found["network"]) != found["network"]:
        raise settings.SettingsError(f"--preset={preset} is for {found['network']}: leave --network= out")
    if before:   # images that the first training learned from do not show how well it reads others
        found = found | {"val_split": before.get("val_split", asked["val_split"])}
    return {"network": network, "preset": preset} | found | (DRY_RUN if asked["dry_run"] else {})

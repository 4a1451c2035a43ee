"""Settings of a training run: frozen, strict, with every default in this one place.

A preset is a TOML file that holds only what differs; `--set section.key=value` changes single keys after it.
"""

import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from clothing_classifier.errors import ConfigError
from clothing_classifier.utils import plain_reason

ARCHITECTURES = ("mobilenet_v2", "resnet_small")
"""Names that `models.create_model` knows beside `timm:NAME`; here, so that listing them needs no torch."""


class Section(BaseModel):
    """A frozen group of settings that refuses unknown keys and never converts types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class DataSettings(Section):
    """Which columns and classes of the data set are used."""

    label_column: str | None = None
    """Column of the table that holds the class; none takes `label`."""
    group_column: str | None = None
    """Column of what belongs together and is never split, such as a sender; none takes `group`, if it is there."""
    split_column: str | None = None
    """Column of train, validation and test; none takes `split`, if it is there."""
    labels: list[str] = []
    """The only classes to train on; empty takes all."""
    exclude_labels: list[str] = []
    """Classes to leave out."""
    validation_fraction: float = Field(0.15, gt=0, lt=1)
    """Fraction that is split off train, by whole groups, where the data set has no validation split."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Decides what is split off and how folds are cut: runs of several `runtime.seed` share their photos."""
    folds: int = Field(0, ge=0)
    """From 2 on: train, or all where there is no split, is cut into so many folds by whole groups, and number `fold` is
    validated on in place of the validation split, which is then unused."""
    fold: int = Field(0, ge=0)
    """Number of the fold that is held out, from 0."""

    @model_validator(mode="after")
    def _is_a_fold(self) -> Self:
        if self.fold and not self.folds:
            raise ValueError("a fold needs data.folds, the number of folds")
        return self


class ImageSettings(Section):
    """The image contract that the network is trained for (`preprocessing.ImageContract`)."""

    size: int = Field(224, ge=8, le=1024)
    """Side of the network's square, in pixels."""
    fit: Literal["squash", "pad", "crop"] = "pad"
    """How a photo comes into the square: stretched, whole with its edges repeated, or its middle."""


class ModelSettings(Section):
    """The network: a name of `clothing models`, and that architecture's own settings."""

    name: str = "mobilenet_v2"
    """An architecture of `clothing models`, or `timm:NAME`."""
    settings: dict[str, Any] = {}
    """The architecture's own, such as `width`."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Probability with which each pooled feature is dropped before the classifier."""


class AugmentationSettings(Section):
    """Random changes of a training photo; each is the half-width or upper end of a uniform draw."""

    size: int = Field(0, ge=0, le=1024)
    """Side of a training view; 0 takes `image.size`. Crops show clothes larger than whole photos do, so that a smaller
    side is closer to what validation sees, and faster (Touvron et al. 2019, https://arxiv.org/abs/1906.06423)."""
    scale: tuple[float, float] = Field((0.4, 1.2), strict=False)  # TOML has lists only
    """Area of the crop as a fraction of the photo; over 1 the photo shrinks and its edge is repeated."""
    aspect: float = Field(1.2, ge=1)
    """The crop's aspect is drawn log-uniformly from [1 / aspect, aspect]."""
    rotation: float = Field(20.0, ge=0, le=180)
    """Degrees to either side."""
    shift: int = Field(0, ge=0, le=64)
    """Whole pixels to either side: for images so small that sampling between their pixels would blur them."""
    flip: bool = True
    """Half of the photos, at random, are mirrored left to right."""
    brightness: float = Field(0.4, ge=0, lt=1)
    """Fraction by which the brightness may rise or fall."""
    contrast: float = Field(0.4, ge=0, lt=1)
    """Fraction by which differences from the mean brightness may."""
    saturation: float = Field(0.4, ge=0, le=1)
    """Fraction by which differences from grey may."""
    erase: float = Field(0.3, ge=0, le=1)
    """Probability that a rectangle of a photo is covered (random erasing)."""
    corrupt: float = Field(0.0, ge=0, le=1)
    """Corruption augmentation: probability that a photo is blurred, and probability that it gets noise. Teachers see
    the photo without either."""

    @property
    def resamples(self) -> bool:
        """Whether a view's pixels lie between those of the photo."""
        return self.scale != (1, 1) or self.aspect != 1 or self.rotation != 0

    @model_validator(mode="after")
    def _moves_one_way(self) -> Self:
        if self.shift and self.resamples:
            raise ValueError("a shift by whole pixels needs scale = [1, 1], aspect = 1 and rotation = 0")
        return self

    @model_validator(mode="after")
    def _has_an_area(self) -> Self:
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ValueError("scale is a smallest and a largest fraction of the area, both above 0")
        return self


class OptimizationSettings(Section):
    """Optimizer, learning-rate schedule (linear warm-up, cosine decay) and exponential moving average of weights."""

    optimizer: Literal["adamw", "sgd"] = "adamw"
    """AdamW (Loshchilov and Hutter 2019), or SGD with Nesterov's momentum of 0.9, as residual networks on small images
    are trained from random weights (Zagoruyko and Komodakis 2016)."""
    epochs: int = Field(12, ge=1)
    """Passes over the photos."""
    batch_size: int = Field(48, ge=1)
    """Photos of a step, over all processes."""
    learning_rate: float = Field(1e-3, gt=0)
    """The highest, reached at the end of the warm-up; from there it falls to 0 with a cosine."""
    weight_decay: float = Field(0.05, ge=0)
    """Of matrices and kernels; biases and norms do not decay."""
    warmup_epochs: float = Field(1.0, ge=0)
    """Epochs, or a fraction of one, over which the rate rises from 0."""
    ema_decay: float = Field(0.998, ge=0, lt=1)
    """Decay of the exponential moving average of weights, which is what is validated and kept. 0: no average."""
    wise_ft_alpha: float = Field(1.0, gt=0, le=1)
    """WiSE-FT (Wortsman et al. 2022, https://arxiv.org/abs/2109.01903): the weights that are kept are
    (1 - alpha) x first + alpha x trained. Under 1, fine-tuning forgets less. Needs `--init` with weights of the same
    classes."""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Fraction of the target that is spread evenly over all classes (Szegedy et al. 2016)."""
    frozen_stages: int = Field(0, ge=0)
    """Number of first stages of the network that are not trained."""
    keep: Literal["best", "last"] = "best"
    """Which epoch's weights are kept: best on validation, or the last, so that validation chooses nothing."""


class DistillationSettings(Section):
    """Learning the teachers' probabilities instead of the labels (Hinton, Vinyals and Dean 2015)."""

    views: int = Field(0, ge=0)
    """0: each epoch has new views. N: the views of N epochs are repeated, and the teachers' predictions on them are
    cached on disk, for other runs too (Shen and Xing 2022, https://arxiv.org/abs/2112.01528)."""
    size: int = Field(0, ge=0, le=1024)
    """The `image.size` that teachers were trained for, where the student's is smaller: they see each view at their own
    size. 0: they see what the student sees. Needs `views`."""

    @model_validator(mode="after")
    def _is_cached(self) -> Self:
        if self.size and not self.views:
            raise ValueError("the teachers' own size needs distillation.views, the epochs whose predictions are cached")
        return self


class RuntimeSettings(Section):
    """How the run computes; `seed` and `threads` fix its outcome on a given machine."""

    seed: int = Field(0, ge=0, lt=2**63)
    """Decides new weights, the order of the photos and their random views."""
    threads: int = Field(0, ge=0, le=1024)
    """0 leaves it to torch: every processor that the process may use, or what `OMP_NUM_THREADS` says."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` takes bf16 where the processor or GPU computes it natively."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto` takes a GPU where there is one."""


class TrainSettings(Section):
    """Everything that decides a training run."""

    data: DataSettings = DataSettings()
    image: ImageSettings = ImageSettings()
    model: ModelSettings = ModelSettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    optimization: OptimizationSettings = OptimizationSettings()
    distillation: DistillationSettings = DistillationSettings()
    runtime: RuntimeSettings = RuntimeSettings()

    @model_validator(mode="after")
    def _shifts_alike(self) -> Self:
        if self.augmentation.shift and self.distillation.size:
            raise ValueError("augmentation.shift is in pixels of the student's size; leave out distillation.size")
        return self


def presets() -> list[str]:
    """Names of the presets in the package, sorted."""
    folder = resources.files("clothing_classifier") / "presets"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_settings(preset: str | None = None, overrides: Iterable[str] = ()) -> TrainSettings:
    """Defaults, then `preset` (a name or a path of a TOML file), then `overrides` (`section.key=value`).

    Values are written as in TOML; what TOML can't read is taken as a string. Raises `ConfigError` naming the key.
    """
    values = {} if preset is None else _read_preset(preset)
    for override in overrides:
        _apply(values, override)
    return parse_settings(values)


def parse_settings(values: dict[str, Any]) -> TrainSettings:
    """Validate plain data (as of a preset or a run record); raises `ConfigError` naming key and expectation."""
    try:
        return TrainSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            _explain(".".join(str(part) for part in first["loc"]), first["type"], first["msg"])
        ) from error


def _explain(key: str, kind: str, message: str) -> str:
    if kind != "extra_forbidden":
        return f"setting {key}: {plain_reason(message)}" if key else plain_reason(message)
    section_name, _, _ = key.rpartition(".")
    section = TrainSettings.model_fields[section_name].annotation if section_name else TrainSettings
    known = section.model_fields if isinstance(section, type) and issubclass(section, BaseModel) else {}
    return f"setting {key}: unknown; {section_name or 'the sections'} has {', '.join(known)}"


def _read_preset(preset: str) -> dict[str, Any]:
    if preset in presets():
        text = (resources.files("clothing_classifier") / "presets" / f"{preset}.toml").read_text(encoding="utf-8")
    else:
        try:
            text = Path(preset).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            known = ", ".join(presets())
            raise ConfigError(f"preset '{preset}': neither a preset ({known}) nor a readable TOML file") from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"preset '{preset}': not valid TOML: {error}") from error


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or len(parts) < 2 or not all(parts):
        raise ConfigError(f"--set {override}: write section.key=value, as in optimization.epochs=3")
    for part in parts[:-1]:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {override}: {part} holds a value, not a section")
    values[parts[-1]] = _parse_value(text.strip())


def _parse_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text

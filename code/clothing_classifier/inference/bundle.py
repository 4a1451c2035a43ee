"""A bundle: `model.onnx` beside `bundle.json`, which says how to use it and where it comes from."""

import hashlib
import json
import lzma
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clothing_classifier.errors import BundleError
from clothing_classifier.evaluation.calibration import PrecisionPoint
from clothing_classifier.preprocessing import ImageContract
from clothing_classifier.utils import write_bytes, write_json

MODEL, MANIFEST, WEIGHTS = "model.onnx", "bundle.json", "weights.safetensors"
SHIPPED = Path(__file__).parents[1] / "bundles"
DEFAULT = "wardrobe"
FORMAT = 1


class _Section(BaseModel):
    """A frozen section of `bundle.json`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Preprocessing(_Section):
    """How a client makes the graph's `image`: the image contract, in words that any language can follow."""

    size: int = Field(ge=1)
    fit: Literal["squash", "pad", "crop"]
    resample: Literal["bilinear, antialiased"] = "bilinear, antialiased"
    color: Literal["RGB"] = "RGB"


class Point(_Section):
    """One point of the validation precision curve (`calibration.PrecisionPoint`)."""

    threshold: float
    precision: float
    coverage: float


class Calibration(_Section):
    """How far confidence is from accuracy (`calibration.CalibrationError`)."""

    ece: float
    interval: list[float]
    perfect_mean: float
    perfect_range: list[float]
    n: int
    folds: int
    method: str


class Manifest(_Section):
    """The content of `bundle.json`.

    `calibration`, `orientation`, `provenance` and `validation` are for people; the rest is needed to predict. 5% of the
    validation photos have an OOD score above `ood_threshold`. `orientation` is None where the graph corrects none. The
    graph averages over `views` of a photo: 2 where one is its mirror image. `known_photos` are the hashes of photos
    that it learnt from and was validated on, as `datasets.abbreviate` makes them.
    """

    format: int
    name: str
    labels: list[str] = Field(min_length=1)
    preprocessing: Preprocessing
    temperature: float = Field(gt=0)
    calibration: Calibration
    ood_threshold: float
    orientation: dict[str, Any] | None
    precision_curve: list[Point]
    precision: Literal["fp32", "int8"]
    session_options: dict[str, str]
    architecture: dict[str, Any]
    stages: list[dict[str, Any]]
    views: int
    known_photos: dict[str, str]
    validation: dict[str, Any]
    provenance: dict[str, Any]
    hashes: dict[str, str]


@dataclass(frozen=True)
class Bundle:
    """A verified bundle: its manifest and the bytes of its graph."""

    path: Path
    manifest: Manifest
    graph: bytes = field(repr=False)

    @property
    def contract(self) -> ImageContract:
        """The image contract that the graph was trained for."""
        return ImageContract(self.manifest.preprocessing.size, self.manifest.preprocessing.fit)

    @property
    def curve(self) -> list[PrecisionPoint]:
        """The validation precision curve."""
        return [PrecisionPoint(p.threshold, p.precision, p.coverage) for p in self.manifest.precision_curve]

    @property
    def sha256(self) -> str:
        """Names this very bundle: the hash of its files' hashes."""
        return hashlib.sha256(json.dumps(self.manifest.hashes, sort_keys=True).encode()).hexdigest()


def shipped() -> list[str]:
    """Names of the bundles that come with the package, sorted."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{MANIFEST}"))


def find(model: str | Path) -> Path:
    """The path of a bundle, given by name or by path, of which a string is first a name; raises `BundleError`."""
    if isinstance(model, str) and model in shipped():
        return SHIPPED / model
    path = Path(model)
    try:
        there = path.exists()
    except OSError as error:
        raise BundleError(f"{path}: can't be read ({error.strerror})") from error
    if not there:
        names = ", ".join(shipped()) or "none"
        raise BundleError(f"model '{model}': neither a shipped model ({names}) nor a bundle's folder or zip file")
    return path


def load_bundle(model: str | Path) -> Bundle:
    """Read and verify a bundle, given by name, folder or zip file; raises `BundleError` naming what is wrong."""
    path = find(model)
    text, graph = _read(path)
    try:
        content = json.loads(text)
        hashes = dict(content["hashes"])
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{path}: damaged: {MANIFEST} is not what 'clothing export' writes") from error
    if content.get("format") != FORMAT:
        raise BundleError(
            f"{path}: format {content.get('format')}, and this version reads {FORMAT}; upgrade the package"
        )
    for name, actual in ((MODEL, hashlib.sha256(graph).hexdigest()), (MANIFEST, manifest_sha256(content))):
        if hashes.get(name) != actual:
            raise BundleError(f"{path}: damaged: {name} has another SHA-256 than recorded; copy the bundle again")
    try:
        return Bundle(path, Manifest.model_validate(content), graph)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise BundleError(f"{path}: damaged: {MANIFEST}, {key}: {first['msg']}") from error


def copy_bundle(bundle: Bundle, folder: Path) -> None:
    """Write `bundle.json` and `model.onnx`, byte for byte, into `folder`, each whole or not at all."""
    for name, content in zip((MANIFEST, MODEL), _read(bundle.path), strict=True):
        write_bytes(folder / name, content)


def weights_of(name: str) -> Path:
    """The verified half-precision weights of a shipped bundle, or of one in a folder; raises `BundleError`."""
    if not find(name).is_dir():
        raise BundleError(f"{name}: unpack it to start from its weights")
    path = find(name) / WEIGHTS
    recorded = load_bundle(name).manifest.hashes.get(WEIGHTS)
    if recorded is None:
        raise BundleError(
            f"model '{name}' has no weights to start from; give its run folder, or export it with --weights"
        )
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != recorded:
        again = "install the package" if name in shipped() else "copy the bundle"
        raise BundleError(f"{path}: missing or damaged: another SHA-256 than recorded; {again} again")
    return path


def write_manifest(folder: Path, content: dict[str, Any]) -> None:
    """Write `bundle.json` beside the files it names, with their hashes and its own."""
    hashes = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (MODEL, WEIGHTS)
        if (folder / name).exists()
    }
    content = {"format": FORMAT, **content}
    write_json(folder / MANIFEST, content | {"hashes": hashes | {MANIFEST: manifest_sha256(content)}})


def manifest_sha256(content: dict[str, Any]) -> str:
    """SHA-256 of a manifest without its `hashes`, in canonical JSON."""
    rest = {key: value for key, value in content.items() if key != "hashes"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> tuple[bytes, bytes]:
    return _read_zip(path) if path.is_file() else _read_folder(path)


def _read_folder(path: Path) -> tuple[bytes, bytes]:
    try:
        return (path / MANIFEST).read_bytes(), (path / MODEL).read_bytes()
    except OSError as error:
        raise BundleError(f"{path}: not a bundle: {Path(error.filename).name} can't be read") from error


def _read_zip(path: Path) -> tuple[bytes, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            # Zipped from outside or inside the folder: the files may stand one level down.
            inside = {PurePosixPath(name).name: name for name in archive.namelist() if name.count("/") <= 1}
            return archive.read(inside[MANIFEST]), archive.read(inside[MODEL])
    except KeyError as error:
        raise BundleError(f"{path}: not a bundle: there is no {error.args[0]} in it") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError) as error:
        raise BundleError(f"{path}: not a bundle's folder or a whole zip file of one ({error})") from error

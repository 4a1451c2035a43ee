"""`clothing audit`: what is planted in the drawn data set is found, what is in order is left alone."""

import csv
import json
import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from typer.testing import CliRunner

import plant_faults
from clothing_classifier.audit import Audit, Severity, audit
from clothing_classifier.audit.alignment import detail_correlation
from clothing_classifier.audit.labels import find_suspects
from clothing_classifier.cli import app
from clothing_classifier.datasets import load_dataset
from clothing_classifier.inference import Classifier

DATA = Path(__file__).parents[2] / "data"
COUNT = 3
FILE_FAULTS = {
    "truncated": "unreadable", "zeroed": "unreadable", "scattered-bytes": "unreadable", "web-page": "unreadable",
    "empty": "unreadable", "wrong-extension": "wrong-extension", "blank": "blank", "tiny": "tiny",
    "extreme-aspect": "extreme-aspect",
}  # fmt: skip
COPIES = {
    "exact-copy": "exact-duplicate", "re-encoded": "near-duplicate", "resized": "near-duplicate",
    "mirrored": "near-duplicate", "brightness": "near-duplicate", "cropped": "near-duplicate",
}  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn test photos with faults of each kind."""
    folder = tmp_path_factory.mktemp("planted") / "data"
    plant_faults.plant(load_dataset(DATA).part("test"), folder, COUNT, 0.0, seed=0)
    return folder


@pytest.fixture(scope="module")
def found(planted: Path) -> Audit:
    return audit(load_dataset(planted), Classifier.load())


def by_kind(found: Audit) -> dict[str, set[frozenset[str]]]:
    names: dict[str, set[frozenset[str]]] = defaultdict(set)
    for finding in found.findings:
        names[finding.kind].add(frozenset(filter(None, (finding.image, finding.other))))
    return names


@pytest.mark.parametrize("kind", [*FILE_FAULTS, *COPIES])
def test_each_planted_fault_is_found(kind: str, planted: Path, found: Audit) -> None:
    names = by_kind(found)
    with (planted / "planted.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == kind]
    assert len(rows) == COUNT
    for row in rows:
        wanted = {row["image"], row["original"]} if kind in COPIES else {row["image"]}
        assert frozenset(wanted) in names[(FILE_FAULTS | COPIES)[kind]], row


def test_two_garments_are_no_copies(found: Audit) -> None:
    originals = {record.image for record in load_dataset(DATA).part("test")}
    pairs = by_kind(found)["near-duplicate"] | by_kind(found)["exact-duplicate"]
    assert not [pair for pair in pairs if pair <= originals]


def test_every_pair_of_a_cluster_has_its_row(tmp_path: Path) -> None:
    picture = Image.open(DATA / "images" / load_dataset(DATA).records[0].image)
    data = write(tmp_path, {f"{n}.png": picture for n in range(4)}, ["Dress"] * 4)
    names = by_kind(audit(load_dataset(data), Classifier.load()))["exact-duplicate"]
    assert names == {frozenset((f"{i}.png", f"{j}.png")) for i in range(4) for j in range(i)}


def test_of_small_pictures_equal_pixels_alone_are_copies(tmp_path: Path) -> None:
    picture = Image.open(DATA / "images" / load_dataset(DATA).records[0].image).resize((28, 28))
    pictures = {"a.png": picture, "b.png": picture, "c.png": ImageOps.mirror(picture)}
    data = write(tmp_path, pictures, ["Dress"] * 3)
    result = CliRunner().invoke(app, ["audit", "--data", str(data), "--out", str(tmp_path / "out")])
    assert "only equal pixels count as copies" in result.stderr
    assert (tmp_path / "out" / "findings.csv").read_text().count("-duplicate") == 1


def test_copies_across_a_split_or_of_two_labels_are_serious(tmp_path: Path) -> None:
    one, other = (Image.open(DATA / "images" / record.image) for record in load_dataset(DATA).records[:40:20])
    pictures = {"a.png": one, "b.png": ImageOps.mirror(one), "c.png": other, "d.png": other}
    data = write(tmp_path, pictures, ["Dress", "Dress", "Shirt", "Hat"], ["train", "test", "train", "train"])
    found = audit(load_dataset(data), Classifier.load())
    names = by_kind(found)
    assert names["split-leak"] == {frozenset(["a.png", "b.png"])}
    assert names["label-conflict"] == {frozenset(["c.png", "d.png"])}
    assert found.is_serious
    dropped = {found.scan.photos[i].record.image for i in found.dropped}
    assert dropped == {"a.png", "c.png", "d.png"}  # the one that is learnt from, and both of two labels


def test_groups_on_two_sides_and_small_classes_are_named(tmp_path: Path) -> None:
    records = load_dataset(DATA).records
    chosen = records[0], records[60], records[120]
    pictures = {f"{n}.png": Image.open(DATA / "images" / record.image) for n, record in enumerate(chosen)}
    data = write(tmp_path, pictures, ["A", "B", "B"], ["train", "test", "train"], ["x", "x", "y"])
    found = audit(load_dataset(data), Classifier.load())
    (leak,) = [finding for finding in found.findings if finding.kind == "group-leak"]
    assert {leak.image, leak.other} == {"0.png", "1.png"}
    assert "'x'" in leak.detail
    small = {finding.detail.split("'")[1] for finding in found.findings if finding.kind == "small-class"}
    assert small == {"A", "B"}


def test_wrong_labels_come_first() -> None:
    random = np.random.default_rng(0)
    targets = np.repeat(np.arange(4), 50)
    centres = random.normal(size=(4, 32))
    features = (centres[targets] + 0.3 * random.normal(size=(200, 32))).astype(np.float16)
    wrong = random.permutation(200)[:10]
    given = targets.copy()
    given[wrong] = (targets[wrong] + 1) % 4
    suspects = find_suspects(features, given, range(200))
    assert {suspect.index for suspect in suspects[:10]} == set(wrong.tolist())
    assert all(suspect.likely == targets[suspect.index] for suspect in suspects[:10])


def test_of_few_photos_or_one_class_nothing_is_told() -> None:
    assert find_suspects(np.eye(8, dtype=np.float16), np.arange(8) % 2, range(8)) == []
    assert find_suspects(np.eye(20, dtype=np.float16), np.zeros(20, int), range(20)) == []
    assert find_suspects(np.eye(12, dtype=np.float16), np.arange(12) % 4, range(12)) == []  # three photos a class
    assert find_suspects(np.eye(12, dtype=np.float16), np.arange(12) % 2, [0] * 6 + [1] * 6) == []  # two pictures


def test_a_photo_alone_in_its_class_is_doubted() -> None:
    random = np.random.default_rng(0)
    features = (np.array([1.0, *[0.0] * 15]) + 0.1 * random.normal(size=(30, 16))).astype(np.float16)
    targets = np.array([1] + [0] * 29)
    assert [suspect.index for suspect in find_suspects(features, targets, range(30))] == [0]


def test_registration_undoes_crop_scale_and_light_and_tells_other_pictures_apart() -> None:
    random = np.random.default_rng(1)
    rough = random.normal(size=(2, 24, 24)).cumsum(1).cumsum(2)
    one, other = (
        Image.fromarray(np.uint8(255 * (r - r.min()) / np.ptp(r))).resize((400, 300), Image.Resampling.BICUBIC)
        for r in rough
    )
    cropped = one.crop((16, 6, 392, 290)).point(lambda value: value // 2 + 30)
    greys = [np.asarray(picture.resize((128, 128), Image.Resampling.BILINEAR)) for picture in (one, cropped, other)]
    scores = detail_correlation(np.stack([greys[0]] * 2), np.stack(greys[1:]))
    assert scores[0] > 0.9
    assert scores[1] < 0.5


def test_the_command_writes_findings_a_page_and_a_cleaned_table(planted: Path, tmp_path: Path) -> None:
    before = (planted / "dataset.csv").read_bytes()
    out = tmp_path / "out"
    arguments = ["audit", "--data", str(planted), "--out", str(out), "--fix", "--format", "json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1  # unreadable files are serious
    report = json.loads(result.stdout)
    with (out / "findings.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["kind", "severity", "image", "other", "detail", "action"]
    assert len(rows) == sum(report["counts"].values())
    page = (out / "audit.html").read_text(encoding="utf-8")
    assert "data:image/jpeg" in page
    assert "http://" not in page and "https://" not in page
    assert (planted / "dataset.csv").read_bytes() == before
    cleaned = load_dataset(clone(planted, tmp_path / "cleaned"))
    again = audit(cleaned, Classifier.load())
    assert not {"exact-duplicate", "blank", "label-conflict"} & set(again.counts)
    assert all(finding.severity is not Severity.error for finding in again.findings)


def test_what_is_in_order_leaves_with_status_0(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["audit", "--data", str(DATA), "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output


def test_fix_needs_a_table(tmp_path: Path) -> None:
    records = load_dataset(DATA).records[:4]
    for record in records:
        (tmp_path / "data" / record.label).mkdir(parents=True, exist_ok=True)
        shutil.copy(record.source, tmp_path / "data" / record.label)  # type: ignore[arg-type]
    arguments = ["audit", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "out"), "--fix"]
    result = CliRunner().invoke(app, arguments)
    assert "--fix cleans a dataset.csv, and there is none" in str(result.exception)


def write(
    folder: Path,
    pictures: dict[str, Image.Image],
    labels: list[str],
    splits: list[str] | None = None,
    groups: list[str] | None = None,
) -> Path:
    """A data set of these pictures."""
    (folder / "images").mkdir()
    for name, picture in pictures.items():
        picture.convert("RGB").save(folder / "images" / name)
    blank = [""] * len(labels)
    with (folder / "dataset.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label", "split", "group"])
        writer.writerows(zip(pictures, labels, splits or blank, groups or blank, strict=True))
    return folder


def clone(planted: Path, target: Path) -> Path:
    """The data set with the cleaned table in the place of its own."""
    shutil.copytree(planted, target)
    (target / "dataset.cleaned.csv").replace(target / "dataset.csv")
    return target


def test_pictures_that_show_nothing_are_found_where_there_are_no_others(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for i in range(3):
        Image.new("RGB", (300, 300), (80 * i, 0, 0)).save(tmp_path / "images" / f"{i}.png")
    (tmp_path / "dataset.csv").write_text("image,label\n0.png,Hat\n1.png,Hat\n2.png,Dress\n")
    assert len(by_kind(audit(load_dataset(tmp_path), Classifier.load()))["blank"]) == 3


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        ("a.jpg,Hat,train\na.jpg,Dress,train", []),  # nobody can tell which label is right
        ("a.jpg,Hat,train\ncopy.jpg,hat,train", ["a.jpg"]),  # which is one label, written in two ways
        ("a.jpg,Hat,\ncopy.jpg,Hat,test", ["copy.jpg"]),
        ("a.jpg,Hat,\nlike.jpg,Hat,test", ["a.jpg", "like.jpg"]),  # nothing is measured on what was learnt from
        ("a.jpg,Hat,train\nlike.jpg,Hat,test", ["like.jpg"]),
    ],
)
def test_fix_keeps_what_can_be_trusted(rows: str, left: list[str], tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a.jpg", "copy.jpg"):
        shutil.copy(DATA / "images" / "hat-00-a.jpg", images / name)
    with Image.open(images / "a.jpg") as picture:
        ImageOps.mirror(picture).save(images / "like.jpg", quality=80)
    shutil.copy(DATA / "images" / "dress-00-a.jpg", images / "other.jpg")
    (tmp_path / "dataset.csv").write_text(f"image,label,split\nother.jpg,Dress,train\n{rows}\n")
    CliRunner().invoke(app, ["audit", "--data", str(tmp_path), "--out", str(tmp_path / "out"), "--fix"])
    cleaned = (tmp_path / "dataset.cleaned.csv").read_text().splitlines()[2:]
    assert [line.partition(",")[0] for line in cleaned] == left

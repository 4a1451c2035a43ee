"""The API of a running server: what it answers, and how it refuses."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from helpers.running import IMAGES, Server, ask, form, problem_of, serving

from clothing_classifier import Classifier
from clothing_classifier.export.graph_outputs import hide_output
from clothing_classifier.inference.bundle import MANIFEST, MODEL, find, shipped, write_manifest
from clothing_classifier.preprocessing import DEFAULT_LIMITS, prepare


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


def test_one_photo_is_answered_as_predict_does(server: Server, classifier: Classifier) -> None:
    photo = IMAGES[0].read_bytes()
    expected = json.loads(json.dumps(classifier.predict(photo).to_dict()))
    body, headers = form([("a.png", photo)])
    raw, named = ask(server, "/v1/predict", photo).json(), ask(server, "/v1/predict", body, headers).json()
    assert raw == {
        "model": "wardrobe",
        "version": classifier.bundle.sha256,
        "predictions": [{"path": "body", **expected}],
    }
    assert named["predictions"] == [{"path": "a.png", **expected}]


def test_many_photos_keep_their_order_and_a_bad_one_its_place(server: Server, classifier: Classifier) -> None:
    files = [(path.name, path.read_bytes()) for path in IMAGES[:20]]
    files[7] = ("broken.jpg", files[7][1][:500])
    files[12] = ("notes.txt", b"no image at all")
    entries = ask(server, "/v1/predict?top=1", *form(files)).json()["predictions"]
    assert [entry["path"] for entry in entries] == [name for name, _ in files]
    assert [entry["error"] is None for entry in entries] == [i not in (7, 12) for i in range(20)]
    assert entries[12]["error"].startswith("notes.txt: not an image in an accepted format")
    good = [entry["label"] for entry in entries if entry["error"] is None]
    assert good == [classifier.predict(data).label for i, (_, data) in enumerate(files) if i not in (7, 12)]


def test_a_single_bad_photo_is_a_problem(server: Server) -> None:
    cases = {
        b"no image at all": 415,
        b"<!doctype html><html>": 415,
        IMAGES[0].read_bytes()[:500]: 422,
        b"": 422,
    }
    for photo, status in cases.items():
        reply = ask(server, "/v1/predict", photo)
        assert reply.status == status
        problem_of(reply)
    reply = ask(server, "/v1/predict", *form([("x.jpg", b"no image")]))
    assert reply.status == 415
    assert problem_of(reply)["detail"].startswith("x.jpg: ")


def test_a_crowd_gets_the_answers_of_one_at_a_time(server: Server, classifier: Classifier) -> None:
    photos = [path.read_bytes() for path in IMAGES[:96]]
    with ThreadPoolExecutor(32) as pool:
        replies = list(pool.map(lambda photo: ask(server, "/v1/predict", photo), photos))
    assert {reply.status for reply in replies} == {200}
    for reply, photo in zip(replies, photos, strict=True):
        entry, expected = reply.json()["predictions"][0], classifier.predict(photo)
        assert entry["label"] == expected.label
        assert entry["confidence"] == pytest.approx(expected.confidence, abs=1e-4)


def test_the_query_says_what_is_wanted(server: Server, classifier: Classifier) -> None:
    photo = IMAGES[0].read_bytes()
    entry = ask(server, "/v1/predict?top=99&model=benchmark-10", photo).json()["predictions"][0]
    assert len(entry["top"]) == 10
    best = max(point.precision for point in classifier.bundle.curve)
    unsure = [
        ask(server, f"/v1/predict?min_precision={best}", path.read_bytes()).json()["predictions"][0]["abstained"]
        for path in IMAGES[:40]
    ]
    assert unsure == [p.abstained for p in classifier.predict_many(IMAGES[:40], min_precision=best)]
    assert any(unsure)


def test_the_class_map_is_the_graphs_own(server: Server, classifier: Classifier) -> None:
    photo = IMAGES[5].read_bytes()
    entry = ask(server, "/v1/predict?class_map=true", photo).json()["predictions"][0]
    given = entry["class_map"]
    assert given["label"] == entry["label"]
    pixels = prepare(photo, classifier.bundle.contract)[None]
    expected = classifier.run(pixels, "class_map")[0, classifier.labels.index(entry["label"])]
    np.testing.assert_allclose(given["values"], expected, atol=1e-3)


@pytest.mark.slow
def test_a_graph_without_a_class_map_is_served_without_it(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    folder = tmp_path / "bundle"
    copytree(find("wardrobe-tiny"), folder)
    hide_output(folder / MODEL, "class_map")
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    write_manifest(folder, {key: value for key, value in content.items() if key not in ("format", "hashes")})
    with serving(tmp_path / "log", "--model", str(folder)) as server:
        photo = IMAGES[0].read_bytes()
        assert ask(server, "/v1/predict", photo).json()["predictions"][0]["label"]
        reply = ask(server, "/v1/predict?class_map=true", photo)
        assert reply.status == 422
        assert problem_of(reply)["detail"].startswith("class_map: this model gives none")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("top=0", "top: "),
        ("top=many", "top: "),
        ("min_precision=0", "min_precision: "),
        ("min_precision=nan", "min_precision: "),
        ("class_map=perhaps", "class_map: "),
        ("model=nope", "there are wardrobe, benchmark-10, fashion-mnist, wardrobe-small, wardrobe-tiny"),
        ("min_precission=0.9", "min_precission: "),
    ],
)
def test_a_wrong_query_is_named(server: Server, query: str, message: str) -> None:
    reply = ask(server, f"/v1/predict?{query}", IMAGES[0].read_bytes())
    assert reply.status == 422
    assert message in problem_of(reply)["detail"]


def test_the_model_describes_itself(server: Server, classifier: Classifier) -> None:
    described = ask(server, "/v1/model").json()
    manifest = classifier.manifest
    assert described["name"] == "wardrobe"
    assert described["labels"] == manifest.labels
    assert described["stages"] == manifest.stages
    assert described["preprocessing"]["size"] == manifest.preprocessing.size
    assert described["card"].startswith("# Model card: wardrobe")
    assert described["limits"]["image"] == asdict(DEFAULT_LIMITS)
    assert ask(server, "/v1/model?model=benchmark-10").json()["name"] == "benchmark-10"
    listed = ask(server, "/v1/models").json()
    assert [one["name"] for one in listed] == ["wardrobe", *(name for name in shipped() if name != "wardrobe")]
    assert [one["name"] for one in listed if one["default"]] == ["wardrobe"]


def test_health_readiness_and_other_addresses(server: Server) -> None:
    assert ask(server, "/healthz").json() == {"status": "alive"}
    assert ask(server, "/readyz").json() == {"status": "ready"}
    assert all(ask(server, path, method="HEAD").status == 200 for path in ("/healthz", "/readyz"))
    for path, method, status in (("/nope", "GET", 404), ("/v1/predict", "GET", 405), ("/healthz", "DELETE", 405)):
        reply = ask(server, path, method=method)
        assert reply.status == status
        problem_of(reply)
    assert ask(server, "/v1/predict", method="PUT", body=b"x" * 100_000).headers["allow"] == "POST"


def test_metrics_count_what_happened(server: Server) -> None:
    def value(series: str) -> float:
        lines = ask(server, "/metrics").body.decode().splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(f"{series} ")), 0.0)

    answered = 'clothing_requests_total{route="/v1/predict",status="200"}'
    refused = 'clothing_errors_total{kind="not-an-image"}'
    before = value(answered), value(refused), value("clothing_batch_photos_count")
    ask(server, "/v1/predict", IMAGES[0].read_bytes())
    ask(server, "/v1/predict", b"no image")
    assert (value(answered), value(refused)) == (before[0] + 1, before[1] + 1)
    assert value("clothing_batch_photos_count") == before[2] + 1
    assert value("clothing_queue_photos") == 0
    assert value("process_resident_memory_bytes") > 0
    text = ask(server, "/metrics").body.decode()
    for name in ("clothing_labels_total", "clothing_request_seconds_bucket", "clothing_abstentions_total"):
        assert name in text


def test_every_answer_has_an_id_and_the_security_headers(server: Server) -> None:
    for path in ("/", "/docs", "/v1/models", "/nope", "/page/page.css"):
        headers = ask(server, path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"]
        assert "server" not in headers
    assert ask(server, "/healthz", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    assert ask(server, "/healthz", headers={"X-Request-ID": "a b\\"}).headers["x-request-id"] != "a b\\"


def test_logs_are_json_and_know_no_file_names(server: Server) -> None:
    name = "se\x1b[31mcret-name.png"
    reply = ask(server, "/v1/predict", *form([(name, IMAGES[0].read_bytes())]))
    entry = server.entry("request_id", reply.headers["x-request-id"])
    assert (entry["event"], entry["status"], entry["path"]) == ("request", 200, "/v1/predict")
    assert "cret-name" not in server.log.read_text()
    assert "\x1b" not in reply.json()["predictions"][0]["path"]


def test_the_page_is_tagged_and_not_sent_twice(server: Server) -> None:
    first = ask(server, "/")
    assert first.status == 200
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = ask(server, "/", headers={"If-None-Match": known})
        assert (again.status, again.body) == (304, b"")
    assert ask(server, "/", headers={"If-None-Match": '"other"'}).status == 200
    assert ask(server, "/", method="HEAD").status == 200

"""Photos elsewhere: over HTTP from a server of the standard library, from S3 by moto; failures retried, then told."""

import contextlib
import http.server
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clothing_classifier import Classifier
from clothing_classifier.datasets.download import DEFAULT_POLICY
from clothing_classifier.errors import ImageError, UsageError
from clothing_classifier.preprocessing import DEFAULT_LIMITS
from clothing_classifier.scoring import storage
from clothing_classifier.scoring.collection import list_inputs
from clothing_classifier.scoring.inputs import Input
from clothing_classifier.scoring.photos import LazyPhoto, fetch, load
from clothing_classifier.scoring.run import ScoreOptions, score

IMAGES = sorted((Path(__file__).parents[2] / "data" / "images").iterdir())
BUCKET = "shop"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: 0.001)


class Site(http.server.BaseHTTPRequestHandler):
    """/N.jpg is a photo; /busy/TIMES/N.jpg is one after so many failures; /status/CODE always fails."""

    asked: ClassVar[Counter[str]] = Counter()
    sent: ClassVar[int] = 0

    def do_GET(self) -> None:
        Site.asked[self.path] += 1
        kind, _, rest = self.path[1:].partition("/")
        if kind == "busy" and Site.asked[self.path] <= int(rest.partition("/")[0]):
            self._answer(503 if Site.asked[self.path] % 2 else 429, b"later")
        elif kind == "status":
            self._answer(int(rest.partition("/")[0]), b"no")
        elif kind == "circle":
            self._answer(302, b"", location=self.path)
        elif kind == "empty":
            self._answer(200, b"")
        elif kind == "endless":
            self._flood()
        elif kind == "cut":
            self._answer(200, b"x" * 10, 1000)
        else:
            self._answer(200, IMAGES[int(self.path.rpartition("/")[2].partition(".")[0])].read_bytes())

    def _answer(self, status: int, body: bytes, length: int | None = None, location: str | None = None) -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _flood(self) -> None:
        """As a server that heeds no range and has a film behind the URL of a photo."""
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(1 << 20))
                Site.sent += 1 << 20
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_urls_of_a_table_are_fetched_retried_and_told(site: str, classifier: Classifier, tmp_path: Path) -> None:
    urls = [f"{site}/{i}.jpg" for i in range(30)]
    urls += [f"{site}/busy/3/5.jpg", f"{site}/busy/99/6.jpg", f"{site}/status/404", f"{site}/status/403",
             f"{site}/empty/", f"{site}/cut/1", "gopher://x/1.jpg"]  # fmt: skip
    pq.write_table(pa.table({"url": urls}), tmp_path / "list.parquet")
    report = score(classifier, ScoreOptions(str(tmp_path / "list.parquet"), tmp_path / "out", part_rows=10))
    rows = pq.read_table(tmp_path / "out").to_pylist()
    assert [row["path"] for row in rows] == urls
    expected = classifier.predict_many([*IMAGES[:30], IMAGES[5]])
    assert [row["label"] for row in rows[:31]] == [prediction.label for prediction in expected]
    tried = f"the file can't be fetched, tried {DEFAULT_POLICY.tries} times"
    assert [row["error"].removeprefix(row["path"]) for row in rows[31:34]] == [
        f": {tried} (HTTP 503 Service Unavailable)",
        ": there is no such file",
        ": the file can't be fetched (HTTP 403 Forbidden)",
    ]
    assert rows[34]["error"].endswith("the file is empty (0 bytes)")
    assert tried in rows[35]["error"]
    assert "gopher" in rows[36]["error"]
    asked = Site.asked
    assert (asked["/busy/3/5.jpg"], asked["/status/404"], asked["/status/403"]) == (4, 1, 1)
    assert asked["/busy/99/6.jpg"] == asked["/cut/1"] == DEFAULT_POLICY.tries
    assert report.counts.errors == {tried: 2, "the file can't be fetched": 2, "there is no such file": 1,
                                    "the file is empty": 1}  # fmt: skip


def test_redirects_that_lead_nowhere_are_followed_once(site: str) -> None:
    with pytest.raises(ImageError, match=r"the file can't be fetched \(too many redirects\)$"):
        fetch(f"{site}/circle/1.jpg")
    assert Site.asked["/circle/1.jpg"] < 20


@pytest.mark.parametrize(("path", "sent"), [
    ("/sized?url=http%3A%2F%2Fx%2Fy%20z&s=b%3D/1.jpg", "/sized?url=http%3A%2F%2Fx%2Fy%20z&s=b%3D/1.jpg"),
    ("/a b/\u00e9/2.jpg", "/a%20b/%C3%A9/2.jpg"),
    ("/100%/3.jpg", "/100%25/3.jpg"),
])  # fmt: skip
def test_a_url_is_sent_as_it_is_where_all_is_escaped(site: str, path: str, sent: str) -> None:
    fetch(site + path, threading.Event())
    assert Site.asked[sent] == 1


@pytest.mark.parametrize("form", ["file://{}", "FILE://{}", "file://localhost{}"])
def test_a_file_may_be_named_by_a_url(form: str, tmp_path: Path) -> None:
    photo = tmp_path / "a b%.jpg"
    photo.write_bytes(IMAGES[0].read_bytes())
    url = form.format(quote(str(photo)))
    (tmp_path / "list.csv").write_text(f"url\n{url}\n")
    assert [entry.source for where in (url, str(tmp_path / "list.csv")) for entry in list_inputs(where)] == [
        str(photo)
    ] * 2


def test_a_protocol_that_needs_a_host_is_refused_in_a_line() -> None:
    with pytest.raises(UsageError, match="ftp://: can't be read from here"):
        storage.resolve("ftp://host/a.jpg")


def test_no_more_is_fetched_than_a_photo_may_have(site: str) -> None:
    assert len(fetch(f"{site}/endless/1")) <= DEFAULT_LIMITS.bytes + (1 << 20)
    assert Site.sent < 2 * DEFAULT_LIMITS.bytes


def test_photos_that_nobody_waits_for_are_given_up(site: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/1.jpg"
        loading = load([Input(url, url)] * 100, None)
        photo = next(loading)
        assert isinstance(photo, LazyPhoto)
        loading.close()
        with pytest.raises(ImageError, match="no longer waited for"):
            photo.read()


def test_a_table_at_a_url_that_fails_is_one_line(site: str) -> None:
    with pytest.raises(UsageError, match=r"no such file"):
        list(list_inputs(f"{site}/status/404/list.csv?signature=x*y"))


class Faults:
    """Between client and S3 server: fails the first requests of some keys, the others pass."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self.application, self.left, self.asked = application, Counter[str](), Counter[str]()

    def __call__(self, environment: dict[str, Any], start: Callable[..., Any]) -> Any:
        key = environment["PATH_INFO"].removeprefix(f"/{BUCKET}/")
        self.asked[key] += 1
        if self.left[key] > 0:
            self.left[key] -= 1
            start("500 Internal Server Error", [("Content-Type", "text/xml")])
            return [b"<Error><Code>InternalError</Code><Message>try again</Message></Error>"]
        return self.application(environment, start)


@pytest.fixture(scope="module")
def s3() -> Iterator[Faults]:
    pytest.importorskip("s3fs", reason="needs the extra s3")
    server = pytest.importorskip("moto.server", reason="needs the extra dev")
    serving = pytest.importorskip("werkzeug.serving")
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        faults = Faults(server.DomainDispatcherApplication(server.create_backend_app))
        running = serving.make_server("127.0.0.1", 0, faults, threaded=True)
        threading.Thread(target=running.serve_forever, daemon=True).start()
        stack.callback(running.shutdown)
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{running.server_port}")
        storage._file_system.cache_clear()
        files, _ = storage.resolve(f"s3://{BUCKET}")
        files.mkdir(BUCKET)
        for i, path in enumerate(IMAGES[:12]):
            files.pipe_file(f"{BUCKET}/photos/{i % 3}/{path.name}", path.read_bytes())
        files.pipe_file(f"{BUCKET}/photos/empty.jpg", b"")
        files.pipe_file(f"{BUCKET}/photos/notes.txt", b"text")
        yield faults
        storage._file_system.cache_clear()


def test_a_bucket_is_scored_with_faults_retried_then_told(s3: Faults, classifier: Classifier, tmp_path: Path) -> None:
    where = f"s3://{BUCKET}/photos"
    names = [entry.path for entry in list_inputs(where)]
    assert names == sorted(names)
    assert len(names) == 13
    passing, lasting = (name.removeprefix(f"s3://{BUCKET}/") for name in names[2:4])
    s3.left.update({passing: 3, lasting: 99})
    s3.asked.clear()
    score(classifier, ScoreOptions(where, tmp_path / "out", part_rows=5))
    rows = pq.read_table(tmp_path / "out").to_pylist()
    assert [row["path"] for row in rows] == names
    assert {row["path"] for row in rows if row["error"]} == {names[3], f"s3://{BUCKET}/photos/empty.jpg"}
    assert f"tried {DEFAULT_POLICY.tries} times" in rows[3]["error"]
    assert (s3.asked[passing], s3.asked[lasting], s3.asked[names[0].removeprefix(f"s3://{BUCKET}/")]) == (4, 5, 1)
    local = {path.name: path for path in IMAGES}
    good = [row for row in rows if not row["error"]]
    answers = classifier.predict_many(local[Path(row["path"]).name] for row in good)
    assert [row["label"] for row in good] == [prediction.label for prediction in answers]


def test_globs_and_tables_of_a_bucket(s3: Faults) -> None:
    files, _ = storage.resolve(f"s3://{BUCKET}")
    expected = [f"s3://{key}" for key in sorted(files.glob(f"{BUCKET}/photos/[01]/*.jpg"))]
    assert [entry.path for entry in list_inputs(f"s3://{BUCKET}/photos/[01]/*.jpg")] == expected
    files.pipe_file(f"{BUCKET}/tables/list.csv", b"path\na.jpg\n")
    assert [entry.source for entry in list_inputs(f"s3://{BUCKET}/tables/list.csv")] == [f"s3://{BUCKET}/tables/a.jpg"]
    with pytest.raises(UsageError, match="no such file"):
        list(list_inputs(f"s3://{BUCKET}/tables/none.parquet"))
    with pytest.raises(ImageError, match="there is no such file"):
        fetch(f"s3://{BUCKET}/none.jpg")

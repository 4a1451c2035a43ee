"""Bodies as no honest client sends them: every one is refused with a problem or answered, and the service lives on."""

import gzip
import io
import random
import struct
import zlib
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from helpers.running import IMAGES, TOKEN, Reply, Server, ask, form, problem_of, serving, talk
from PIL import Image

from clothing_classifier.serving.api import PredictQuery
from clothing_classifier.serving.intake import OF_THE_QUERY, safe_name

ALLOWED = {"Authorization": f"Bearer {TOKEN}"}
REFUSALS = {400, 413, 415, 422}
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")


def encoded(kind: str) -> bytes:
    file = io.BytesIO()
    with Image.open(IMAGES[0]) as image:
        image.convert("RGB").resize((160, 200)).save(file, kind)
    return file.getvalue()


def png_of(width: int, height: int, data: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", data or zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def bad_images() -> Iterator[bytes]:
    chance = random.Random(7)
    for kind in FORMATS:
        data = encoded(kind)
        for step in range(30):  # truncations
            yield data[: 1 + step * len(data) // 30]
        for _ in range(25):  # flipped bytes, in the header for the most part
            broken = bytearray(data)
            for _ in range(chance.randint(1, 12)):
                broken[min(len(broken) - 1, int(chance.expovariate(1 / 60)))] = chance.randrange(256)
            yield bytes(broken)
    for size in (0, 1, 2, 3, 15, 16, 17, 511, 512, 513, 4096, 100_000):  # noise, plain or behind a signature
        yield chance.randbytes(size)
        yield b"\xff\xd8\xff" + chance.randbytes(size)
        yield b"\x89PNG\r\n\x1a\n" + chance.randbytes(size)
        yield b"II*\0" + chance.randbytes(size)
        yield b"\0\0\0\x18ftypheic" + chance.randbytes(size)
    for width, height in ((50_000, 50_000), (20_001, 1), (1, 20_001), (8_000, 8_000), (0, 0), (2**31 - 1, 2**31 - 1)):
        yield png_of(width, height)  # bombs
    yield png_of(7_000, 7_000, zlib.compress(b"\0" * 147_007_000, 9))
    yield b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0" * 20
    for text in (
        b'{"url": "http://127.0.0.1/a.jpg"}',
        b"http://127.0.0.1/a.jpg",
        b"<svg></svg>",
        b"%PDF-1.7",
        b"PK\3\4",
    ):
        yield text  # wrong types
        yield text * 1000


def bad_forms() -> Iterator[tuple[bytes, dict[str, str]]]:
    body, headers = form([("a.jpg", encoded("JPEG")), ("b.png", b"x" * 700)])
    for step in range(60):
        yield body[: step * len(body) // 60], headers
    head = b'--b0undary\r\nContent-Disposition: form-data; name="a"; filename="a.jpg"'
    for text in (
        b"", b"--", b"--b0undary", b"--b0undary--", b"--b0undary\r\n", b"--b0undary\r\n\r\n", b"\r\n" * 500,
        b"--b0undary\r\nno header at all\r\n\r\nx\r\n--b0undary--", b"--b0undary\r\n: empty\r\n\r\nx\r\n--b0undary--",
        b"--b0undary\nContent-Disposition: form-data\n\nx\n--b0undary--",
        head + b"\r\nX: " + b"y" * 20_000 + b"\r\n\r\nx\r\n--b0undary--\r\n",
        head + b"".join(b"\r\nX%d: y" % n for n in range(50)) + b"\r\n\r\nx\r\n--b0undary--\r\n",
        head.replace(b"a.jpg", b"") + b"\r\n\r\nx\r\n--b0undary--\r\n",
        head.replace(b"a.jpg", b"\xff\xfe\x00") + b"\r\n\r\nx\r\n--b0undary--\r\n",
        head.replace(b'; filename="a.jpg"', b"; filename*=UTF-8''%E2%82%AC.jpg") + b"\r\n\r\nx\r\n--b0undary--\r\n",
        head.replace(b'; filename="a.jpg"', b"") + b"\r\n\r\nonly a field\r\n--b0undary--\r\n",
    ):  # fmt: skip
        yield text, headers
    for kind in (
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 300,
        "multipart/form-data; boundary=\xff", 'multipart/form-data; boundary="',
        "multipart/form-data;boundary=a;boundary=b",
        "multipart/mixed; boundary=b0undary", "application/json", "a" * 5_000, ";;;;=",
    ):  # fmt: skip
        yield body, {"Content-Type": kind}


def check(reply: Reply) -> None:
    assert reply.status in REFUSALS | {200}, reply
    if reply.status != 200:
        problem_of(reply)


@pytest.mark.slow
def test_bad_images_and_forms_are_refused_or_answered(server: Server) -> None:
    bodies = [(image, {}) for image in bad_images()] + list(bad_forms())
    bodies += [form([("x.jpg", image)]) for image in list(bad_images())[::4]]
    assert len(bodies) >= 500
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    statuses = set()
    for body, headers in bodies:
        connection.request("POST", "/v1/predict", body, headers)
        response = connection.getresponse()
        reply = Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, response.read())
        check(reply)
        statuses.add(reply.status)
    connection.close()
    assert statuses == {200, 400, 415, 422}
    assert ask(server, "/v1/predict", IMAGES[0].read_bytes()).status == 200
    assert not [entry for entry in server.entries() if entry["event"] == "fault"]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_huge_headers_are_a_431(server: Server, sent: bytes) -> None:
    answer = talk(server, sent)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"\r\nx-request-id: " in answer.lower()
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    "sent",
    [
        b"\0" * 100 + b"\r\n\r\n",
        b"HELLO\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999999\r\n\r\nx",
        b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\nx",
        b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_not_http_is_refused(server: Server, sent: bytes) -> None:
    answer = talk(server, sent, end=True)
    assert answer == b"" or answer.split()[1] in (b"400", b"413", b"501"), answer
    assert ask(server, "/healthz").status == 200


@pytest.mark.slow
def test_broken_requests_leave_nothing_but_their_line_in_the_log(log: Path) -> None:
    chance, photo = random.Random(3), IMAGES[0].read_bytes()
    whole = [
        b"POST /v1/predict?top=2 HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(photo) + photo,
        b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(photo) + photo,
        b"GET /v1/model?model=%ff HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ]
    with serving(log, "--model", "wardrobe") as server:
        for _ in range(200):
            request = bytearray(chance.choice(whole))
            for _ in range(chance.randint(0, 6)):
                place = min(len(request) - 1, int(chance.expovariate(1 / 80)))
                request[place : place + chance.randint(0, 9)] = chance.randbytes(chance.randint(0, 9)) or b"x"
            talk(server, bytes(request), end=True)
        assert ask(server, "/healthz").status == 200
        entries = server.entries()
    assert {entry["event"] for entry in entries} == {"listening", "request", "refused"}
    assert 500 not in {entry.get("status") for entry in entries}


def test_ten_thousand_parts_are_refused_early(server: Server) -> None:
    part = b'--b0undary\r\nContent-Disposition: form-data; name="a"; filename="a.jpg"\r\n\r\nx\r\n'
    reply = ask(server, "/v1/predict", part * 10_000 + b"--b0undary--\r\n", form([])[1])
    assert reply.status == 413
    assert "more than 64 photos" in problem_of(reply)["detail"]
    field = b'--b0undary\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
    reply = ask(server, "/v1/predict", field * 10_000 + b"--b0undary--\r\n", form([])[1])
    assert "more than 128 parts" in problem_of(reply)["detail"]


def test_a_stated_length_over_the_limit_is_refused_unread(server: Server) -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 20000001\r\n\r\n"
    answer = talk(server, head)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer


def test_an_upload_without_a_length_is_measured_as_it_comes(strict_server: Server) -> None:
    def pieces() -> Iterator[bytes]:
        yield encoded("JPEG")
        for _ in range(100):
            yield b"\0" * 65_536

    reply = ask(strict_server, "/v1/predict", pieces(), ALLOWED)  # type: ignore[arg-type]
    assert reply.status == 413
    problem_of(reply)


def test_a_large_refused_upload_still_gets_its_answer(strict_server: Server) -> None:
    reply = ask(strict_server, "/v1/predict", encoded("JPEG") + b"\0" * 15_000_000, ALLOWED)
    assert reply.status == 413
    assert reply.headers["connection"] == "close"


def test_a_small_refused_upload_keeps_its_connection(server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("POST", "/v1/predict?top=0", encoded("JPEG"))
        response = connection.getresponse()
        assert response.status == 422
        response.read()
        assert connection.sock is first
    connection.close()


def test_too_many_files_for_this_service(strict_server: Server) -> None:
    body, headers = form([("a.jpg", encoded("JPEG"))] * 5)
    assert ask(strict_server, "/v1/predict", body, headers | ALLOWED).status == 413
    body, headers = form([("a.jpg", encoded("JPEG"))] * 4)
    assert ask(strict_server, "/v1/predict", body, headers | ALLOWED).status == 200


def test_a_name_in_the_encoding_of_other_headers_is_a_files(server: Server) -> None:
    body, headers = form([("a.jpg", encoded("JPEG"))])
    encoded_name = body.replace(b'filename="a.jpg"', b"filename*=UTF-8''%E2%82%AC.jpg")
    [entry] = ask(server, "/v1/predict", encoded_name, headers).json()["predictions"]
    assert (entry["path"], entry["error"]) == ("€.jpg", None)
    unknown = body.replace(b'filename="a.jpg"', b"filename*=idna''x.jpg")
    assert problem_of(ask(server, "/v1/predict", unknown, headers))["detail"].endswith("is in no known encoding")


def test_what_is_asked_in_a_form_is_told_to_go_into_the_query(server: Server) -> None:
    assert set(OF_THE_QUERY) == set(PredictQuery.model_fields)
    body, headers = form([("a.jpg", encoded("JPEG"))])
    field = b'--b0undary\r\nContent-Disposition: form-data; name="min_precision"\r\n\r\n1\r\n'
    reply = ask(server, "/v1/predict", field + body, headers)
    assert (reply.status, "?min_precision=..." in problem_of(reply)["detail"]) == (400, True)


def test_a_compressed_body_is_told_so(server: Server) -> None:
    reply = ask(server, "/v1/predict", gzip.compress(encoded("JPEG")), {"Content-Encoding": "gzip"})
    assert (reply.status, "the encoding gzip is not read" in problem_of(reply)["detail"]) == (400, True)


def test_an_input_that_was_left_blank_is_no_photo(server: Server) -> None:
    body, headers = form([("", b""), ("a.jpg", encoded("JPEG")), ("empty.jpg", b"")])
    entries = ask(server, "/v1/predict", body, headers).json()["predictions"]
    assert [entry["path"] for entry in entries] == ["a.jpg", "empty.jpg"]
    assert problem_of(ask(server, "/v1/predict", *form([("", b"")])))["detail"].startswith("the form holds no file")


def test_names_are_made_safe() -> None:
    assert safe_name(b"../../etc/passwd") == "passwd"
    assert safe_name(b"C:\\photos\\a.jpg") == "a.jpg"
    assert safe_name(b"a\nb\x1b[31m.jpg") == "a\\nb\\x1b[31m.jpg"
    assert safe_name("gpj.\u202eexe".encode()) == "gpj.exe"
    assert safe_name(b"\xff.jpg") == "\ufffd.jpg"
    assert safe_name(b"/") == "unnamed"
    assert len(safe_name(b"a" * 5_000)) == 255

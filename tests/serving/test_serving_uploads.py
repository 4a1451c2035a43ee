"""Bodies that no honest client sends: each is refused with a problem or answered, and the service lives on."""

import io
import random
import struct
import zlib
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from helpers.running import ALLOWED, IMAGES, Reply, Server, ask, form, problem_of, serving, talk
from PIL import Image

from clothing_classifier.serving.api import PredictQuery
from clothing_classifier.serving.uploads import QUERY_PARAMETERS, safe_name

HEAD = b'--b0undary\r\nContent-Disposition: form-data; name="a"; filename="a.jpg"'


def encoded(kind: str = "JPEG") -> bytes:
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
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        data = encoded(kind)
        for step in range(30):  # truncations
            yield data[: 1 + step * len(data) // 30]
        for _ in range(25):  # flipped bytes, most of them in the header
            broken = bytearray(data)
            for _ in range(chance.randint(1, 12)):
                broken[min(len(broken) - 1, int(chance.expovariate(1 / 60)))] = chance.randrange(256)
            yield bytes(broken)
    for size in (0, 1, 2, 3, 15, 16, 17, 511, 512, 513, 4096, 100_000):  # noise, plain or behind a signature
        for start in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"\0\0\0\x18ftypheic"):
            yield start + chance.randbytes(size)
    for width, height in ((50_000, 50_000), (20_001, 1), (1, 20_001), (8_000, 8_000), (0, 0), (2**31 - 1, 2**31 - 1)):
        yield png_of(width, height)  # decompression bombs
    yield png_of(7_000, 7_000, zlib.compress(b"\0" * 147_007_000, 9))
    yield b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0" * 20
    for text in (
        b'{"url": "http://127.0.0.1/a.jpg"}',
        b"http://127.0.0.1/a.jpg",
        b"<svg></svg>",
        b"%PDF-1.7",
        b"PK\3\4",
    ):
        yield text
        yield text * 1000


def bad_forms() -> Iterator[tuple[bytes, dict[str, str]]]:
    body, headers = form([("a.jpg", encoded()), ("b.png", b"x" * 700)])
    for step in range(60):
        yield body[: step * len(body) // 60], headers
    end = b"\r\n\r\nx\r\n--b0undary--\r\n"
    for text in (
        b"", b"--", b"--b0undary", b"--b0undary--", b"--b0undary\r\n", b"--b0undary\r\n\r\n", b"\r\n" * 500,
        b"--b0undary\r\nno header at all" + end, b"--b0undary\r\n: empty" + end,
        b"--b0undary\nContent-Disposition: form-data\n\nx\n--b0undary--",
        HEAD + b"\r\nX: " + b"y" * 20_000 + end,
        HEAD + b"".join(b"\r\nX%d: y" % n for n in range(50)) + end,
        HEAD.replace(b"a.jpg", b"") + end,
        HEAD.replace(b"a.jpg", b"\xff\xfe\x00") + end,
        HEAD.replace(b'; filename="a.jpg"', b"; filename*=UTF-8''%E2%82%AC.jpg") + end,
        HEAD.replace(b'; filename="a.jpg"', b"") + end,
        HEAD.replace(b'; filename="a.jpg"', b"") + b"\r\n\r\n" + b"x" * 100_000 + end,
    ):  # fmt: skip
        yield text, headers
    for kind in (
        "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 300,
        "multipart/form-data; boundary=\xff", 'multipart/form-data; boundary="',
        "multipart/form-data;boundary=a;boundary=b", "multipart/mixed; boundary=b0undary", "application/json",
        "a" * 5_000, ";;;;=", "application/x-www-form-urlencoded",
    ):  # fmt: skip
        yield body, {"Content-Type": kind}
    for charset in ("idna", "punycode", "base64", "utf-16", "no-such"):
        named = form([("\xfc" * 70 + ".jpg", encoded())])[0]
        yield named, {"Content-Type": f"{headers['Content-Type']}; charset={charset}"}


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
        if reply.status != 200:
            problem_of(reply)
        statuses.add(reply.status)
    connection.close()
    assert statuses == {200, 400, 415, 422}
    assert ask(server, "/v1/predict", IMAGES[0].read_bytes()).status == 200
    assert not [entry for entry in server.entries() if entry["event"] == "fault"]


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n",
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
    assert [entry for entry in entries if entry["event"] not in ("listening", "request")] == []
    assert 500 not in {entry.get("status") for entry in entries}


def test_ten_thousand_parts_are_refused_early(server: Server) -> None:
    part, headers = HEAD + b"\r\n\r\nx\r\n", form([])[1]
    for repeated, kind in ((part, "files"), (part.replace(b'; filename="a.jpg"', b""), "fields")):
        reply = ask(server, "/v1/predict", repeated * 10_000 + b"--b0undary--\r\n", headers)
        assert reply.status == 413
        assert f"Too many {kind}. Maximum number of {kind} is 64" in problem_of(reply)["detail"]


def test_a_stated_length_over_the_limit_is_refused_unread(server: Server) -> None:
    head = b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 20000001\r\n\r\n"
    answer = talk(server, head)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer


def test_an_upload_without_a_length_is_measured_as_it_comes(strict_server: Server) -> None:
    def pieces() -> Iterator[bytes]:
        yield encoded()
        for _ in range(100):
            yield b"\0" * 65_536

    reply = ask(strict_server, "/v1/predict", pieces(), ALLOWED)  # type: ignore[arg-type]
    assert reply.status == 413
    problem_of(reply)


def test_a_refused_upload_still_gets_its_answer_and_keeps_its_connection(strict_server: Server) -> None:
    connection = HTTPConnection("127.0.0.1", strict_server.port, timeout=20)
    connection.connect()
    first = connection.sock
    for body, query, status in ((b"\0" * 15_000_000, "", 413), (b"no image" * 99_999, "", 415), (b"", "?top=0", 422)):
        connection.request("POST", f"/v1/predict{query}", body or encoded(), ALLOWED)
        response = connection.getresponse()
        assert (response.status, connection.sock is first) == (status, True)
        response.read()
    connection.close()


def test_too_many_files_for_this_service(strict_server: Server) -> None:
    body, headers = form([("a.jpg", encoded())] * 5)
    assert ask(strict_server, "/v1/predict", body, headers | ALLOWED).status == 413
    body, headers = form([("a.jpg", encoded())] * 4)
    assert ask(strict_server, "/v1/predict", body, headers | ALLOWED).status == 200


def test_a_form_of_other_things_is_told_what_to_do(server: Server) -> None:
    assert set(QUERY_PARAMETERS) == set(PredictQuery.model_fields)
    body, headers = form([("a.jpg", encoded())])
    field = b'--b0undary\r\nContent-Disposition: form-data; name="min_precision"\r\n\r\n1\r\n'
    for content, more, said in (
        (field + body, {}, "?min_precision=..."),
        (body, {"Content-Encoding": "gzip"}, "content encoding gzip is not supported"),
        (body[:-20], {}, "ends before its closing boundary"),
        (form([("", b"")])[0], {}, "the form holds no file"),
    ):
        reply = ask(server, "/v1/predict", content, headers | more)
        assert (reply.status, said in problem_of(reply)["detail"]) == (400, True)


def test_an_input_that_was_left_blank_is_no_photo(server: Server) -> None:
    body, headers = form([("", b""), ("a.jpg", encoded()), ("empty.jpg", b"")])
    entries = ask(server, "/v1/predict", body, headers).json()["predictions"]
    assert [entry["path"] for entry in entries] == ["a.jpg", "empty.jpg"]


def test_names_are_made_safe() -> None:
    assert safe_name("../../etc/passwd") == "passwd"
    assert safe_name("C:\\photos\\a.jpg") == "a.jpg"
    assert safe_name("a\nb\x1b[31m.jpg") == "a\\nb\\x1b[31m.jpg"
    assert safe_name("gpj.\u202eexe") == "gpj.exe"
    assert safe_name("/") == "unnamed"
    assert len(safe_name("a" * 5_000)) == 255

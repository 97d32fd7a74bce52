"""Downloads and forms against scripted servers on loopback."""

import io
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from werkzeug.formparser import parse_form_data
from werkzeug.test import EnvironBuilder

from hubconnect.connectors.addresses import NetworkPolicy
from hubconnect.connectors.base import Context
from hubconnect.connectors.connections import UnreachableError
from hubconnect.connectors.errors import AttentionError, RecordError, TemporaryError
from hubconnect.connectors.limits import MemoryRateLimiter
from hubconnect.connectors.streams import FORM_TYPE, Form, Upload, download
from tests.unit.connectors.scripted_server import Reply, serving


def context_of(*allowed: str) -> Context:
    return Context(
        limiter=MemoryRateLimiter(),
        addresses=NetworkPolicy(allowed),
        request_timeout=timedelta(seconds=5),
    )


LOOPBACK = context_of("127.0.0.0/8", "::1")


def fetch(url: str, context: Context = LOOPBACK) -> tuple[int, bytes]:
    with download(url, context) as opened:
        return opened.status, b"".join(opened.chunks)


def test_a_file_comes_in_pieces_and_no_token_goes_out() -> None:
    content = bytes(range(256)) * 3000
    with serving(Reply(body=content)) as server, download(f"{server.url}/x", LOOPBACK) as opened:
        pieces = list(opened.chunks)
    (_, _, headers, _) = server.seen[0]

    assert b"".join(pieces) == content
    assert len(pieces) > 1
    assert opened.headers["Content-Length"] == str(len(content))
    assert not {"authorization", "cookie"} & {name.lower() for name in headers}


def test_a_redirect_to_another_host_is_followed_without_a_token() -> None:
    with serving(Reply(body=b"there")) as other:
        to = Reply(302, headers={"Location": f"{other.url}/file"})
        with serving(to) as first:
            assert fetch(f"{first.url}/x") == (200, b"there")
        assert [(method, path) for method, path, _, _ in other.seen] == [("GET", "/file")]


def test_a_redirect_to_an_address_that_is_not_allowed_is_refused() -> None:
    to = Reply(302, headers={"Location": "http://10.1.2.3/metadata"})
    with serving(to) as server, pytest.raises(AttentionError, match=r"10\.1\.2\.3"):
        fetch(server.url)


def test_a_private_address_is_refused() -> None:
    with serving(Reply()) as server:
        with pytest.raises(AttentionError):
            fetch(server.url, context_of())
        assert server.seen == []


def test_redirects_without_end_are_given_up() -> None:
    with serving(Reply(302, headers={"Location": "/again"})) as server:
        with pytest.raises(TemporaryError, match="without end"):
            fetch(server.url)
        assert len(server.seen) < 10


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "nonsense", "https://["]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(AttentionError):
        fetch(url)


def test_an_absent_file_is_for_the_caller_to_judge() -> None:
    with serving(Reply(404, b"no")) as server:
        assert fetch(server.url) == (404, b"no")


def test_a_busy_host_is_tried_later() -> None:
    with serving(Reply(503)) as server, pytest.raises(TemporaryError, match="503"):
        fetch(server.url)


def test_a_dropped_connection_is_tried_later() -> None:
    with serving(Reply(drops=True)) as server, pytest.raises(UnreachableError):
        fetch(server.url)


def test_content_shorter_than_announced_is_no_content() -> None:
    short = Reply(body=b"half", headers={"Content-Length": "99", "Connection": "close"})
    with serving(short) as server, pytest.raises(TemporaryError):
        fetch(server.url)


def form_of(name: str, content: bytes, size: int, **fields: str) -> Form:
    upload = Upload(name=name, media_type="text/plain", size=size, open=lambda: io.BytesIO(content))
    return Form(fields, upload)


@pytest.mark.parametrize(
    "name", ["plan.txt", "Übersicht (1).csv", 'a"b.txt', "a\r\nX-Evil: 1.txt", "\ud83d"]
)
@pytest.mark.parametrize("content", [b"", b"\r\n--x", bytes(200_000)])
def test_a_form_is_what_a_server_reads(name: str, content: bytes) -> None:
    form = form_of(name, content, len(content), fileName=name, options='{"access":"PRIVATE"}')
    body = b"".join(form)
    environ = EnvironBuilder(
        method="POST",
        input_stream=io.BytesIO(body),
        content_length=len(body),
        content_type=FORM_TYPE,
    ).get_environ()
    _, fields, files = parse_form_data(environ)

    assert len(body) == len(form)
    assert fields["options"] == '{"access":"PRIVATE"}'
    assert set(fields) == {"fileName", "options"}
    with files["file"].stream as stream:
        assert stream.read() == content
    assert "\n" not in (files["file"].filename or "")


@pytest.mark.parametrize("size", [3, 5])
def test_a_form_whose_file_changed_is_not_sent_to_the_end(size: int) -> None:
    with pytest.raises(RecordError, match=r"plan\.txt"):
        list(form_of("plan.txt", b"four", size))


def test_a_form_closes_its_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.txt"
    path.write_bytes(b"four")
    opened = path.open("rb")
    form = Form({}, Upload(name="plan.txt", media_type="", size=4, open=lambda: opened))
    form.read()
    form.close()

    assert opened.closed


def test_a_redirect_to_nowhere_is_refused() -> None:
    to = Reply(302, headers={"Location": "http://["})
    with serving(to) as server, pytest.raises(AttentionError):
        fetch(server.url)


def test_no_file_can_end_its_part_of_a_form() -> None:
    """Who knows the boundary could make a file public: its content would go on with fields."""
    ask = "from hubconnect.connectors.streams import BOUNDARY; print(BOUNDARY)"
    told = {
        subprocess.run([sys.executable, "-c", ask], capture_output=True, check=True).stdout  # noqa: S603 - our own code
        for _ in range(2)
    }

    assert len(told) == 2

"""A server on loopback that gives scripted replies."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DATE = "Mon, 05 Jan 2026 09:12:44 GMT"


@dataclass
class Reply:
    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    drops: bool = False


@dataclass
class Server:
    """Gives the scripted replies one after the other, the last one for ever."""

    replies: list[Reply]
    url: str = ""
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def next_reply(self) -> Reply:
        return self.replies[min(len(self.seen), len(self.replies)) - 1]


def handler_of(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer leaves in one piece: no waiting for its acknowledgement

        def answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            server.seen.append((self.command, self.path, dict(self.headers), body))
            reply = server.next_reply()
            if reply.drops:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response_only(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            self.send_header("Date", DATE)
            for name, text in reply.headers.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = answer  # noqa: N815 - names of http.server

    return Handler


@contextmanager
def serving(*replies: Reply) -> Iterator[Server]:
    server = Server(list(replies))
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(server))
    httpd.daemon_threads = True
    server.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()

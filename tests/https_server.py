#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTPS server whose paths misbehave in known ways.

Makes a private CA and a certificate for 127.0.0.1 and localhost (ca.pem;
other-ca.pem has signed nothing), listens on 127.0.0.1 and 127.0.0.2, prints
the HTTPS port, the HTTP port and the certificates' directory, a line each, and
serves until its standard input ends, so that neither it nor its files can
outlive who started it.
"""

import http.server
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

OPENSSL_TIMEOUT_S = 60


def openssl(directory, *arguments):
    subprocess.run(("openssl",) + arguments, cwd=directory, check=True,
                   timeout=OPENSSL_TIMEOUT_S, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(directory):
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
           "-nodes", "-days", "2")
    with open(os.path.join(directory, "server.ext"), "w") as extensions:
        extensions.write("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name in ("ca", "other-ca"):
        openssl(directory, "req", "-x509", *key, "-subj", f"/CN=test {name}",
                "-keyout", f"{name}.key", "-out", f"{name}.pem")
    openssl(directory, "req", *key, "-subj", "/CN=test server",
            "-keyout", "server.key", "-out", "server.csr")
    openssl(directory, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "server.ext", "-out", "server.pem")


class Counters:
    """What the tests ask for at /connections and /waiting."""

    def __init__(self):
        self.lock = threading.Lock()
        self.connections = 0
        self.waiting = 0

    def add(self, name, change):
        with self.lock:
            setattr(self, name, getattr(self, name) + change)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    drop_next = False

    def log_message(self, *arguments):
        pass

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def reply(self, body, status=200, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do_POST(self):
        if self.drop_next:
            self.close_connection = True
            return
        body = self.read_body()
        path = self.path[1:].partition("?")[0]
        name, _, argument = path.partition("/")
        getattr(self, "path_" + name.replace("-", "_"))(argument, body)

    do_GET = do_POST
    do_PUT = do_POST

    def path_echo(self, _, body):
        """The request, readable, then an empty line and the body."""
        head = f"{self.requestline}\n" + "".join(
            f"{name.lower()}: {value}\n" for name, value in
            self.headers.items())
        self.reply(head.encode() + b"\n" + body)

    def path_bytes(self, count, _):
        self.reply(b"x" * int(count))

    def path_chunked(self, _, body):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for byte in body:
            self.wfile.write(b"1\r\n" + bytes([byte]) + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def path_status(self, status, _):
        self.reply(b"{}", int(status), (("X-Amzn-RequestId", "request-7"),
                                        ("Location", "/bytes/5")))

    def path_slow(self, *_):
        """Never answers; ends when the client goes."""
        self.server.counters.add("waiting", 1)
        self.rfile.read(1)
        self.server.counters.add("waiting", -1)
        self.close_connection = True

    def path_drip(self, *_):
        """A byte now and then, without an end."""
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        self.server.counters.add("waiting", 1)
        try:
            while True:
                self.wfile.write(b"x")
                time.sleep(0.02)
        finally:
            self.server.counters.add("waiting", -1)

    def path_cut(self, *_):
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"only this")
        self.close_connection = True

    def path_headers(self, *_):
        """Headers without an end."""
        self.send_response(200)
        while True:
            self.send_header("X-More", "and more")
            self.flush_headers()

    def path_garbage(self, *_):
        self.wfile.write(b"hunter2 is no status line\r\n\r\n")
        self.close_connection = True

    def path_close(self, *_):
        """Closes after the answer, without having said so."""
        self.reply(b"closing")
        self.close_connection = True

    def path_drop_next(self, *_):
        """Closes in answer to the next request of this connection."""
        self.reply(b"dropping")
        self.drop_next = True

    def path_connections(self, *_):
        self.reply(str(self.server.counters.connections).encode())

    def path_waiting(self, *_):
        self.reply(str(self.server.counters.waiting).encode())


class Server(http.server.ThreadingHTTPServer):
    """Counts what it accepts; shakes hands in the connection's thread."""

    request_queue_size = 128

    def __init__(self, address, counters, context=None):
        super().__init__(address, Handler)
        self.counters = counters
        self.context = context
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_request(self):
        connection, address = super().get_request()
        if self.context:
            self.counters.add("connections", 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def finish_request(self, request, client_address):
        if not self.context:
            super().finish_request(request, client_address)
            return
        with self.context.wrap_socket(request, server_side=True) as connection:
            super().finish_request(connection, client_address)

    def handle_error(self, request, client_address):
        """Broken handshakes and connections are what the tests are for."""


def serve(directory):
    make_certificates(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(directory, "server.pem"),
                            os.path.join(directory, "server.key"))
    counters = Counters()
    https = Server(("127.0.0.1", 0), counters, context)
    Server(("127.0.0.2", https.server_port), counters, context)
    plain = Server(("127.0.0.1", 0), counters)
    print(https.server_port, plain.server_port, directory, sep="\n",
          flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="secretsfs-test-") as scratch:
        serve(scratch)

# SPDX-License-Identifier: Apache-2.0
"""A real proxy, small: CONNECT and nothing else, with a password if it is
given one. It counts what it was asked, and never sees what goes through."""

import base64
import contextlib
import select
import socket
import socketserver
import threading

_LINGER_SECONDS = 20


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        request = self.rfile.readline().decode("latin-1").split()
        headers = {}
        for line in iter(lambda: self.rfile.readline().strip(), b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        if len(request) != 3 or request[0] != "CONNECT":
            self.server.proxy.others.append(" ".join(request))
            self.wfile.write(b"HTTP/1.1 405 only CONNECT\r\n\r\n")
            return
        self.server.proxy.note(request[1], headers)
        wanted = self.server.proxy.authorization
        if wanted and headers.get("proxy-authorization") != wanted:
            self.wfile.write(b"HTTP/1.1 407 who are you\r\n"
                             b"Proxy-Authenticate: Basic realm=\"x\"\r\n"
                             b"Content-Length: 0\r\n\r\n")
            return
        self._tunnel(request[1])

    def _tunnel(self, target):
        host, _, port = target.rpartition(":")
        with socket.create_connection((host.strip("[]"), int(port)),
                                      _LINGER_SECONDS) as there:
            self.wfile.write(b"HTTP/1.1 200 go ahead\r\n\r\n")
            self.wfile.flush()
            ends = {self.connection: there, there: self.connection}
            while True:
                ready, _, _ = select.select(list(ends), [], [],
                                            _LINGER_SECONDS)
                for end in ready:
                    taken = end.recv(65536)
                    if not taken:
                        return
                    ends[end].sendall(taken)
                if not ready:
                    return


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, *_):
        """Ends that hang up are the tests' matter."""


class ConnectProxy:
    def __init__(self, user=None, password=None):
        self.authorization = None
        self._login = ""
        if user:
            self._login = f"{user}:{password}@"
            pair = f"{user}:{password}".encode()
            self.authorization = "Basic " + base64.b64encode(pair).decode()
        self.targets = []   # of each CONNECT
        self.headers = []   # likewise
        self.others = []    # what was no CONNECT
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self

    @property
    def url(self):
        return f"http://{self._login}127.0.0.1:" \
               f"{self._server.server_address[1]}"

    def note(self, target, headers):
        with self._lock:
            self.targets.append(target)
            self.headers.append(headers)

    @contextlib.contextmanager
    def running(self):
        thread = threading.Thread(target=self._server.serve_forever,
                                  kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

# SPDX-License-Identifier: Apache-2.0
"""A private certificate authority, made by the openssl command."""

import os

from lib.process import run_ok

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2")


class Authority:
    """Certificates below one root; .ca is what clients must trust."""

    def __init__(self, directory, name="ca"):
        self.directory = directory
        self.ca = os.path.join(directory, f"{name}.pem")
        self._key = os.path.join(directory, f"{name}.key")
        run_ok("openssl", "req", "-x509", *_NEW_KEY,
               "-subj", f"/CN=secretsfs test {name}",
               "-addext", "keyUsage=critical,keyCertSign",
               "-keyout", self._key, "-out", self.ca)

    def issue(self, name, subject="IP:127.0.0.1,DNS:localhost"):
        """A server certificate: the paths of certificate and key."""
        certificate = os.path.join(self.directory, f"{name}.pem")
        key = os.path.join(self.directory, f"{name}.key")
        run_ok("openssl", "req", "-x509", *_NEW_KEY, "-subj", f"/CN={name}",
               "-CA", self.ca, "-CAkey", self._key,
               "-addext", f"subjectAltName={subject}",
               "-addext", "basicConstraints=critical,CA:false",
               "-keyout", key, "-out", certificate)
        return certificate, key

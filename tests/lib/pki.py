# SPDX-License-Identifier: Apache-2.0
"""A private certificate authority, made by the openssl command."""

import datetime
import os

from lib.place import write_file
from lib.process import run_ok

_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes")
_DAYS = ("-days", "2")

# "openssl req" signs from now on only; "openssl ca" also the past, and wants
# to keep books for it.
_BOOKS = """[ca]
default_ca = authority
[authority]
new_certs_dir = {directory}
database = {directory}/{name}.index
serial = {directory}/{name}.serial
certificate = {ca}
private_key = {key}
default_md = sha256
policy = policy
x509_extensions = server
[policy]
commonName = supplied
[server]
subjectAltName = {subject}
basicConstraints = critical,CA:false
"""


def _asn1_time(moment):
    return moment.strftime("%Y%m%d%H%M%SZ")


class Authority:
    """Certificates below one root; .ca is what clients must trust."""

    def __init__(self, directory, name="ca"):
        self.directory = directory
        self.ca = os.path.join(directory, f"{name}.pem")
        self._key = os.path.join(directory, f"{name}.key")
        run_ok("openssl", "req", "-x509", *_NEW_KEY, *_DAYS,
               "-subj", f"/CN=secretsfs test {name}",
               "-addext", "keyUsage=critical,keyCertSign",
               "-keyout", self._key, "-out", self.ca)

    def _path(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, subject="IP:127.0.0.1,DNS:localhost"):
        """A server certificate: the paths of certificate and key."""
        certificate, key = self._path(f"{name}.pem"), self._path(f"{name}.key")
        run_ok("openssl", "req", "-x509", *_NEW_KEY, *_DAYS,
               "-subj", f"/CN={name}", "-CA", self.ca, "-CAkey", self._key,
               "-addext", f"subjectAltName={subject}",
               "-addext", "basicConstraints=critical,CA:false",
               "-keyout", key, "-out", certificate)
        return certificate, key

    def issue_expired(self, name, subject="IP:127.0.0.1,DNS:localhost"):
        """One whose last day was yesterday."""
        certificate, key = self._path(f"{name}.pem"), self._path(f"{name}.key")
        request, books = self._path(f"{name}.csr"), self._path(f"{name}.conf")
        day = datetime.timedelta(days=1)
        end = datetime.datetime.now(datetime.timezone.utc) - day
        write_file(self._path(f"{name}.index"), "")
        write_file(self._path(f"{name}.serial"), "01\n")
        write_file(books, _BOOKS.format(
            name=name, directory=self.directory, ca=self.ca, key=self._key,
            subject=subject))
        run_ok("openssl", "req", "-new", *_NEW_KEY, "-subj", f"/CN={name}",
               "-keyout", key, "-out", request)
        run_ok("openssl", "ca", "-batch", "-notext", "-config", books,
               "-startdate", _asn1_time(end - day),
               "-enddate", _asn1_time(end), "-in", request,
               "-out", certificate)
        return certificate, key

# SPDX-License-Identifier: Apache-2.0
"""All that needs OpenSSL, where nothing but its FIPS provider is to be had:
signatures, digests, sealing, TLS, and from them a secret in a file.

Debian has no such provider (its openssl is built without). SECRETSFS_FIPS_MODULE
names one, a fips.so, that is elsewhere than where OpenSSL looks itself."""

import contextlib
import os
import re
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import ASSUME, GET
from lib.mounting import mounted_at
from lib.place import built, write_file
from lib.process import run, run_ok
from lib.reading import read
from lib.scene import PASSWORD, aws_directory
from lib.tap import Skip, case, check, check_equal, main

# What speaks of digests, signatures, keys at rest and TLS.
TESTS = ("tests/test_sigv4", "tests/test_sigv4_vectors", "tests/test_sts",
         "tests/test_pool", "tests/test_parked", "tests/test_credentials",
         "tests/test_key_providers", "tests/test_aws_source",
         "tests/test_http")

# What is not of FIPS is neither loaded nor fetched.
CONFIGURATION = """config_diagnostics = 1
openssl_conf = init
[init]
providers = providers
alg_section = algorithms
[algorithms]
default_properties = fips=yes
[providers]
fips = fips_sect
base = base_sect
[base_sect]
activate = 1
"""


def _openssl_says(what):
    said = run_ok("openssl", "version", what).out.decode()
    return re.search(r'"(.*)"', said)[1]


def _module():
    named = os.environ.get("SECRETSFS_FIPS_MODULE")
    if named:
        return named
    path = os.path.join(_openssl_says("-m"), "fips.so")
    if not os.path.exists(path):
        raise Skip(f"this OpenSSL has no FIPS provider: there is no {path}")
    return path


@contextlib.contextmanager
def _only_fips():
    """This test's mount namespace gets another configuration of OpenSSL, as a
    distribution's would be: programs of ours take none from a variable."""
    module = _module()
    with aws_directory() as (directory, aws):
        installed = os.path.join(directory, "fipsmodule.cnf")
        run_ok("openssl", "fipsinstall", "-module", module, "-out", installed)
        with open(installed, encoding="utf-8") as file:
            section = file.read()
        configuration = write_file(
            os.path.join(directory, "openssl.cnf"),
            f"{CONFIGURATION}{section}module = {module}\n")
        path = os.path.realpath(
            os.path.join(_openssl_says("-d"), "openssl.cnf"))
        run_ok("mount", "--bind", configuration, path)
        try:
            yield directory, aws
        finally:
            run_ok("umount", path)


@case
def nothing_but_FIPS_is_to_be_had():
    with _only_fips():
        providers = run_ok("openssl", "list", "-providers").out.decode()
        check("fips" in providers, providers)
        check("default" not in providers, providers)
        check(run("openssl", "dgst", "-md5", "/dev/null").code != 0, "md5")


@case
def tests_of_what_uses_OpenSSL_pass():
    with _only_fips():
        for name in TESTS:
            result = run(built(name), cwd=os.environ.get("SECRETSFS_BUILD"),
                         env={"CMOCKA_MESSAGE_OUTPUT": "TAP",
                              "SECRETSFS_SOURCE":
                                  os.environ.get("SECRETSFS_SOURCE", "."),
                              "SECRETSFS_BUILD":
                                  os.environ.get("SECRETSFS_BUILD", ".")},
                         seconds=300)
            check_equal(result.code, 0, f"{name}: {result}"
                        f"{result.out.decode(errors='replace')[-2000:]}")


@case
def a_role_and_a_secret_are_read():
    with _only_fips() as (directory, aws):
        token = write_file(os.path.join(directory, "t/token"), "x.y.z")
        with mounted_at(directory, "app",
                        env=aws.role_environment(token)) as mount:
            check_equal(read(mount.path("password")), PASSWORD)
            with open(f"/proc/{mount.worker_pid()}/maps",
                      encoding="utf-8") as maps:
                check("fips.so" in maps.read(), "the worker has the provider")
        check_equal((aws.calls(ASSUME), aws.calls(GET)), (1, 1))


main()

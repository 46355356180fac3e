# SPDX-License-Identifier: Apache-2.0
"""Every class of docs/examples is mounted, offline, and shows what its
comments say. The same class, from a directory and from AWS, is the same."""

import contextlib
import glob
import os
import stat
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.class_text import class_text, object_text
from lib.moto import moto_server, why_not
from lib.mounting import mount, mounted_at
from lib.place import SOURCE, is_mounted, work_directory, write_file
from lib.reading import check_error, read
from lib.tap import Skip, case, check, check_equal, main

EXAMPLES = os.path.join(SOURCE, "docs", "examples")
DEMO = os.path.join(SOURCE, "contrib", "demo.d")

SESSION = '{"key": "s3ssion", "user": "web"}'
DATABASE = ('{"username": "ada", "pass-word": "p-w", "password": "pw", '
            '"host": "db", "port": 5432, "user": "db", '
            '"replicas": [{"host": "r1"}], "exporter": {"password": "xp"}}')
LEDGER = '{"balance": 1.10}'
OLD_LEDGER = '{"balance": 0.90}'
VERSION = "7d0f1c52-3c5e-4f0e-9a55-2f6c1d1a0b9e"

# The secrets of all examples, by their file names.
SECRETS = {
    "Kontox-secret.json": '{"password": "secret", "list": [1.0, 2]}',
    "billing/ledger.json": LEDGER,
    "billing/ledger@AWSPREVIOUS.json": OLD_LEDGER,
    f"billing/ledger@{VERSION}.json": '{"balance": 7}',
    "mailer": "mail-token",
    "shared/ca": "-----BEGIN CERTIFICATE-----\n",
    "shop/database.json": DATABASE,
    "shop/database/password": "of ssm",
    "shop/database/password@1": "of ssm once",
    "shop/features@live": "a,b",
    "shop/keystore.json": '{"jks": "/u3+7Q==", "passphrase": "pp"}',
    "shop/queue.json": '{"token": "qt", "unseen": "x"}',
    "shop/tls.json": '{"certificate": "crt", "key": "k"}',
    "shop/web.json": '{"color": "red"}',
    "shop/web/session.json": SESSION,
}

_SESSION_FILES = {"shop_web_session": SESSION, "key": "s3ssion",
                  "user": "web"}
_DATABASE_KEYS = {"username": "ada", "pass-word": "p-w", "password": "pw",
                  "host": "db", "port": "5432", "user": "db",
                  "replicas": '[{"host": "r1"}]',
                  "exporter": '{"password": "xp"}'}

# What each example shows. With a tuple: content, mode, uid, gid.
SHOWN = {
    "alias": {"ledger.json": LEDGER, "balance": "1.10"},
    "arn": {"shared-ca": SECRETS["shared/ca"]},
    "assume-role": {"shop_web": SECRETS["shop/web.json"], "color": "red"},
    "decode": {"keystore.json": SECRETS["shop/keystore.json"],
               "keystore.jks": b"\xfe\xed\xfe\xed", "keystore.pass": "pp"},
    "documents --class shop-web": _SESSION_FILES,
    "documents --class shop-database": {"shop_database": DATABASE,
                                        **_DATABASE_KEYS},
    "failover": {"shop_database": DATABASE, **_DATABASE_KEYS,
                 "web.json": SECRETS["shop/web.json"], "color": "red"},
    "file-permission": {
        "tls.json": (SECRETS["shop/tls.json"], 0o440, 0, 0),
        "tls.crt": ("crt", 0o444, 0, 0), "tls.key": ("k", 0o440, 0, 0)},
    "freshness": _SESSION_FILES,
    "jmespath": {"database.json": DATABASE, "user": "ada", "password": "p-w",
                 "replica": "r1", "address": "db:5432"},
    "kontox-secrets": {"Kontox-secret": SECRETS["Kontox-secret.json"],
                       "password": "secret", "list": "[1.0, 2]"},
    "layout-tree": {"web/.value": SECRETS["shop/web.json"],
                    "web/color": "red", "database/.value": DATABASE,
                    "database/password": "pw"},
    "list --class shop/web": _SESSION_FILES,
    "list --class billing/web": {"billing_ledger": LEDGER,
                                 "balance": "1.10"},
    # the first object wins: user is that of the session
    "many": {**_DATABASE_KEYS, **_SESSION_FILES, "shop_database": DATABASE,
             "shared-ca": SECRETS["shared/ca"]},
    # there is no shop/feature-flags
    "optional": _SESSION_FILES,
    "owner": {
        **{name: (content, 0o440, 1000, 2000)
           for name, content in _SESSION_FILES.items()},
        "shop_database": (DATABASE, 0o400, 70, 70),
        # without a group it is the mount's
        "exporter-password": ("xp", 0o400, 9187, 0)},
    "parameters": {"password": "of ssm", "password.first": "of ssm once",
                   "features": "a,b",
                   "shop_keystore": SECRETS["shop/keystore.json"],
                   "jks": "/u3+7Q==", "passphrase": "pp"},
    "path-translation": {"shop-web-session": SESSION, "key": "s3ssion",
                         "user": "web"},
    "path-translation-off": {"shop/web/session": SESSION, "key": "s3ssion",
                             "user": "web", "shop/mail/token": "mail-token"},
    "proxy": {"shop_web": SECRETS["shop/web.json"], "color": "red"},
    "raw": {**_DATABASE_KEYS, "queue-token": "qt"},
    "version": {"ledger.json": '{"balance": 7}', "balance": "7"},
    "version-label": {"ledger.json": LEDGER,
                      "ledger-previous.json": OLD_LEDGER},
}


def _example(name):
    return os.path.join(EXAMPLES, f"{name}.yaml")


def _walk(top):
    """Every file below top: its content, mode, uid and gid, as ls and cat
    show them. Names are listed again once what they need was read."""
    for _, _, files in os.walk(top):
        del files
    found = {}
    for directory, _, files in os.walk(top):
        for name in files:
            path = os.path.join(directory, name)
            status = os.stat(path)
            found[os.path.relpath(path, top)] = (
                read(path), stat.S_IMODE(status.st_mode), status.st_uid,
                status.st_gid)
    return found


def _as_walked(content):
    if not isinstance(content, tuple):
        content = (content, 0o400, 0, 0)
    if isinstance(content[0], str):
        content = (content[0].encode(), *content[1:])
    return content


def _make_secrets(directory):
    top = os.path.join(directory, "secrets.d")
    for name, content in SECRETS.items():
        write_file(os.path.join(top, name), content)
    return top


@contextlib.contextmanager
def _offline(objects, secrets, *options):
    """A class of these texts of objects, over files with these contents."""
    with work_directory() as directory:
        top = os.path.join(directory, "secrets.d")
        os.mkdir(top)
        for name, content in secrets.items():
            write_file(os.path.join(top, name), content)
        path = write_file(os.path.join(directory, "c.yaml"),
                          class_text(*objects))
        with mounted_at(directory, path, "--offline", top,
                        *options) as mounted:
            yield mounted


@case
def there_is_an_expectation_for_each_example():
    names = {os.path.basename(path)[:-len(".yaml")]
             for path in glob.glob(os.path.join(EXAMPLES, "*.yaml"))}
    check_equal({name.split()[0] for name in SHOWN}, names)


@case
def each_example_shows_what_its_comments_say():
    with work_directory() as directory:
        top = _make_secrets(directory)
        for number, (name, wanted) in enumerate(SHOWN.items()):
            example, *options = name.split()
            with mounted_at(directory, _example(example), "--offline", top,
                            *options, name=f"mnt{number}") as mounted:
                check_equal(_walk(mounted.point),
                            {path: _as_walked(content)
                             for path, content in wanted.items()}, name)


@case
def an_optional_secret_that_is_missing_is_ENOENT_and_no_warning():
    with work_directory() as directory:
        top = _make_secrets(directory)
        with mounted_at(directory, _example("optional"),
                        "--offline", top) as mounted:
            check_error(mounted.path("flags.json"), "ENOENT")
            check_error(mounted.path("anything"), "ENOENT")
            check("level=warning" not in mounted.log_text() and
                  "cannot fetch" not in mounted.log_text(),
                  mounted.log_text())


@case
def a_file_of_several_classes_needs_class():
    with work_directory() as directory:
        top = _make_secrets(directory)
        point = os.path.join(directory, "mnt")
        for options, words in (
                ((), "has more than one class: 'web' in line"),
                (("--class", "web"), "has more than one class named web"),
                (("--class", "shop/db"), "has no class named 'shop/db'")):
            result = mount(point, _example("list"), "--offline", top,
                           *options)
            check_equal(result.code, 1, repr(result))
            check(words in result.err, result.err)
            check(not is_mounted(point), "it was mounted")


@case
def a_class_that_is_wrong_is_refused_with_file_and_line():
    with work_directory() as directory:
        path = write_file(os.path.join(directory, "c.yaml"),
                          class_text("- objectName: a"))
        point = os.path.join(directory, "mnt")
        result = mount(point, path, "--offline", directory)
        check_equal(result.code, 1, repr(result))
        check(f"{path}:8: Must use objectType when a full ARN is not "
              "specified: a" in result.err, result.err)
        check(not is_mounted(point), "it was mounted")


@case
def raw_false_hides_the_whole_value():
    with _offline([object_text("a", "raw: false")],
                  {"a.json": '{"k": "v"}'}) as mounted:
        check_equal(os.listdir(mounted.point), ["k"])
        check_error(mounted.path("a"), "ENOENT")


@case
def decode_base64_applies_to_keys_and_plain_values_not_to_JSON():
    keys = '{"a": "AAEC", "b": "not base64!"}'
    with _offline([object_text("obj", "decode: base64"),
                   object_text("flat", "decode: base64")],
                  {"obj.json": keys, "flat": "/w\nA="}) as mounted:
        check_equal(read(mounted.path("a")), b"\0\1\2")
        check_error(mounted.path("b"), "EBADMSG")
        check_equal(read(mounted.path("obj")), keys.encode())
        check_equal(read(mounted.path("flat")), b"\xff\0")


@case
def a_path_to_nothing_is_ENOENT_and_the_log_names_it():
    with _offline([object_text("a", "jmesPath:",
                               "- {path: x.y, objectAlias: nothing}",
                               "- {path: num, objectAlias: number}")],
                  {"a.json": '{"num": 1.50e3}'}) as mounted:
        check_error(mounted.path("nothing"), "ENOENT")
        check("JMES Path - x.y does not point to a valid object" in
              mounted.log_text(), "the log names the path")
        check_equal(read(mounted.path("number")), b"1.50e3")
        check_equal(sorted(os.listdir(mounted.point)), ["a", "number"])


@case
def a_path_into_what_is_not_JSON_is_EBADMSG():
    with _offline([object_text("a", "jmesPath:",
                               "- {path: x, objectAlias: x}")],
                  {"a": "no json"}) as mounted:
        check_error(mounted.path("x"), "EBADMSG")
        check_equal(read(mounted.path("a")), b"no json")
        check("Invalid JSON used with jmesPath in secret" in
              mounted.log_text(), "the log says it")


@case
def names_that_are_not_the_class_s_with_a_leading_dot_ask_nobody():
    with _offline([object_text("a")], {"a.json": "{}"}) as mounted:
        check_error(mounted.path(".hidden"), "ENOENT")
        check("kind=fetch" not in mounted.log_text(), "something was read")


def _demo_from_moto(directory, wanted):
    reason = why_not()
    if reason:
        raise Skip(reason)
    with open(os.path.join(DEMO, "Kontox-secret.json"),
              encoding="utf-8") as file:
        text = file.read()
    with moto_server(directory) as moto:
        moto.put("Kontox-secret", text, region="eu-west-1")
        moto.verify()
        with mounted_at(directory, _example("kontox-secrets"),
                        env=moto.environment(moto.account["reader"]),
                        name="aws") as mounted:
            for name, content in wanted.items():
                check_equal(read(mounted.path(name)), content[0], name)
            check_equal(_walk(mounted.point), wanted)


@case
def kontox_secrets_offline_and_from_AWS_are_the_same_files():
    with work_directory() as directory:
        with mounted_at(directory, _example("kontox-secrets"), "--offline",
                        DEMO, name="offline") as mounted:
            check_equal(read(mounted.path("password")),
                        b"correct horse battery staple")
            shown = _walk(mounted.point)
        check_equal(sorted(shown), ["Kontox-secret", "password", "port",
                                    "replicas", "username"])
        _demo_from_moto(directory, shown)


main()

# SPDX-License-Identifier: Apache-2.0
"""Every class of docs/examples and of the manual pages is right, and the pages
have every key, option and variable."""

import glob
import os
import re

from lib.place import SOURCE, built, work_directory, write_file
from lib.process import run
from lib.tap import case, check, check_equal, main

EXAMPLES = os.path.join(SOURCE, "docs", "examples")

MANUAL = os.path.join(SOURCE, "man", "secretsfs-class.5")


def _read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def _files_of(name):
    """Files and expanded objects of an example, as `check` prints them."""
    result = run(built("secretsfs"), "check",
                 os.path.join(EXAMPLES, name + ".yaml"))
    check_equal(result.code, 0, repr(result))
    return [line.split(maxsplit=2)[2]
            for line in result.out.decode().splitlines()
            if line.startswith("  ")]


@case
def every_example_is_right_without_a_warning():
    paths = sorted(glob.glob(os.path.join(EXAMPLES, "*.yaml")))
    check(len(paths) >= 15, "only", len(paths), "examples in", EXAMPLES)
    for path in paths:
        result = run(built("secretsfs"), "check", "--strict", path)
        check_equal((result.code, result.err), (0, ""), path)


@case
def kontox_secrets_shows_every_key_of_its_secret():
    check_equal(_files_of("kontox-secrets"),
                ["Kontox-secret", "<every key of Kontox-secret>"])


@case
def path_translation_shows_what_its_comments_say():
    check_equal(_files_of("path-translation")[0], "shop-web-session")
    check_equal([name for name in _files_of("path-translation-off")
                 if not name.startswith("<")],
                ["shop/web/session", "shop/mail/token"])


@case
def layout_tree_shows_directories():
    check_equal(_files_of("layout-tree"),
                ["web/.value", "web/<every key of shop/web>",
                 "database/.value", "database/password"])


@case
def classes_of_the_manual_page_are_right():
    blocks = re.findall(r"^\.Bd .*\n(apiVersion:(?:\n|.)*?)^\.Ed",
                        _read(MANUAL), re.MULTILINE)
    check_equal(len(blocks), 2, "classes in the page")
    with work_directory() as directory:
        for block in blocks:
            path = write_file(os.path.join(directory, "c.yaml"), block)
            result = run(built("secretsfs"), "check", "--strict", path)
            check_equal((result.code, result.err), (0, ""), block)


@case
def the_manual_page_has_every_key():
    known = set()
    for path in glob.glob(os.path.join(SOURCE, "src/config/class_*.c")):
        known.update(re.findall(r'\{ "(\w+)",\s+FIELD_', _read(path)))
    check(len(known) > 20, known)
    items = " ".join(re.findall(r"^\.It Cm (.*)", _read(MANUAL),
                                re.MULTILINE))
    check_equal(known - set(items.replace(",", " ").split()), set(),
                "keys that the page does not have")


@case
def the_other_page_has_every_option_and_variable():
    page = _read(os.path.join(SOURCE, "man", "secretsfs.1"))
    told = page.replace(r"\-", "-")
    for command in ((), ("check",)):
        shown = run(built("secretsfs"), *command, "--help").out.decode()
        options = re.findall(r"--([a-z-]+)", shown)
        check(len(options) > 5, shown)
        check_equal([name for name in options if f"-{name}" not in told], [],
                    "options that the page does not have")
    variables = set()
    for path in glob.glob(os.path.join(SOURCE, "src/aws/env*.c")):
        variables.update(re.findall(r'"(AWS_[A-Z0-9_]+)"', _read(path)))
    check(len(variables) > 25, variables)
    words = set(re.split(r"[^A-Z0-9_]+", page))
    check_equal(sorted(variables - words), [],
                "variables that the page does not have")


main(mounts=False)

# SPDX-License-Identifier: Apache-2.0
"""The tree keeps to its rooms: who may include whom, which library is used
where, what is never called, and how long functions and files may get."""

import collections
import glob
import os
import re

from lib.place import SOURCE
from lib.tap import case, check, main

# Which rooms a room may include, besides itself. A name with a slash is one
# header instead of a room.
ROOMS = {
    "base": [],
    "loop": ["base"],
    "config": ["base", "jmespath"],
    "jmespath": ["base"],
    "store": ["base", "jmespath", "loop"],
    "net": ["base", "loop"],
    "aws": ["base", "loop", "net", "store/source.h", "store/value.h"],
    # of the keeper what its notifier is told
    "fs": ["base", "loop", "store", "keeper/notify_order.h"],
    # of base only what is built into libbase_libc.a, as the keeper, too
    "guard": ["base/err.h", "base/macros.h", "base/parse.h"],
    # of the keeper the messages, in which it answers
    "ops": ["base", "loop", "store", "keeper/message.h"],
    # of base only what is built into libbase_libc.a
    "keeper": ["base/err.h", "base/log.h", "base/macros.h", "base/parse.h",
               "base/privacy.h", "base/scrub.h",
               # of guard, which is of libc only as well, its tools
               "guard/call_filter.h", "guard/keeper_calls.h",
               "guard/ruleset.h", "guard/sanitizers.h"],
}

# Foreign headers by the rooms that may include them; in each of these they
# stand in one .c file only, so that a library can be replaced there.
FOREIGN = {
    r"cJSON|cjson/": ["base"],
    # In base to seal, in aws to sign, in net for what it does to plaintext.
    r"openssl/": ["base", "aws", "net"],
    r"sys/epoll\.h": ["loop"],
    r"yaml\.h": ["config"],
    r"curl/": ["net"],
    r"fuse(_\w+)?\.h|fuse3/": ["fs"],
    r"linux/fuse\.h": ["keeper"],
    r"seccomp\.h": ["guard"],
    r"microhttpd\.h": ["ops"],
}

BANNED = ["strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol",
          "atoll", "gets", "bzero", "usleep", "system", "popen", "alloca"]

_READS_ENVIRONMENT = ["main.c", "worker.c", "worker_sandbox.c",
                      "keeper/keeper.c", "keeper/runtime.c",
                      "aws/environment.c"]

# Functions that have one home: everywhere else they are banned.
AT_HOME = {
    "strtol": ["base/"],
    "strtoul": ["base/"],
    "strtoll": ["base/"],
    "strtoull": ["base/"],
    "getenv": _READS_ENVIRONMENT,
    "secure_getenv": _READS_ENVIRONMENT,
    # Compilers leave it out where it would wipe: explicit_bzero() is for that.
    # The keeper has no secrets; it clears what it sends, with the padding.
    "memset": ["keeper/"],
}

FUNCTION_LINES = 60
FILE_LINES = 500

_INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)
_NOISE = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                    re.DOTALL)


def _files(*folders):
    """Text of each C file, by its path below the source directory."""
    found = {}
    for folder in folders:
        pattern = os.path.join(SOURCE, folder, "**", "*.[ch]")
        for path in sorted(glob.glob(pattern, recursive=True)):
            with open(path, encoding="utf-8") as file:
                found[os.path.relpath(path, SOURCE)] = file.read()
    check(found, "no C files below", SOURCE)
    return found


def _inside(path):
    """The path below src/: "room/file.c", or "main.c"."""
    return path.split("/", 1)[1]


def _room(path):
    room, slash, _ = _inside(path).partition("/")
    return room if slash else None


def _code(text):
    """Without comments and strings, but with every line in its place."""
    def blank(match):
        return '""' if match[0][0] in "\"'" else "\n" * match[0].count("\n")
    return _NOISE.sub(blank, text)


def _report(faults):
    faults = list(faults)
    check(not faults, "".join(f"\n{fault}" for fault in faults))


def _may_include(room, header):
    owner = header.partition("/")[0]
    return owner == room or owner in ROOMS[room] or header in ROOMS[room]


@case
def each_room_includes_only_what_is_below_it():
    faults = []
    for path, text in _files("src").items():
        room = _room(path)
        if room is None:
            continue
        check(room in ROOMS, "a room that the table does not have:", path)
        faults += [f"{path} includes {header}"
                   for quote, header in _INCLUDE.findall(text)
                   if quote == '"' and "/" in header and
                   not _may_include(room, header)]
    _report(faults)


@case
def headers_of_ours_are_named_with_their_room():
    _report(f"{path} includes \"{header}\""
            for path, text in _files("src").items()
            for quote, header in _INCLUDE.findall(text)
            if _room(path) and quote == '"' and "/" not in header and
            header != "config.h")


def _library_of(header):
    """The pattern that fits; None for headers of the C library."""
    return next((pattern for pattern in FOREIGN
                 if re.match(pattern, header)), None)


# libfuse's handlers that only refuse are a file of their own, and so are the
# replies; of libcurl what outlives a transfer is one.
ONE_LIBRARY_MORE_FILES = {"fuse_lowlevel.h": 3, "curl/curl.h": 2}


@case
def each_library_has_one_file_a_room():
    users = collections.defaultdict(set)
    faults = []
    for path, text in _files("src").items():
        for quote, header in _INCLUDE.findall(text):
            library = _library_of(header) if quote == "<" else None
            if library is None:
                continue
            room = _room(path)
            if room not in FOREIGN[library] or path.endswith(".h"):
                faults.append(f"{path} includes <{header}>")
            users[(room, header)].add(path)
    faults += [f"<{header}> stands in {', '.join(sorted(paths))}"
               for (_, header), paths in users.items()
               if len(paths) > ONE_LIBRARY_MORE_FILES.get(header, 1)]
    _report(faults)


def _calls(name, text):
    return re.search(rf"(?<![\w.>]){name}\s*\(", text)


@case
def banned_functions_are_not_called():
    _report(f"{path} calls {name}()"
            for path, text in _files("src", "tests", "bench").items()
            for name in BANNED if _calls(name, _code(text)))


@case
def functions_with_one_home_stay_there():
    _report(f"{path} calls {name}()"
            for path, text in _files("src").items()
            for name, homes in AT_HOME.items()
            if not _inside(path).startswith(tuple(homes)) and
            _calls(name, _code(text)))


@case
def there_is_no_goto_and_no_drawer_of_utilities():
    faults = []
    for path, text in _files("src", "tests", "bench").items():
        if re.search(r"\bgoto\b", _code(text)):
            faults.append(f"{path} has a goto")
        if re.search(r"(util|misc|common|helper)s?\.[ch]$", path):
            faults.append(f"{path} has a name that says nothing")
    _report(faults)


@case
def each_file_names_its_license_first():
    _report(f"{path} does not begin with its SPDX line"
            for path, text in _files("src", "tests", "bench").items()
            if not text.startswith(
                "/* SPDX-License-Identifier: Apache-2.0 */\n"))


def _functions(text):
    """(name, lines) of each function: the format puts its braces into the
    first column, alone."""
    start = None
    lines = _code(text).splitlines()
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            head = " ".join(lines[max(0, start - 4):start])
            names = re.findall(r"(\w+)\s*\(", head)
            yield names[-1] if names else "?", number - start + 1
            start = None


@case
def functions_and_files_are_short():
    faults = []
    for path, text in _files("src").items():
        lines = text.count("\n")
        if lines > FILE_LINES:
            faults.append(f"{path} has {lines} lines")
        faults += [f"{path}: {name}() has {length} lines"
                   for name, length in _functions(text)
                   if length > FUNCTION_LINES]
    _report(faults)


main(mounts=False)

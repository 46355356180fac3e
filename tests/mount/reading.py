# SPDX-License-Identifier: Apache-2.0
"""Values come out byte for byte, by whatever way they are read."""

import json
import os
import stat
import subprocess
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import secret_arn
from lib.mounting import mounted_at
from lib.place import built
from lib.process import environment, run, run_ok
from lib.reading import error_of, read
from lib.scene import aws_directory, aws_mount
from lib.tap import case, check, check_equal, main

# The text as it stands in the secret, and what each key must read as.
TEXT = r"""{
  "password": "hunter2",
  "nul": "a\u0000b",
  "utf8": "Grüße € 😀",
  "escaped": "\u00e9\ud83d\ude00\"\\\/\b\f\n\r\t",
  "big": 12345678901234567890,
  "price": 1.10,
  "exponent": 1E+2,
  "yes": true,
  "none": null,
  "empty": "",
  "list": [1, 2.50, {"a":"\u0041"}],
  "nested": { "host" : "db" ,"port":5432 },
  "a/b": "slash",
  "50%": "percent",
  ".dot": "dot",
  "two words": "blank"
}"""

FILES = {
    "password": b"hunter2",
    "nul": b"a\0b",
    "utf8": "Grüße € 😀".encode(),
    "escaped": "é😀\"\\/\b\f\n\r\t".encode(),
    "big": b"12345678901234567890",
    "price": b"1.10",
    "exponent": b"1E+2",
    "yes": b"true",
    "none": b"null",
    "empty": b"",
    "list": rb'[1, 2.50, {"a":"\u0041"}]',
    "nested": b'{ "host" : "db" ,"port":5432 }',
    "a%2Fb": b"slash",
    "50%25": b"percent",
    "%2Edot": b"dot",
    "two words": b"blank",
}


@case
def cat_gives_the_bytes_of_each_key():
    with aws_mount(value=TEXT) as scene:
        for name, wanted in FILES.items():
            result = run_ok("cat", scene.path(name))
            check_equal(result.out, wanted, name)


@case
def the_secret_itself_is_a_file_with_the_raw_value():
    with aws_mount(value=TEXT) as scene:
        check_equal(read(scene.path("app")), TEXT.encode())


@case
def raw_utf8_in_the_reply_reads_the_same():
    with aws_directory() as (directory, aws):
        aws.ascii_only = False
        aws.put("app", TEXT)
        with mounted_at(directory, "app", env=aws.environment()) as mount:
            check_equal(read(mount.path("utf8")), FILES["utf8"])
            check_equal(read(mount.path("app")), TEXT.encode())


@case
def a_binary_secret_is_decoded():
    value = bytes(range(256)) * 5 + b"\0"
    with aws_mount(value=value) as scene:
        check_equal(read(scene.path("app")), value)


@case
def a_secret_that_is_plain_text_reads_as_it_is():
    with aws_mount(value="no json\n") as scene:
        check_equal(read(scene.path("app")), b"no json\n")


@case
def a_key_that_makes_no_name_is_absent_and_logged():
    with aws_directory() as (directory, aws):
        aws.put("odd", json.dumps({"": "the empty key", "good": "this one",
                                   "k3y" * 86: "too long a key",
                                   "/" * 86: "too long when escaped"}))
        with mounted_at(directory, "odd", env=aws.environment()) as mount:
            names = set(os.listdir(mount.point))
            check_equal(names - {"odd"}, {"good"}, "names")
            check_equal(read(mount.path("good")), b"this one")
            log = mount.log_text()
            for where in ('why="it is empty" position=1 length=0',
                          'why="it is too long" position=3 length=258',
                          'why="it is too long" position=4 length=86'):
                check_equal(log.count(f"a key makes no file name {where} "
                                      "secret=odd"), 1, where)
            # it may be a secret
            check("k3y" not in log and "%2F%2F" not in log, "keys in the log")


@case
def the_name_of_the_secret_beats_a_key_of_that_name():
    value = '{"app": "key", "other": "x"}'
    with aws_mount(value=value) as scene:
        check_equal(read(scene.path("app")), value.encode())


@case
def the_largest_value_reads_whole():
    # Control bytes take six bytes each in the reply and in the secret's own
    # text: the limits must be those of the value, not of its clothing.
    value = "\x01" * 65536
    with aws_mount(value=value) as scene:
        check_equal(read(scene.path("app")), value.encode())
    escaped = json.dumps({"k": "\x01" * 10000})
    with aws_mount(value=escaped) as scene:
        check_equal(read(scene.path("k")), b"\x01" * 10000)


@case
def an_arn_names_the_secret():
    with aws_directory() as (directory, aws):
        with mounted_at(directory, secret_arn("app"),
                        env=aws.environment()) as mount:
            check_equal(read(mount.path("username")), b"ada")


@case
def the_service_can_be_named():
    with aws_directory() as (directory, aws):
        with mounted_at(directory, "secretsmanager:app",
                        env=aws.environment()) as mount:
            check_equal(read(mount.path("username")), b"ada")
            check(b"ada" in read(mount.path("app")), "raw value")


@case
def ls_l_shows_owner_mode_and_exact_size():
    with aws_mount(value=TEXT) as scene:
        listing = run_ok("ls", "-l", scene.mount.point).out.decode()
        for name, wanted in FILES.items():
            found = os.stat(scene.path(name))
            check_equal(found.st_size, len(wanted), f"size of {name}")
            check_equal(stat.filemode(found.st_mode), "-r--------", name)
            check_equal((found.st_uid, found.st_gid), (0, 0), name)
            check(any(line.startswith("-r--------") and
                      line.endswith(" " + name) and f" {len(wanted)} " in line
                      for line in listing.splitlines()),
                  f"{name} in the listing:", listing)
        root = os.stat(scene.mount.point)
        check_equal(stat.filemode(root.st_mode), "dr-x------", "root")


@case
def ls_shows_each_name_once():
    with aws_mount(value=TEXT) as scene:
        read(scene.path("password"))
        names = os.listdir(scene.mount.point)
        check_equal(sorted(names), sorted([*FILES, "app"]))


@case
def owner_and_modes_are_as_asked():
    with aws_mount("--owner", "1234:5678", "--mode", "0440",
                   "--dir-mode", "0550", "-o", "allow_other") as scene:
        found = os.stat(scene.path("password"))
        check_equal(stat.filemode(found.st_mode), "-r--r-----")
        check_equal((found.st_uid, found.st_gid), (1234, 5678))
        root = os.stat(scene.mount.point)
        check_equal(stat.filemode(root.st_mode), "dr-xr-x---")


def _cat_as(user, path):
    return subprocess.run(["cat", path], user=user, group=user,
                          extra_groups=[], env=environment(), check=False,
                          capture_output=True, timeout=30)


@case
def other_users_read_only_what_they_may():
    with aws_mount() as scene:
        check(_cat_as(1234, scene.path("password")).returncode != 0,
              "without allow_other")
    with aws_mount("-o", "allow_other") as scene:
        check(_cat_as(1234, scene.path("password")).returncode != 0,
              "allow_other, but mode 0400 of root")
    with aws_mount("-o", "allow_other", "--mode", "0444",
                   "--dir-mode", "0555") as scene:
        check_equal(_cat_as(1234, scene.path("password")).stdout,
                    b"correct horse")


@case
def cp_copies_everything():
    with aws_mount(value=TEXT) as scene:
        copy = os.path.join(scene.directory, "copy")
        run_ok("ls", scene.mount.point)
        run_ok("cp", "-a", scene.mount.point, copy)
        for name, wanted in FILES.items():
            check_equal(read(os.path.join(copy, name)), wanted, name)


@case
def tar_packs_everything():
    with aws_mount(value=TEXT) as scene:
        archive = os.path.join(scene.directory, "copy.tar")
        copy = os.path.join(scene.directory, "copy")
        os.mkdir(copy)
        result = run_ok("tar", "-C", scene.mount.point, "-cf", archive, ".")
        check_equal(result.err, "", "what tar says")
        run_ok("tar", "-C", copy, "-xf", archive)
        for name, wanted in FILES.items():
            check_equal(read(os.path.join(copy, name)), wanted, name)


@case
def dd_reads_directly_and_in_pieces():
    value = bytes(range(256)) * 40
    with aws_mount(value=value) as scene:
        source = f"if={scene.path('app')}"
        for options in (("iflag=direct", "bs=4096"), ("bs=1000",),
                        ("iflag=direct", "bs=64K")):
            check_equal(run_ok("dd", source, "status=none", *options).out,
                        value, options)
        part = run_ok("dd", source, "status=none", "bs=100", "skip=7",
                      "count=3")
        check_equal(part.out, value[700:1000], "a piece")


@case
def mmap_shows_the_same_bytes():
    program = ("import mmap, sys\n"
               "with open(sys.argv[1], 'rb') as file:\n"
               "    for access in (mmap.ACCESS_READ, mmap.ACCESS_COPY):\n"
               "        with mmap.mmap(file.fileno(), 0, access=access) as m:\n"
               "            sys.stdout.buffer.write(m[:])\n")
    value = bytes(range(256)) * 40
    with aws_mount(value=value) as scene:
        result = run_ok(sys.executable, "-c", program, scene.path("app"))
        check_equal(result.out, value * 2)


@case
def pread_works_at_any_offset():
    value = bytes(range(256)) * 40
    with aws_mount(value=value) as scene:
        fd = os.open(scene.path("app"), os.O_RDONLY)
        try:
            for offset in (0, 1, 4095, 4096, 4097, 10239):
                check_equal(os.pread(fd, 5, offset),
                            value[offset:offset + 5], offset)
            check_equal(os.pread(fd, 5, len(value)), b"", "at the end")
            check_equal(os.pread(fd, 5, 1 << 40), b"", "far past the end")
            check_equal(os.lseek(fd, -1, os.SEEK_END), len(value) - 1)
        finally:
            os.close(fd)


@case
def many_readers_at_once_all_get_their_bytes():
    with aws_mount(value=TEXT) as scene:
        paths = [scene.path(name) for name in FILES if " " not in name]
        result = run_ok(built("tests/readers"), "200", *paths)
        lines = result.out.decode().splitlines()
        check_equal(len(lines), 200, "readers")
        for line in lines:
            error, _, content, path = line.split(" ", 3)
            wanted = FILES[os.path.basename(path)].hex() or "-"
            check_equal((error, content), ("0", wanted), path)
        check_equal(scene.aws.calls(), 1, "AWS calls")


@case
def directories_and_files_keep_their_kinds():
    with aws_mount() as scene:
        check_equal(error_of(os.listdir, scene.path("password")), "ENOTDIR")
        check_equal(error_of(os.open, scene.path("password", "x"),
                             os.O_RDONLY), "ENOTDIR")
        check_equal(error_of(read, scene.mount.point), "EISDIR")
        check_equal(run("test", "-L", scene.path("password")).code, 1)


@case
def no_value_and_no_key_is_ever_logged():
    with aws_mount() as scene:
        read(scene.path("password"))
        run_ok("ls", "-l", scene.mount.point)
        log = scene.mount.log_text()
        for secret in ("correct horse", "wJalrXUtn"):
            check(secret not in log, "found in the log:", secret)


main()

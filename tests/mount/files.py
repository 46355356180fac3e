# SPDX-License-Identifier: Apache-2.0
"""The file provider: one file, a directory, and what changes in them."""

import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.mounting import mounted_at
from lib.place import work_directory, write_file
from lib.process import run_ok
from lib.reading import check_error, error_of, read, wait_for_content
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

# "Within a second", and what a busy machine may add.
SOON = 2.5

DATABASE = '{"user": "ada", "password": "pencil"}'


def _make_tree(directory):
    top = os.path.join(directory, "secrets.d")
    write_file(os.path.join(top, "database.json"), DATABASE)
    write_file(os.path.join(top, "plain"), b"raw\0bytes")
    write_file(os.path.join(top, "team", "api.json"), '{"token": "t"}')
    write_file(os.path.join(top, "team", "deep", "key"), "deep")
    return top


def _wait_for_error(path, wanted):
    wait_until(lambda: error_of(read, path) == wanted,
               f"{path} is {wanted}", SOON)


@case
def one_file_shows_its_keys_and_itself():
    with work_directory() as directory:
        source = write_file(os.path.join(directory, "db.json"), DATABASE)
        with mounted_at(directory, f"file:{source}") as mount:
            check_equal(read(mount.path("password")), b"pencil")
            check_equal(read(mount.path("db")), DATABASE.encode())
            check_equal(sorted(os.listdir(mount.point)),
                        ["db", "password", "user"])
            check_error(mount.path("db.json"), "ENOENT")


@case
def a_directory_shows_each_secret_as_a_file():
    with work_directory() as directory:
        top = _make_tree(directory)
        with mounted_at(directory, f"file:{top}") as mount:
            check_equal(sorted(os.listdir(mount.point)),
                        ["database", "plain", "team"])
            check_equal(read(mount.path("database")), DATABASE.encode())
            check_equal(read(mount.path("plain")), b"raw\0bytes")
            check_equal(os.stat(mount.path("plain")).st_size, 9, "size")
            check_error(mount.path("database.json"), "ENOENT")
            check_error(mount.path("absent"), "ENOENT")


@case
def subdirectories_are_directories():
    with work_directory() as directory:
        top = _make_tree(directory)
        with mounted_at(directory, f"file:{top}") as mount:
            check_equal(sorted(os.listdir(mount.path("team"))),
                        ["api", "deep"])
            check_equal(read(mount.path("team", "api")), b'{"token": "t"}')
            check_equal(read(mount.path("team", "deep", "key")), b"deep")
            found = run_ok("find", mount.point, "-type", "f").out
            check_equal(len(found.splitlines()), 4, "files found")


@case
def a_tree_can_be_copied():
    with work_directory() as directory:
        top = _make_tree(directory)
        copy = os.path.join(directory, "copy")
        with mounted_at(directory, f"file:{top}") as mount:
            run_ok("cp", "-r", mount.point, copy)
        check_equal(read(os.path.join(copy, "team", "deep", "key")), b"deep")


@case
def a_changed_file_is_seen_within_a_second():
    with work_directory() as directory:
        top = _make_tree(directory)
        with mounted_at(directory, f"file:{top}") as mount:
            for name, file in (("database", "database.json"),
                               ("team/api", "team/api.json")):
                read(mount.path(name))
                write_file(os.path.join(top, file), '{"new": "value"}')
                wait_for_content(mount.path(name), b'{"new": "value"}', SOON)


@case
def a_file_written_in_place_is_seen_within_a_second():
    with work_directory() as directory:
        source = write_file(os.path.join(directory, "db.json"), DATABASE)
        with mounted_at(directory, f"file:{source}") as mount:
            check_equal(read(mount.path("password")), b"pencil")
            with open(source, "w", encoding="utf-8") as file:
                file.write('{"password": "brush"}')
            wait_for_content(mount.path("password"), b"brush", SOON)


@case
def an_open_file_keeps_the_old_bytes():
    with work_directory() as directory:
        source = write_file(os.path.join(directory, "db.json"), DATABASE)
        with mounted_at(directory, f"file:{source}") as mount:
            with open(mount.path("password"), "rb") as held:
                write_file(source, '{"password": "brush"}')
                wait_for_content(mount.path("password"), b"brush", SOON)
                check_equal(held.read(), b"pencil")


@case
def a_new_file_appears_and_a_deleted_one_goes():
    with work_directory() as directory:
        top = _make_tree(directory)
        with mounted_at(directory, f"file:{top}") as mount:
            check_equal(sorted(os.listdir(mount.point)),
                        ["database", "plain", "team"])
            write_file(os.path.join(top, "fresh.json"), "{}")
            os.unlink(os.path.join(top, "plain"))
            wait_until(lambda: sorted(os.listdir(mount.point)) ==
                       ["database", "fresh", "team"], "ls shows it", SOON)
            check_equal(read(mount.path("fresh")), b"{}")
            _wait_for_error(mount.path("plain"), "ENOENT")


@case
def a_file_that_was_read_and_deleted_is_ENOENT():
    with work_directory() as directory:
        top = _make_tree(directory)
        with mounted_at(directory, f"file:{top}") as mount:
            read(mount.path("plain"))
            os.unlink(os.path.join(top, "plain"))
            _wait_for_error(mount.path("plain"), "ENOENT")


@case
def a_name_that_was_missing_appears():
    with work_directory() as directory:
        top = _make_tree(directory)
        with mounted_at(directory, f"file:{top}") as mount:
            check_error(mount.path("later"), "ENOENT")
            write_file(os.path.join(top, "later"), "here")
            wait_for_content(mount.path("later"), b"here", SOON)


@case
def a_new_directory_appears():
    with work_directory() as directory:
        top = _make_tree(directory)
        with mounted_at(directory, f"file:{top}") as mount:
            os.listdir(mount.point)
            write_file(os.path.join(top, "more", "one"), "1")
            wait_for_content(mount.path("more", "one"), b"1", SOON)
            write_file(os.path.join(top, "more", "one"), "2")
            wait_for_content(mount.path("more", "one"), b"2", SOON)


@case
def an_unchanged_file_keeps_its_inode():
    with work_directory() as directory:
        top = _make_tree(directory)
        with mounted_at(directory, f"file:{top}") as mount:
            before = os.stat(mount.path("plain"))
            read(mount.path("plain"))
            reads = mount.requests("READ")
            lookups = mount.requests("LOOKUP", name="plain")

            def asked():
                read(mount.path("plain"))
                return mount.requests("LOOKUP", name="plain") > lookups
            wait_until(asked, "a LOOKUP")
            check_equal(os.stat(mount.path("plain")).st_ino, before.st_ino)
            check_equal(mount.requests("READ"), reads, "READs")


@case
def hidden_files_and_links_out_of_the_tree_are_not_served():
    with work_directory() as directory:
        top = _make_tree(directory)
        write_file(os.path.join(top, ".git", "config"), "x")
        write_file(os.path.join(directory, "outside"), "secret")
        os.symlink("../outside", os.path.join(top, "link"))
        with mounted_at(directory, f"file:{top}") as mount:
            check_error(mount.path(".git", "config"), "ENOENT")
            check(error_of(read, mount.path("link")) != "",
                  "a link out of the tree is served")


@case
def a_mount_among_its_own_secrets_is_not_entered():
    with work_directory() as directory:
        secrets = os.path.join(directory, "secrets")
        write_file(os.path.join(secrets, "app.json"), "content")
        # so that the worker's user may enter as any other may
        with mounted_at(secrets, f"file:{secrets}", "--allow-other",
                        "--dir-mode", "0555") as mount:
            check("mnt" in os.listdir(mount.point), "it is no folder")
            check_equal(error_of(os.listdir, mount.path("mnt")), "EACCES")
            check_error(mount.path("mnt", "app"), "EACCES")
            check_equal(read(mount.path("app")), b"content")


@case
def a_file_that_the_worker_may_not_read_is_EACCES():
    with work_directory() as directory:
        top = _make_tree(directory)
        write_file(os.path.join(top, "closed"), "x", mode=0o600)
        with mounted_at(directory, f"file:{top}") as mount:
            check_error(mount.path("closed"), "EACCES")
            check_equal(read(mount.path("plain")), b"raw\0bytes")


@case
def offline_serves_a_secret_from_a_directory():
    with work_directory() as directory:
        top = _make_tree(directory)
        with mounted_at(directory, "database", "--offline", top) as mount:
            check_equal(read(mount.path("password")), b"pencil")
            write_file(os.path.join(top, "database.json"),
                       '{"password": "brush"}')
            wait_for_content(mount.path("password"), b"brush", SOON)
        with mounted_at(directory, "absent", "--offline", top) as mount:
            check_error(mount.path("absent"), "ENOENT")


main()

# SPDX-License-Identifier: Apache-2.0
"""From a class to a file in somebody's container: keeper and worker in two
containers of the image, as the DaemonSets have them."""

import json
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from lib.mounting import mounted_at
from lib.node import (AWS_NAME, CLASS, FILE, PASSWORD, READER, VALUE, VOLUME,
                      WORKER, node)
from lib.place import write_file
from lib.process import status_field
from lib.reading import wait_for_content
from lib.status import status
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

# What an init container runs, so that the others start when all is there.
_WAIT = f"until cat {FILE} >/dev/null; do sleep 1; done"


def _status(keeper):
    return json.loads(keeper.exec("secretsfs", "status", "--json",
                                  f"/secrets/{CLASS}"))


def _secret(here):
    return "file:" + write_file(os.path.join(here.directory, "app.json"), VALUE)


@case
def a_secret_is_read_by_who_is_nobody_and_nothing_is_asked_before():
    with node() as here:
        here.put_class()
        keeper, _ = here.start()
        consumer = here.start_consumer()
        check_equal(here.aws.calls(), 0, "calls of AWS before a read")
        check_equal(consumer.exec("id", "-u"), READER.split(":")[0] + "\n")
        check_equal(consumer.exec("cat", FILE), PASSWORD.decode())
        check_equal(consumer.exec("cat", f"{VOLUME}/Kontox-secret"), VALUE)
        check_equal(consumer.exec("stat", "-c", "%a %u:%g", VOLUME, FILE),
                    "555 0:0\n444 0:0\n")
        # one for the role, one for the secret, however many files it shows
        check_equal(here.aws.calls(), 2, "calls of AWS after it")
        check_equal(keeper.exec("secretsfs", "status",
                                f"/secrets/{CLASS}").split()[:2],
                    ["mount", f"/secrets/{CLASS}"])


@case
def names_and_certificates_are_found_where_the_image_has_them():
    with node() as here:
        here.put_class()
        here.aws.present(*here.aws.authority.issue("named", f"DNS:{AWS_NAME}"))
        environment = here.environment()
        del environment["AWS_CA_BUNDLE"]
        environment["AWS_ENDPOINT_URL"] = f"https://{AWS_NAME}:{here.aws.port}"
        here.start_keeper()
        here.start_worker(environment=environment)
        here.wait_for_mount()
        check_equal(here.start_consumer().exec("cat", FILE), PASSWORD.decode())


@case
def sandbox_and_pool_are_as_outside_of_containers():
    with node() as here, mounted_at(here.directory, _secret(here)) as outside:
        wanted = status(outside.point)
        here.put_class()
        keeper, worker = here.start()
        found = _status(keeper)
        check_equal(found["sandboxMissing"], wanted["sandboxMissing"])
        check_equal(found["memory"]["kind"], wanted["memory"]["kind"])
        print(f"# pool: {found['memory']}", flush=True)
        for field, its in (("Uid", f"{WORKER}\t" * 3 + str(WORKER)),
                           ("CapBnd", "0" * 16), ("CapEff", "0" * 16),
                           ("NoNewPrivs", "1"), ("Seccomp", "2")):
            check_equal(status_field(worker.pid, field), its, field)


@case
def who_starts_first_sees_the_secret_as_soon_as_it_is_there():
    with node() as here:
        os.mkdir(here.point())
        waiting = here.start_consumer("sh", "-c", _WAIT)
        early = here.start_consumer()
        wait_until(lambda: "No such file" in waiting.log(), "it waits", 30)
        check(waiting.is_running(), "it does not wait")
        here.put_class()
        here.start()
        check_equal(waiting.wait(), 0, "the init container")
        check_equal(early.exec("cat", FILE), PASSWORD.decode())


@case
def classes_come_and_go_as_kubelet_projects_them():
    with node() as here:
        here.put_class()
        here.start()
        parent = here.start_consumer(source=here.mounts)
        here.aws.put("other", '{"password": "of the other"}')
        here.put_class("second", "other")
        here.wait_for_mount("second")
        wait_for_content(parent.path(VOLUME[1:], "second", "password"),
                         b"of the other")
        here.drop_class("second")
        wait_until(lambda: not here.is_mounted("second"), "it is gone", 60)
        wait_until(lambda: os.listdir(parent.path(VOLUME[1:])) == [CLASS],
                   "its directory is gone")
        check_equal(parent.exec("cat", f"{VOLUME}/{CLASS}/password"),
                    PASSWORD.decode())


@case
def all_end_when_they_are_told_and_leave_nothing():
    with node() as here:
        here.put_class()
        keeper, worker = here.start()
        readers = [here.start_reader(propagation=how)
                   for how in ("rslave", "rprivate")]
        check_equal(keeper.stop(), 0, "the keeper's end")
        check_equal(worker.wait(), 0, "the worker's end")
        for reader in readers:
            wait_until(lambda one=reader:
                       "D" not in one.processes().values(), "no D")
            check_equal(reader.stop(), 0, "a reader's end")
        here.check_nothing_is_left()
        check_equal(here.sockets(), [])


main()

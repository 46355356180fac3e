# SPDX-License-Identifier: Apache-2.0
"""Proxies: a real one is used where that was asked for, for everything that
leaves the machine, and never otherwise."""

import contextlib
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from connect_proxy import ConnectProxy
from fake_aws import ASSUME, FakeAws
from fake_metadata import CONTAINER_PATH, FakeMetadata
from lib.class_text import class_text, object_text, parameter_text
from lib.mounting import mounted_at
from lib.partition import enter_own_network
from lib.place import work_directory, write_file
from lib.reading import check_error, read
from lib.tap import case, check, check_equal, main

OPTION = "--proxy-from-env"


class Scene:
    def __init__(self, directory, aws, proxy):
        self.directory = directory
        self.aws = aws
        self.proxy = proxy
        self.target = f"127.0.0.1:{aws.port}"

    def write(self, *parameters):
        return write_file(
            os.path.join(self.directory, "c.yaml"),
            class_text(object_text("app"), parameter_text("p"),
                       parameters=parameters))

    @contextlib.contextmanager
    def mounted(self, source, *options, variable="HTTPS_PROXY", **more):
        env = self.aws.environment(**{variable: self.proxy.url}, **more)
        with mounted_at(self.directory, source, *options, env=env) as mount:
            yield mount


@contextlib.contextmanager
def _scene(**login):
    with work_directory() as directory, FakeAws(directory) as aws, \
            ConnectProxy(**login).running() as proxy:
        aws.put("app", "value")
        aws.put_parameter("p", "parameter")
        yield Scene(directory, aws, proxy)


@case
def nobody_asks_a_proxy_that_is_only_in_the_environment():
    with _scene() as scene, scene.mounted("app", https_proxy="http://x",
                                          http_proxy="http://x") as mount:
        check_equal(read(mount.path("app")), b"value")
        check_equal(scene.proxy.targets, [])


@case
def with_the_option_all_goes_through_it():
    for variable in ("https_proxy", "HTTPS_PROXY"):
        with _scene() as scene, scene.mounted(
                scene.write(), OPTION, variable=variable) as mount:
            check_equal(read(mount.path("app")), b"value")
            check_equal(read(mount.path("p")), b"parameter")
            check_equal(set(scene.proxy.targets), {scene.target}, variable)


@case
def a_class_can_ask_for_it_too():
    with _scene() as scene:
        with scene.mounted(scene.write("proxyFromEnv: true")) as mount:
            check_equal(read(mount.path("app")), b"value")
            check_equal(read(mount.path("p")), b"parameter")
        check_equal(set(scene.proxy.targets), {scene.target})
        asked = len(scene.proxy.targets)
        with scene.mounted(scene.write("proxyFromEnv: false")) as mount:
            check_equal(read(mount.path("app")), b"value")
        check_equal(len(scene.proxy.targets), asked)


@case
def keys_of_a_role_come_through_it():
    with _scene() as scene:
        token = write_file(os.path.join(scene.directory, "t", "token"), "x.y")
        env = scene.aws.role_environment(token, https_proxy=scene.proxy.url)
        with mounted_at(scene.directory, "app", OPTION, env=env) as mount:
            check_equal(read(mount.path("app")), b"value")
            check_equal(scene.aws.calls(ASSUME), 1)
            # for STS and for the secret a connection each
            check_equal(scene.proxy.targets, [scene.target] * 2)


@case
def no_proxy_leaves_hosts_out():
    with _scene() as scene:
        for hosts in ("127.0.0.1", "x.example,127.0.0.1", "*"):
            with scene.mounted("app", OPTION, NO_PROXY=hosts) as mount:
                check_equal(read(mount.path("app")), b"value", hosts)
        check_equal(scene.proxy.targets, [])
        with scene.mounted("app", OPTION, NO_PROXY="127.0.0.2") as mount:
            check_equal(read(mount.path("app")), b"value")
        check_equal(scene.proxy.targets, [scene.target])


@case
def the_proxy_gets_its_password_and_no_header_of_ours():
    with _scene(user="squid", password="hunter2") as scene:
        with scene.mounted("app", OPTION) as mount:
            check_equal(read(mount.path("app")), b"value")
            check("hunter2" not in mount.log_text(), "the log")
        names = {name for one in scene.proxy.headers for name in one}
        check(not names & {"authorization", "x-amz-target",
                           "x-amz-security-token"}, names)


@case
def a_proxy_that_refuses_is_EIO_and_its_password_is_in_no_log():
    with _scene(user="squid", password="right") as scene:
        wrong = scene.proxy.url.replace("right", "hunter2")
        env = scene.aws.environment(https_proxy=wrong)
        with mounted_at(scene.directory, "app", OPTION, env=env) as mount:
            check_error(mount.path("app"), "EIO")
            check("proxy" in mount.log_text(), "what failed")
            check("hunter2" not in mount.log_text(), "the log")
        check_equal(scene.aws.calls(), 0)


# The services of ECS, EKS Pod Identity and EC2, at their own addresses.
METADATA = ("169.254.170.2/32", "169.254.170.23/32", "fd00:ec2::23/128",
            "169.254.169.254/32", "fd00:ec2::254/128")


def _metadata_services(metadata, token):
    yield {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": CONTAINER_PATH}
    for host in ("169.254.170.23", "[fd00:ec2::23]"):
        yield metadata.pod_identity(token, f"http://{host}")
    for mode in ("IPv4", "IPv6"):
        yield {"AWS_EC2_METADATA_DISABLED": "false",
               "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": mode}


@case
def metadata_services_are_never_asked_through_it():
    enter_own_network(*METADATA)
    with _scene() as scene, FakeMetadata(scene.aws, port=80) as metadata:
        url = scene.proxy.url
        token = write_file(os.path.join(scene.directory, "t/token"), "x")
        asked = 0
        for service in _metadata_services(metadata, token):
            env = scene.aws.bare_environment(
                http_proxy=url, https_proxy=url, all_proxy=url, ALL_PROXY=url,
                HTTP_PROXY=url, HTTPS_PROXY=url, **service)
            with mounted_at(scene.directory, "app", OPTION, env=env) as mount:
                check_equal(read(mount.path("app")), b"value", service)
            asked += 1
            check_equal(sum(metadata.calls.values()), asked, service)
        check_equal(scene.proxy.targets, [scene.target] * asked)
        check_equal(scene.proxy.others, [])


main()

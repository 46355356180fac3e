# SPDX-License-Identifier: Apache-2.0
"""Every way to be someone at AWS, from where keys come from to a file."""

import contextlib
import json
import os
import sys

sys.path.insert(0, sys.path[0] + "/..")

from fake_aws import (ASSUME, ASSUME_ROLE, DESCRIBE, GET, KEY_ID, REGION,
                      ROLE_ARN, SECRET_KEY, SSO, SSO_TOKEN)
from fake_metadata import (CONTAINER, INSTANCE, NODE_ROLE, POD_ROLE,
                           FakeMetadata)
from lib.class_text import class_text, object_text
from lib.clock import Clock
from lib.identity import SSO_CONFIG, log_in, make_home
from lib.mounting import Mount, mount, mounted_at
from lib.place import built, write_file
from lib.process import run
from lib.reading import check_error, read, wait_for_content
from lib.scene import PASSWORD, aws_directory
from lib.tap import case, check, check_equal, main
from lib.wait import wait_until

HOUR_S = 3600
STEP_S = 61


@contextlib.contextmanager
def _metadata():
    with aws_directory() as (directory, aws), FakeMetadata(aws) as metadata:
        yield directory, aws, metadata


def _check_nothing_secret(log):
    for word in (SECRET_KEY, SSO_TOKEN, "pod-token"):
        check(word not in log, "logged:", word)


@case
def a_pod_identity_is_enough_to_read():
    with _metadata() as (directory, aws, metadata):
        token = write_file(os.path.join(directory, "t/token"), "pod-token")
        env = aws.bare_environment(**metadata.pod_identity(token))
        with mounted_at(directory, "app", env=env) as found:
            check_equal(metadata.calls[CONTAINER], 0, "calls of mounting")
            check_equal(read(found.path("password")), PASSWORD)
            check_equal(metadata.calls[CONTAINER], 1, "credential calls")
            check_equal(metadata.tokens, ["pod-token"])
            _check_nothing_secret(found.log_text())


@case
def keys_of_a_pod_serve_in_every_region():
    with _metadata() as (directory, aws, metadata):
        token = write_file(os.path.join(directory, "t/token"), "pod-token")
        env = aws.bare_environment(**metadata.pod_identity(token))
        aws.put("app", "first")
        aws.put("app", "second", region="us-west-2")
        aws.fail(REGION, "500")
        source = write_file(os.path.join(directory, "c.yaml"), class_text(
            object_text("app"), parameters=["failoverRegion: us-west-2"]))
        with mounted_at(directory, source, env=env) as found:
            check_equal(read(found.path("app")), b"second")
            check_equal(metadata.calls[CONTAINER], 1, "credential calls")


def _read_for_an_hour(directory, aws, env, token):
    """A read in each minute, with a value and a token of that minute: as many
    signed calls."""
    aws.session_seconds = 60
    clock = Clock(directory)
    with mounted_at(directory, "app", "--ttl", "30s", *clock.options,
                    env=env) as found:
        check_equal(read(found.path("password")), PASSWORD)
        for step in range(1, HOUR_S // STEP_S + 1):
            write_file(token, f"token-{step}")
            aws.put("app", json.dumps({"password": f"value {step}"}))
            clock.advance(STEP_S)
            wait_for_content(found.path("password"), f"value {step}".encode())
        check("cannot fetch" not in found.log_text(), "a fetch failed")
    return aws.calls(GET) + aws.calls(DESCRIBE)


def _check_hour(credential_calls, signed):
    print(f"# {credential_calls} credential calls, {signed} signed calls",
          flush=True)
    check(credential_calls >= 55, credential_calls)
    check(signed >= 55, signed)


@case
def an_hour_of_keys_that_last_a_minute_fails_no_read():
    with _metadata() as (directory, aws, metadata):
        token = write_file(os.path.join(directory, "t/token"), "token-0")
        env = aws.bare_environment(**metadata.pod_identity(token))
        signed = _read_for_an_hour(directory, aws, env, token)
        _check_hour(metadata.calls[CONTAINER], signed)
        # each call had the token of its moment
        check(len(set(metadata.tokens)) >= 55, metadata.tokens)


@case
def nor_does_an_hour_of_a_role_for_a_token():
    with aws_directory() as (directory, aws):
        token = write_file(os.path.join(directory, "t/token"), "token-0")
        signed = _read_for_an_hour(directory, aws,
                                   aws.role_environment(token), token)
        _check_hour(aws.calls(ASSUME), signed)


@case
def a_container_that_refuses_is_EACCES_and_says_why():
    with _metadata() as (directory, aws, metadata):
        metadata.refusal = (403, "no association for the pod")
        token = write_file(os.path.join(directory, "t/token"), "pod-token")
        # an instance with a role is there, and must not be asked
        env = aws.bare_environment(**metadata.pod_identity(token),
                                   **metadata.instance())
        with mounted_at(directory, "app", env=env) as found:
            check_error(found.path("password"), "EACCES")
            check("status 403: no association for the pod" in
                  found.log_text(), found.log_text()[-500:])
            check_equal(metadata.calls[INSTANCE], 0, "calls of the instance")
            metadata.refusal = None
            wait_for_content(found.path("password"), PASSWORD)


@case
def a_login_after_the_mount_is_enough():
    with aws_directory() as (directory, aws):
        env = aws.bare_environment(**make_home(directory, SSO_CONFIG))
        log = os.path.join(directory, "mnt.log")
        point = os.path.join(directory, "mnt")
        result = mount(point, "app", "--profile", "dev", env=env, log=log)
        found = Mount(point, log)
        try:
            check_equal(result.code, 0, result)
            check("aws sso login --sso-session corp" in result.err,
                  result.err)
            check_error(found.path("password"), "EACCES")
            wait_until(lambda: "aws sso login --sso-session corp" in
                       found.log_text(), "the log says what to run")
            log_in(directory)
            check_equal(read(found.path("password")), PASSWORD)
            check_equal(aws.calls(SSO), 1, "calls of the portal")
            _check_nothing_secret(found.log_text())
        finally:
            ended = found.unmount()
        check_equal(ended.code, 0, "unmount")


@case
def an_expired_login_is_told_and_a_new_one_is_used():
    with aws_directory() as (directory, aws):
        env = aws.bare_environment(AWS_PROFILE="dev",
                                   **make_home(directory, SSO_CONFIG))
        log_in(directory)
        aws.sso_token = "another"
        with mounted_at(directory, "app", env=env) as found:
            check_error(found.path("password"), "EACCES")
            check("is refused: run aws sso login" in found.log_text(),
                  found.log_text()[-500:])
            aws.sso_token = SSO_TOKEN
            check_equal(read(found.path("password")), PASSWORD)


@case
def an_instance_with_a_role_is_enough():
    with _metadata() as (directory, aws, metadata):
        env = aws.bare_environment(**metadata.instance())
        with mounted_at(directory, "app", env=env) as found:
            check_equal(read(found.path("password")), PASSWORD)
            check_equal(metadata.calls[INSTANCE], 1, "credential calls")


@case
def a_pod_never_works_as_its_node():
    with _metadata() as (directory, aws, metadata):
        env = aws.role_environment("/nonexistent/token",
                                   **metadata.instance())
        point = os.path.join(directory, "mnt")
        result = mount(point, "app", env=env)
        try:
            check_equal(result.code, 0, result)
            check_error(os.path.join(point, "password"), "EACCES")
            check_equal(metadata.calls[INSTANCE], 0, "calls of the instance")
        finally:
            Mount(point, None).unmount()
        bad = aws.bare_environment(AWS_PROFILE="gone", **metadata.instance())
        result = mount(point, "app", env=bad)
        check_equal(result.code, 1, result)
        check("AWS_PROFILE=gone: there is no profile 'gone'" in result.err,
              result.err)


@case
def a_profile_assumes_a_role():
    config = (f"[profile app]\nrole_arn = {ROLE_ARN}\n"
              f"source_profile = base\nregion = {REGION}\n")
    credentials = (f"[base]\naws_access_key_id = {KEY_ID}\n"
                   f"aws_secret_access_key = {SECRET_KEY}\n")
    with aws_directory() as (directory, aws):
        env = aws.bare_environment(**make_home(directory, config, credentials))
        del env["AWS_REGION"]
        with mounted_at(directory, "app", "--profile=app",
                        env={**env, "NODE_NAME": "node-7"}) as found:
            check_equal(read(found.path("password")), PASSWORD)
            check_equal(aws.calls(ASSUME_ROLE), 1, "AssumeRole calls")
            check(aws.sessions[0].endswith("-node-7"), aws.sessions)
            check(any(agent.startswith("secretsfs/") and
                      agent.endswith(" node/node-7")
                      for agent in aws.agents), aws.agents)
            _check_nothing_secret(found.log_text())


@case
def files_that_the_worker_may_not_read_are_named_with_a_remedy():
    with aws_directory() as (directory, aws):
        config = write_file(os.path.join(directory, "config"),
                            "[default]\nregion = x\n", mode=0o600)
        env = aws.bare_environment(AWS_CONFIG_FILE=config)
        result = mount(os.path.join(directory, "mnt"), "app", env=env)
        check_equal(result.code, 1, result)
        for word in (config, "--worker-user", "AWS_CONFIG_FILE"):
            check(word in result.err, word, "is named:", result.err)


@case
def profiles_in_a_home_that_is_closed_are_not_passed_over():
    with _metadata() as (directory, aws, metadata):
        home = make_home(directory, "[default]\nregion = x\n")
        os.chmod(home["HOME"], 0o700)
        env = aws.bare_environment(**home, **metadata.instance())
        result = mount(os.path.join(directory, "mnt"), "app", env=env)
        check_equal(result.code, 1, result)
        for word in (home["HOME"], "AWS_CONFIG_FILE"):
            check(word in result.err, word, "is named:", result.err)
        # where there are none, a closed home says nothing
        for name in ("config", "credentials"):
            os.unlink(os.path.join(home["HOME"], ".aws", name))
        with mounted_at(directory, "app", env=env) as found:
            check_equal(read(found.path("password")), PASSWORD)
            check_equal(metadata.calls[INSTANCE], 1, "credential calls")


@case
def a_process_is_run_only_where_root_wants_it():
    output = json.dumps({"Version": 1, "AccessKeyId": KEY_ID,
                         "SecretAccessKey": SECRET_KEY})
    with aws_directory() as (directory, aws):
        write_file(os.path.join(directory, "keys.json"), output)
        config = (f"[default]\ncredential_process = "
                  f"cat {directory}/keys.json\n")
        env = aws.bare_environment(**make_home(directory, config))
        point = os.path.join(directory, "mnt")
        result = mount(point, "app", env=env)
        check_equal(result.code, 1, result)
        check("--allow-credential-process" in result.err, result.err)
        with mounted_at(directory, "app", "--allow-credential-process",
                        env=env) as found:
            check_equal(read(found.path("password")), PASSWORD)
            _check_nothing_secret(found.log_text())


@case
def who_is_silent_is_named_by_the_deadline():
    with _metadata() as (directory, aws, metadata):
        metadata.be_silent()
        token = write_file(os.path.join(directory, "t/token"), "pod-token")
        env = aws.bare_environment(**metadata.pod_identity(token),
                                   **metadata.instance())
        with mounted_at(directory, "app", "--timeout", "1s",
                        env=env) as found:
            check_error(found.path("password"), "EIO")
            wait_until(lambda: "container: no keys before the deadline" in
                       found.log_text(), "the log names the container")


@case
def without_a_network_the_first_provider_is_named():
    with aws_directory() as (directory, aws):
        token = write_file(os.path.join(directory, "t/token"), "a.b.c")
        cases = (
            (aws.role_environment(
                token, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/x"),
             f"AssumeRoleWithWebIdentity '{ROLE_ARN}'"),
            (aws.bare_environment(
                AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/x",
                AWS_EC2_METADATA_DISABLED="false"),
             "container credentials of http://169.254.170.2/"),
        )
        for number, (env, words) in enumerate(cases):
            point = os.path.join(directory, f"mnt{number}")
            os.makedirs(point)
            log = f"{point}.log"
            result = run("unshare", "--net", built("secretsfs"),
                         "--timeout", "3s", "--log-file", log, "app", point,
                         env=env)
            found = Mount(point, log)
            try:
                check_equal(result.code, 0, result)
                check_error(found.path("password"), "EIO")
                wait_until(lambda: words in found.log_text(), words)
            finally:
                ended = found.unmount()
            check_equal(ended.code, 0, "unmount")


def _identity(env, *options):
    result = run(built("secretsfs"), "check", "--identity", *options, env=env)
    check(SECRET_KEY not in result.out.decode() + result.err, "a key is told")
    return result, result.out.decode().splitlines()


@case
def check_identity_says_who_serves_and_why_others_do_not():
    with _metadata() as (directory, aws, metadata):
        token = write_file(os.path.join(directory, "t/token"), "pod-token")
        env = aws.bare_environment(**metadata.pod_identity(token))
        result, lines = _identity(env)
        check_equal(result.code, 0, result)
        for line in (f"region: {REGION}",
                     "environment: AWS_ACCESS_KEY_ID is not set",
                     "AWS_PROFILE: not set",
                     "web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set",
                     "container: serves, by container",
                     f"as: container {metadata.url}/"):
            check(line in lines, line, "is not in", lines)
        check_equal(lines[-2], f"role: {POD_ROLE}")
        check(lines[-1].startswith("keys: until 20"), lines[-1])

        result, lines = _identity(aws.bare_environment(**metadata.instance()))
        check_equal(result.code, 0, result)
        for line in (f"as: instance {metadata.url}", f"role: {NODE_ROLE}"):
            check(line in lines, line, "is not in", lines)

        metadata.refusal = (403, "no association")
        result, lines = _identity(env)
        check_equal(result.code, 3, result)
        check("status 403: no association" in lines[-1], lines[-1])

        result, lines = _identity(aws.bare_environment(AWS_PROFILE="gone"))
        check_equal(result.code, 1, result)
        check(any(line.startswith("AWS_PROFILE: AWS_PROFILE=gone: there is")
                  for line in lines), lines)

        role = write_file(os.path.join(directory, "r/token"), "a.b.c")
        result, lines = _identity(aws.role_environment(role))
        check_equal(result.code, 0, result)
        check(f"as: role {ROLE_ARN}" in lines, lines)
        check_equal(aws.calls(ASSUME), 1, "STS calls")


main()

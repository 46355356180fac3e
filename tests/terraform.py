# SPDX-License-Identifier: Apache-2.0
"""The Terraform module: its files, its README, what it refuses, its examples,
and that the provider knows what it says."""

import glob
import json
import os
import re
import shutil
import zipfile

from lib.place import SOURCE, work_directory, write_file
from lib.process import run_ok
from lib.tap import Skip, case, check, check_equal, main
from lib.terraform import (COMPUTED, EXAMPLES, MODULE, ROLE_ARN, ask,
                           evaluate, evaluate_ok, whereabouts)

PROVIDER = os.environ.get("SECRETSFS_AWS_PROVIDER", "")

KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd"
ISSUER = ("arn:aws:iam::111122223333:oidc-provider/"
          "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLE")
# Every variable that makes something of the policy, the trust or the role.
ALL = {
    "secrets": ["Kontox-secret", "team/*"],
    "parameters": ["/team/hosts"],
    "kms_key_arns": [KEY],
    "assume_role_arns": ["arn:aws:iam::111122223333:role/shop"],
    "regions": ["eu-central-1", "eu-west-1"],
    "oidc_provider_arns": [ISSUER],
    "pod_identity_clusters": ["production"],
    "permissions_boundary": "arn:aws:iam::111122223333:policy/boundary",
    "path": "/secretsfs/",
    "tags": {"team": "platform"},
}


def _read(*names):
    with open(os.path.join(SOURCE, *names), encoding="utf-8") as file:
        return file.read()


def _blocks(kind, directory=MODULE):
    """{name: arguments} of one kind of block."""
    return {".".join(one["labels"]): one["arguments"]
            for one in ask("describe", directory)["blocks"]
            if one["kind"] == kind}


def _plain(text):
    """The text of a string that is written without templates."""
    value = json.loads(text)
    check("${" not in value, "a template:", text)
    return value


@case
def every_file_is_formatted():
    paths = glob.glob(os.path.join(MODULE, "**", "*.tf"), recursive=True)
    check(len(paths) >= 9, "found only", *paths)
    check_equal(ask("format", *paths), [], "not formatted")


@case
def every_variable_and_output_is_described_typed_and_used():
    for directory in (MODULE, *EXAMPLES):
        found = ask("describe", directory)
        for one in found["blocks"]:
            if one["kind"] in ("variable", "output"):
                text = _plain(one["arguments"]["description"])
                check(re.search(r"^[A-Z].*\.$", text), one["labels"], text)
            if one["kind"] == "variable":
                check("type" in one["arguments"], one["labels"], "a type")
                name = f"var.{one['labels'][0]}"
                check(name in found["references"], name, "is not used")


@case
def README_has_every_variable_and_output_as_the_files_have_them():
    wanted = [f"| `{name}` | `{one['type']}` | `{one['default']}` "
              f"| {_plain(one['description'])} |"
              for name, one in _blocks("variable").items()]
    wanted += [f"| `{name}` | {_plain(one['description'])} |"
               for name, one in _blocks("output").items()]
    tables = _read("contrib/terraform/README.md").split("\n## Inputs\n")[1]
    rows = re.findall(r"^\| `.*$", tables, re.MULTILINE)
    check_equal("\n".join(rows), "\n".join(wanted), "rows")


@case
def what_README_shows_can_be_evaluated():
    shown = re.findall(r"```hcl\n(.*?)```",
                       _read("contrib/terraform/README.md"), re.DOTALL)
    check(len(shown) >= 2, "README shows how the module is used")
    for text in shown:
        with work_directory() as directory:
            write_file(os.path.join(directory, "main.tf"), text)
            call = _blocks("module", directory)["secretsfs"]
            unknown = set(call) - set(_blocks("variable"))
            check_equal(unknown, {"source"}, "arguments")
            path = os.path.relpath(MODULE, directory)
            write_file(os.path.join(directory, "main.tf"), re.sub(
                r'source( *)= ".*"', rf'source\1= "{path}"', text))
            evaluate_ok({}, directory=directory)


# Each with what AWS would refuse, or what would mean more than it says.
REFUSED = {
    "name": ["a b", "", "x" * 65],
    "path": ["secretsfs", "/secretsfs", "/a b/"],
    "secrets": ["*", "team*", "team/*/key", "a?", "",
                "arn:aws:secretsmanager:eu-central-1:111122223333:secret:*",
                "arn:aws:secretsmanager:*:111122223333:secret:app-AbCdEf",
                "arn:aws:secretsmanager:eu-central-1:111122223333:secret:app",
                "arn:aws:s3:::bucket"],
    "parameters": ["*", "/team*", "/a:3", "a?", "",
                   "arn:aws:ssm:eu-central-1:111122223333:parameter*"],
    "kms_key_arns": ["*", "alias/app", KEY + "*",
                     "arn:aws:kms:eu-central-1:111122223333:alias/app"],
    "assume_role_arns": ["*", "shop", "arn:aws:iam::111122223333:role/*",
                         "arn:aws:iam::*:role/shop"],
    "regions": ["*", "eu-central", ""],
    "namespace": ["*", "a*", "A", ""],
    "service_account": ["*", "a*", "a/b", ""],
    "oidc_provider_arns": ["https://oidc.eks.eu-central-1.amazonaws.com/id/E",
                           "arn:aws:iam::111122223333:oidc-provider/*"],
    "oidc_audience": ["*", ""],
    "pod_identity_clusters": [
        "*", "arn:aws:eks:eu-central-1:111122223333:cluster/production"],
    "permissions_boundary": ["boundary", "arn:aws:iam::aws:role/x"],
    "max_session_duration": [3599, 43201, 3600.5],
}


@case
def what_would_be_wrong_is_refused_by_the_name_of_its_variable():
    evaluate_ok(ALL)
    checked = {".".join(one["labels"])
               for one in ask("describe", MODULE)["blocks"]
               if "validation" in one["blocks"]}
    check_equal(set(REFUSED), checked, "variables that are validated")
    for name, texts in REFUSED.items():
        for text in texts:
            given = [text] if isinstance(ALL.get(name), list) else text
            errors = evaluate({**ALL, name: given})["errors"]
            check_equal(len(errors), 1, f"{name} = {given}: {errors}")
            check(f"{name}: " in errors[0], given, errors)


@case
def variables_that_do_not_go_together_are_refused():
    for variables, wanted in (
            ({}, "at least one of them must name something"),
            ({"assume_role_arns": ALL["assume_role_arns"],
              "kms_key_arns": [KEY]}, "there is nothing to decrypt")):
        errors = evaluate(variables)["errors"]
        check_equal(len(errors), 1, f"{variables}: {errors}")
        check(wanted in errors[0], errors)


@case
def a_policy_that_IAM_would_not_take_is_refused():
    names = [f"team/secret-{number:03}" for number in range(80)]
    errors = evaluate({"secrets": names})["errors"]
    check_equal(len(errors), 1, errors)
    check("IAM takes 6144" in errors[0], errors)
    evaluate_ok({"secrets": names[:40]})


@case
def the_role_is_as_the_variables_say():
    made = evaluate_ok({**ALL, "max_session_duration": 7200})
    role = made["resources"]["aws_iam_role.this"][0]
    for name, value in (("max_session_duration", 7200),
                        ("name", "secretsfs"), ("path", "/secretsfs/"),
                        ("permissions_boundary", ALL["permissions_boundary"]),
                        ("tags", ALL["tags"])):
        check_equal(role[name], value, name)
    outputs = made["outputs"]
    check_equal(outputs["service_account_annotations"],
                {"eks.amazonaws.com/role-arn": ROLE_ARN})
    check_equal(outputs["pod_identity_associations"], {"production": "a-1"})
    attached = made["resources"]["aws_iam_role_policy_attachment.this"]
    check_equal([one["policy_arn"] for one in attached],
                [outputs["policy_arn"]])
    association = made["resources"]["aws_eks_pod_identity_association.this"]
    check_equal(association["production"]["role_arn"], ROLE_ARN)
    check_equal([association["production"][name]
                 for name in ("namespace", "service_account")],
                ["secretsfs", "secretsfs-worker"])


@case
def without_a_cluster_there_is_the_policy_alone():
    made = evaluate_ok({"secrets": ["app"]})
    check_equal(made["resources"]["aws_iam_role.this"], [])
    check_equal(made["resources"]["aws_iam_role_policy_attachment.this"], [])
    check_equal(made["resources"]["aws_eks_pod_identity_association.this"], {})
    outputs = made["outputs"]
    check_equal((outputs["role_arn"], outputs["role_name"],
                 outputs["service_account_annotations"]), (None, None, {}))


# What the examples are asked with.
SECRET = {"username": "shop", "password": "correct horse"}
GIVEN = {
    "irsa": {"cluster": "production"},
    "pod-identity": {"cluster": "production", "kms_key_arn": KEY},
    "secret": {"keys": SECRET, "oidc_provider_arn": ISSUER},
}
CLUSTER = {
    "aws_eks_cluster.this": {"identity": [{"oidc": [{"issuer": "https://x"}]}]},
    "aws_iam_openid_connect_provider.this": {"arn": ISSUER},
}


def _example(name):
    return evaluate_ok(GIVEN[name], data={**whereabouts(), **CLUSTER},
                       directory=os.path.join(MODULE, "examples", name))


@case
def every_example_can_be_evaluated():
    check_equal([os.path.basename(path.rstrip("/")) for path in EXAMPLES],
                sorted(GIVEN))
    for name in GIVEN:
        made = _example(name)
        check_equal(made["modules"]["secretsfs"]["role_arn"], ROLE_ARN, name)


@case
def the_example_of_a_secret_keeps_no_value():
    made = _example("secret")
    check_equal(made["resources"]["aws_secretsmanager_secret.kontox"]["name"],
                "Kontox-secret")
    version = made["resources"]["aws_secretsmanager_secret_version.kontox"]
    check_equal(json.loads(version.pop("secret_string_wo")), SECRET)
    version["outputs"] = made["outputs"]
    check("correct horse" not in json.dumps(version), "kept:", version)
    keys = _blocks("variable", os.path.join(MODULE, "examples/secret"))["keys"]
    check_equal((keys["sensitive"], keys["ephemeral"], "default" in keys),
                ("true", "true", False))


def _known_to_provider(archive, kind, name):
    """Arguments and attributes that the provider's bindings have."""
    prefix = "data_" if kind == "data" else ""
    path = f"{prefix}{name.removeprefix('aws_')}/__init__.py"
    if kind == "data":
        path = path.replace("data_", "data_aws_", 1)
    text = archive.read(f"cdktf_cdktf_provider_aws/{path}").decode()
    # the class of the resource alone, not those of blocks in it
    kind = "TerraformDataSource" if kind == "data" else "TerraformResource"
    body = re.search(rf"^class \w+\(\s*_\w+\.{kind},.*?(?=^class |\Z)", text,
                     re.DOTALL | re.MULTILINE)
    check(body, "no bindings of", name)
    return set(re.findall(r"^    @jsii\.member\(jsii_name=\"\w+\"\)\n"
                          r"    def ([a-z]\w+)\(self\)", body[0],
                          re.MULTILINE))


_META = {"count", "for_each", "depends_on"}
_ATTRIBUTE = re.compile(
    r"\b(data\.)?(aws_\w+)\.\w+(?:\[[0-9*]\])?\.(\w+)")


@case
def the_provider_knows_every_argument_and_attribute():
    if not os.path.exists(PROVIDER):
        raise Skip("the provider's bindings are not here "
                   "(contrib/check gets them)")
    seen = {("resource", kind, name)
            for kind, names in COMPUTED.items() for name in names}
    seen |= {("data", address.split(".")[0], name)
             for address, names in {**whereabouts(), **CLUSTER}.items()
             for name in names}
    with zipfile.ZipFile(PROVIDER) as archive:
        for directory in (MODULE, *EXAMPLES):
            for one in ask("describe", directory)["blocks"]:
                if one["kind"] in ("resource", "data"):
                    names = {name for name in one["arguments"]
                             if not name.startswith("lifecycle.")} - _META
                    seen |= {(one["kind"], one["labels"][0], name)
                             for name in names}
                for text in one["arguments"].values():
                    seen |= {("data" if data else "resource", kind, name)
                             for data, kind, name in _ATTRIBUTE.findall(text)}
        check(len(seen) > 30, "found only", seen)
        for kind, name, attribute in sorted(seen):
            known = _known_to_provider(archive, kind, name)
            check(attribute in known, kind, name, "has no", attribute)


# What the files with nothing but locals need of the others.
LOCALS = """
locals {
  account    = "111122223333"
  partition  = "aws"
  dns_suffix = "amazonaws.com"
  regions    = length(var.regions) > 0 ? var.regions : ["eu-central-1"]
}

output "policy" {
  value = local.policy
}

output "trust" {
  value = concat(local.trust_irsa, local.trust_pod_identity)
}
"""


# An ARN that is known only when it has been applied.
CALL = """
resource "terraform_data" "arn" {
  input = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf"
}

module "secretsfs" {
  source             = "./module"
  secrets            = [terraform_data.arn.output]
  oidc_provider_arns = [replace(terraform_data.arn.output, "/.*/", "ISSUER")]
}

output "policy" {
  value = module.secretsfs.policy
}

output "trust" {
  value = module.secretsfs.trust
}
""".replace("ISSUER", ISSUER)


def _copy_locals(directory):
    write_file(os.path.join(directory, "locals.tf"), LOCALS)
    for name in ("variables", "policy", "irsa", "pod_identity"):
        shutil.copy(os.path.join(MODULE, f"{name}.tf"), directory)


def _terraform(*arguments, cwd):
    """Terraform itself, or OpenTofu, where it is: it is in no registry that
    contrib/check could take it from."""
    program = shutil.which("terraform") or shutil.which("tofu")
    if not program:
        raise Skip("there is neither terraform nor tofu")
    return run_ok(program, *arguments, cwd=cwd,
                  env={"CHECKPOINT_DISABLE": "1"}).out


def _check_applied(directory, variables):
    """That what Terraform makes there is what we make of the variables."""
    made = evaluate_ok(variables)
    _terraform("apply", "-auto-approve", cwd=directory)
    found = json.loads(_terraform("output", "-json", cwd=directory))
    check_equal(found["policy"]["value"], made["outputs"]["policy_json"])
    check_equal(found["trust"]["value"], made["locals"]["trust"])


@case
def Terraform_itself_formats_and_evaluates_the_same():
    _terraform("fmt", "-check", "-recursive", MODULE, cwd=SOURCE)
    for variables in (ALL, {"secrets": ["app"]}):
        with work_directory() as directory:
            _copy_locals(directory)
            write_file(os.path.join(directory, "given.auto.tfvars.json"),
                       json.dumps(variables))
            _check_applied(directory, variables)


@case
def Terraform_plans_with_ARNs_that_are_not_known_yet():
    with work_directory() as directory:
        write_file(os.path.join(directory, "main.tf"), CALL)
        _copy_locals(os.path.join(directory, "module"))
        _terraform("init", cwd=directory)
        _check_applied(directory, {
            "oidc_provider_arns": [ISSUER],
            "secrets": [re.search(r'input = "(.*)"', CALL)[1]]})


main(mounts=False)

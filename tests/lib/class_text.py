# SPDX-License-Identifier: Apache-2.0
"""Class files for tests: the first object stands in line 8."""

_HEAD = """apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata: {{name: {name}}}
spec:
  provider: aws
  parameters:{parameters}
    objects: |
"""


def object_text(name, *fields):
    """One object of Secrets Manager; fields are further lines of it."""
    lines = [f"- objectName: {name}"]
    if not name.startswith("arn:"):
        lines.append("  objectType: secretsmanager")
    return "\n".join([*lines, *(f"  {field}" for field in fields)]) + "\n"


def parameter_text(name, *fields):
    """The same of a parameter of SSM."""
    lines = [f"- objectName: {name}", "  objectType: ssmparameter"]
    return "\n".join([*lines, *(f"  {field}" for field in fields)]) + "\n"


def class_text(*objects, name="app", parameters=()):
    """A class of these texts of objects; parameters are lines."""
    more = "".join(f"\n    {line}" for line in parameters)
    lines = "".join(f"      {line}\n" for text in objects
                    for line in text.splitlines())
    return _HEAD.format(name=name, parameters=more) + lines

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row for each rule about fields of objects of the AWS provider that
 * concerns Secrets Manager, and for each of ours: what is written, and what is
 * said. A row's name begins with the key or message that it is about.
 */
#include "tests/class_fixture.h"

#include "base/macros.h"

#define SM "objectType: secretsmanager\n"
#define TWO_REGIONS "region: eu-west-1\nfailoverRegion: eu-west-2\n"
#define PARAMETER "- objectName: a\n  objectType: ssmparameter\n"
#define ONE "- objectName: a\n  " SM
#define ARN "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf"
#define LONG_50 "0123456789012345678901234567890123456789012345678_"
#define LONG_255 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50 "01234"

static const struct class_case objects[] = {
	{ "Empty descriptor entry in SecretProviderClass", NULL, ONE "-\n",
	  "11: Empty descriptor entry in SecretProviderClass", false },
	{ "Failed to load SecretProviderClass: broken YAML", NULL,
	  ONE "  objectAlias: 'x\n",
	  "12: Failed to load SecretProviderClass: found unexpected end of "
	  "stream",
	  false },
	{ "Failed to load SecretProviderClass: a text as entry", NULL, "- a\n",
	  "9: Failed to load SecretProviderClass: objects: text where "
	  "a map is wanted",
	  false },
	{ "Object name must be specified", NULL, "- " SM,
	  "9: Object name must be specified", false },
	{ "Object name must be specified: empty", NULL,
	  "- objectName: ''\n  " SM, "9: Object name must be specified",
	  false },
	{ "Object name must be specified: null", NULL, "- objectName: ~\n  " SM,
	  "9: Object name must be specified", false },
	{ "Invalid ARN format in object name", NULL,
	  "- objectName: arn:aws:secretsmanager:a\n",
	  "9: Invalid ARN format in object name: arn:aws:secretsmanager:a",
	  false },
	{ "ARN region must match region", "region: eu-west-2\n",
	  "- objectName: " ARN "\n",
	  "10: ARN region must match region eu-west-2: " ARN, false },
	{ "ARN region must match region: it does", "region: eu-west-1\n",
	  "- objectName: " ARN "\n", NULL, false },
	{ "Must use objectType when a full ARN is not specified", NULL,
	  "- objectName: a\n",
	  "9: Must use objectType when a full ARN is not specified: a", false },
	{ "Invalid service in ARN", NULL, "- objectName: arn:aws:s3:::b\n",
	  "9: Invalid service in ARN: s3", false },
	{ "Invalid objectType", NULL, "- objectName: a\n  objectType: vault\n",
	  "10: Invalid objectType: vault", false },
	{ "Invalid objectType: ssm", NULL,
	  "- objectName: a\n  objectType: ssm\n", "10: Invalid objectType: ssm",
	  false },
	{ "objectType does not match ARN", NULL,
	  "- objectName: " ARN "\n  objectType: ssmparameter\n",
	  "10: objectType does not match ARN: " ARN, false },
	{ "objectType does not match ARN: unknown service", NULL,
	  "- objectName: arn:aws:s3:::b\n  " SM,
	  "10: objectType does not match ARN: arn:aws:s3:::b", false },
	{ "objectType: secretsmanager", NULL, ONE, NULL, false },
	{ "objectType: ssmparameter", NULL, PARAMETER, NULL, false },
	{ "objectType: ssmparameter by its ARN", NULL,
	  "- objectName: arn:aws:ssm:eu-west-1:1:parameter/a\n", NULL, false },
	{ "objectType: ssmparameter by its ARN, and said", NULL,
	  "- objectName: arn:aws:ssm:eu-west-1:1:parameter/a\n"
	  "  objectType: ssmparameter\n",
	  NULL, false },
	{ "objectType does not match ARN: of a parameter", NULL,
	  "- objectName: arn:aws:ssm:eu-west-1:1:parameter/a\n  " SM,
	  "10: objectType does not match ARN: "
	  "arn:aws:ssm:eu-west-1:1:parameter/a",
	  false },
	{ "ARN region must match region: of a parameter", "region: eu-west-2\n",
	  "- objectName: arn:aws:ssm:eu-west-1:1:parameter/a\n",
	  "10: ARN region must match region eu-west-2: "
	  "arn:aws:ssm:eu-west-1:1:parameter/a",
	  false },
	{ "objectVersion: of a parameter, a bare number", NULL,
	  PARAMETER "  objectVersion: 3\n", NULL, false },
	{ "objectVersionLabel: of a parameter", NULL,
	  PARAMETER "  objectVersionLabel: live\n", NULL, false },
	{ "ssm parameters can not specify both objectVersion and "
	  "objectVersionLabel",
	  NULL, PARAMETER "  objectVersion: 3\n  objectVersionLabel: live\n",
	  "12: ssm parameters can not specify both objectVersion and "
	  "objectVersionLabel: a",
	  false },
	{ "objectVersion with objectVersionLabel: of a secret", NULL,
	  ONE "  objectVersion: 7d0f1c52-3c5e-4f0e-9a55-2f6c1d1a0b9e\n"
	      "  objectVersionLabel: AWSPREVIOUS\n",
	  NULL, false },
	{ "objectName: characters that no parameter has", NULL,
	  "- objectName: a+b\n  objectType: ssmparameter\n",
	  "9: objectName 'a+b' is not the name or ARN of a parameter: letters, digits and /_.- may be in one",
	  false },
	{ "objectName: as long as only a parameter's may be", NULL,
	  "- objectName: " LONG_255 LONG_255 LONG_255
	  "\n  objectType: ssmparameter\n  objectAlias: a\n",
	  NULL, false },
	{ "objectName: a parameter's leading slash is translated", NULL,
	  "- objectName: /a/b\n  objectType: ssmparameter\n"
	  "- objectName: _a_b\n  objectType: ssmparameter\n",
	  "11: the file name '_a_b' is already in use (see line 9)", false },
	{ "objectName: characters that no secret has", NULL,
	  "- objectName: a b\n  " SM,
	  "9: objectName 'a b' is not the name or ARN of a secret: letters, digits and /_+=.@- may be in one",
	  false },
	{ "objectName: longer than a secret's may be", NULL,
	  "- objectName: " LONG_255 LONG_255 "012\n  " SM "  objectAlias: a\n",
	  "9: objectName is longer than the 512 characters that a secret's name may have",
	  false },
	{ "path can not contain ../", "pathTranslation: 'False'\n",
	  "- objectName: ../a\n  " SM, "10: path can not contain ../: ../a",
	  false },
	{ "path can not contain ../: in the middle",
	  "pathTranslation: 'false'\n", "- objectName: a/../b\n  " SM,
	  "10: path can not contain ../: a/../b", false },
	{ "path can not contain ../: at the end", "pathTranslation: 'FALSE'\n",
	  "- objectName: a/..\n  " SM, "10: path can not contain ../: a/..",
	  false },
	{ "path can not contain ../: an alias, the name is named",
	  "pathTranslation: 'False'\n", ONE "  objectAlias: x/../y\n",
	  "10: path can not contain ../: a", false },
	{ "path can not contain ../: an alias of jmesPath",
	  "pathTranslation: 'False'\n",
	  ONE "  jmesPath:\n  - path: b\n    objectAlias: ../b\n",
	  "14: path can not contain ../: ../b", false },
	{ "path can not contain ../: fine once translated", NULL,
	  ONE "  objectAlias: x/../y\n", NULL, false },
	{ "Invalid File Permission", NULL, ONE "  filePermission: '0999'\n",
	  "11: Invalid File Permission: 0999; it takes four octal digits, like "
	  "\"0400\"",
	  false },
	{ "Invalid File Permission: three digits", NULL,
	  ONE "  filePermission: '600'\n",
	  "11: Invalid File Permission: 600; it takes four octal digits, like "
	  "\"0400\"",
	  false },
	{ "Invalid File Permission: without quotes it is decimal", NULL,
	  ONE "  filePermission: 0600\n",
	  "11: Invalid File Permission: 384; write it in quotes, \"0600\": "
	  "without them YAML reads it as a number",
	  false },
	{ "filePermission: the first digit does nothing", NULL,
	  ONE "  filePermission: '4755'\n",
	  "11: filePermission 4755: its first digit does nothing", true },
	{ "Path must be specified for JMES object", NULL,
	  ONE "  jmesPath:\n  - objectAlias: b\n",
	  "12: Path must be specified for JMES object", false },
	{ "Path must be specified for JMES object: a null entry", NULL,
	  ONE "  jmesPath:\n  -\n",
	  "12: Path must be specified for JMES object", false },
	{ "Object alias must be specified for JMES object", NULL,
	  ONE "  jmesPath:\n  - path: b\n",
	  "12: Object alias must be specified for JMES object", false },
	{ "Invalid File Permission: of a jmesPath entry", NULL,
	  ONE "  jmesPath:\n  - path: b\n    objectAlias: b\n"
	      "    filePermission: x\n",
	  "14: Invalid File Permission: x; it takes four octal digits, like "
	  "\"0400\"",
	  false },
	{ "Invalid JMES Path", NULL,
	  ONE "  jmesPath:\n  - objectAlias: b\n    path: a[\n",
	  "13: Invalid JMES Path: a[. syntax error at byte 2: an index, a slice, or * is due here, not the end",
	  false },
	{ "Invalid JMES Path: an unknown function", NULL,
	  ONE "  jmesPath:\n  - objectAlias: b\n    path: upper(a)\n",
	  "13: Invalid JMES Path: upper(a). unknown-function at byte 0: there is no function upper()",
	  false },
	{ "jmesPath: a key with a hyphen in quotes", NULL,
	  ONE "  jmesPath:\n  - {path: '\"a-b\"', objectAlias: b}\n", NULL,
	  false },
	{ "jmesPath: a map where a list is wanted", NULL,
	  ONE "  jmesPath: {path: b}\n",
	  "11: Failed to load SecretProviderClass: jmesPath: a map where a "
	  "list is wanted",
	  false },
	{ "jmesPath: a text as entry", NULL, ONE "  jmesPath: [b]\n",
	  "11: Failed to load SecretProviderClass: jmesPath: text where a map "
	  "is wanted",
	  false },
	{ "jmesPath: with filePermission of its own", NULL,
	  ONE "  jmesPath:\n  - {path: b, objectAlias: b, "
	      "filePermission: '0444'}\n",
	  NULL, false },
	{ "jmesPath: field names in any letter case", NULL,
	  ONE "  jmesPath:\n  - {Path: b, ObjectAlias: b}\n", NULL, false },
	{ "jmesPath: unknown fields are named", NULL,
	  ONE "  jmesPath:\n  - {path: b, objectAlias: b, objectVersion: 1}\n",
	  "12: unknown jmesPath field 'objectVersion' does nothing", true },
	{ "object alias must be specified for objects with failover entries",
	  TWO_REGIONS, ONE "  failoverObject: {objectName: b}\n",
	  "13: object alias must be specified for objects with failover "
	  "entries: a",
	  false },
	{ "failover object allowed only when failover region is defined", NULL,
	  ONE "  objectAlias: x\n  failoverObject: {objectName: b}\n",
	  "12: failover object allowed only when failover region is defined: "
	  "a",
	  false },
	{ "object versions must match between primary and failover regions",
	  TWO_REGIONS,
	  ONE "  objectAlias: x\n  objectVersion: a\n"
	      "  failoverObject: {objectName: b, objectVersion: c}\n",
	  "15: object versions must match between primary and failover "
	  "regions: a",
	  false },
	{ "object versions must match between primary and failover regions: "
	  "the primary has none",
	  TWO_REGIONS,
	  ONE "  objectAlias: x\n"
	      "  failoverObject: {objectName: b, objectVersion: c}\n",
	  "14: object versions must match between primary and failover "
	  "regions: a",
	  false },
	{ "failoverObject: the version is the primary's if it has none",
	  TWO_REGIONS,
	  ONE "  objectAlias: x\n  objectVersion: a\n"
	      "  failoverObject: {objectName: b}\n",
	  NULL, false },
	{ "failoverObject: field names in any letter case", TWO_REGIONS,
	  ONE "  objectAlias: x\n"
	      "  failoverobject: {ObjectName: b, objectversionLABEL: l}\n",
	  NULL, false },
	{ "failoverObject: nothing without a name", NULL,
	  ONE "  failoverObject: {objectVersionLabel: x}\n", NULL, false },
	{ "failoverObject: a text is none", NULL, ONE "  failoverObject: b\n",
	  "11: Failed to load SecretProviderClass: failoverObject: text where "
	  "a map is wanted",
	  false },
	{ "failoverObject: an ARN of the second region", TWO_REGIONS,
	  ONE "  objectAlias: x\n  failoverObject:\n"
	      "    objectName: arn:aws:secretsmanager:eu-west-2:1:secret:b\n",
	  NULL, false },
	{ "ARN region must match region: of a failoverObject", TWO_REGIONS,
	  ONE "  objectAlias: x\n  failoverObject:\n"
	      "    objectName: arn:aws:secretsmanager:eu-west-1:1:secret:b\n",
	  "15: ARN region must match region eu-west-2: "
	  "arn:aws:secretsmanager:eu-west-1:1:secret:b",
	  false },
	{ "objectType does not match ARN: of a failoverObject", TWO_REGIONS,
	  ONE "  objectAlias: x\n  failoverObject:\n"
	      "    objectName: arn:aws:ssm:eu-west-2:1:parameter/b\n",
	  "15: objectType does not match ARN: "
	  "arn:aws:ssm:eu-west-2:1:parameter/b",
	  false },
	{ "failoverObject: a name that no secret has", TWO_REGIONS,
	  ONE "  objectAlias: x\n  failoverObject: {objectName: 'b c'}\n",
	  "14: failoverObject: objectName 'b c' is not the name or ARN of a "
	  "secret",
	  false },
	{ "failoverObject: of a parameter", TWO_REGIONS,
	  PARAMETER "  objectAlias: x\n"
		    "  failoverObject: {objectName: /b}\n",
	  NULL, false },
	{ "ssm parameters can not specify both: with a failoverObject",
	  TWO_REGIONS,
	  PARAMETER "  objectAlias: x\n  objectVersion: 3\n"
		    "  failoverObject: {objectName: b, "
		    "objectVersionLabel: l}\n",
	  "15: ssm parameters can not specify both objectVersion and "
	  "objectVersionLabel: a",
	  false },
	{ "failoverObject: null is nothing", NULL, ONE "  failoverObject:\n",
	  NULL, false },
	{ "template: refused by name", NULL, ONE "  template: x\n",
	  "11: template is not supported yet", false },
	{ "objectTags: refused by name", NULL, ONE "  objectTags: {a: b}\n",
	  "11: objectTags is not supported yet", false },
	{ "objectAlias: taken", NULL, ONE "  objectAlias: b\n", NULL, false },
	{ "objectAlias: empty is none", NULL, ONE "  objectAlias: ''\n", NULL,
	  false },
	{ "objectAlias: a word that is no text without quotes", NULL,
	  ONE "  objectAlias: y\n",
	  "11: objectAlias: without quotes YAML reads 'y' as 'true'", true },
	{ "objectAlias: the same word in quotes", NULL,
	  ONE "  objectAlias: 'y'\n", NULL, false },
	{ "objectVersion: a bare number is text", NULL,
	  ONE "  objectVersion: 3\n", NULL, false },
	{ "objectVersion: a number that is not kept as written", NULL,
	  ONE "  objectVersion: 1.10\n",
	  "11: objectVersion: without quotes YAML reads '1.10' as '1.1'",
	  true },
	{ "objectVersionLabel: taken", NULL,
	  ONE "  objectVersionLabel: AWSPREVIOUS\n", NULL, false },
	{ "objectVersion: with objectVersionLabel too", NULL,
	  ONE "  objectVersion: 1\n  objectVersionLabel: AWSPREVIOUS\n", NULL,
	  false },
	{ "object fields: in any letter case", NULL,
	  "- OBJECTNAME: a\n  ObjectType: secretsmanager\n  objectalias: b\n",
	  NULL, false },
	{ "object fields: unknown ones are named", NULL,
	  ONE "  objectAlais: b\n",
	  "11: unknown object field 'objectAlais' does nothing; 'objectAlias' "
	  "is one",
	  true },
	{ "object fields: twice", NULL, ONE "  ObjectName: b\n",
	  "11: objectName stands here again; the last one counts", true },
	{ "object fields: a map where text is wanted", NULL,
	  "- objectName: {a: b}\n  " SM,
	  "9: Failed to load SecretProviderClass: objectName: a map where text "
	  "is wanted",
	  false },
	{ "object fields: merged from another object", NULL,
	  "- &b\n  objectName: a\n  objectType: secretsmanager\n- <<: *b\n  objectAlias: c\n  objectVersionLabel: AWSPREVIOUS\n",
	  NULL, false },
	{ "optional: neither true nor false", NULL, ONE "  optional: maybe\n",
	  "11: optional takes true or false, not 'maybe'", false },
	{ "optional: in quotes", NULL, ONE "  optional: 'on'\n", NULL, false },
	{ "raw: false alone shows the keys", NULL, ONE "  raw: no\n", NULL,
	  false },
	{ "raw: false with nothing else that shows", NULL,
	  ONE "  raw: false\n  jmesPath: []\n",
	  "11: raw: false and an empty jmesPath leave nothing to show of a",
	  false },
	{ "decode: another", NULL, ONE "  decode: hex\n",
	  "11: decode takes base64 or none, not 'hex'", false },
	{ "owner: of an object", NULL, ONE "  owner: '1:'\n",
	  "11: owner takes UID or UID:GID, as numbers, not '1:'", false },
	{ "control characters are hidden", NULL,
	  ONE "  decode: \"\\e[31m\\x9b\\x7f\"\n",
	  "11: decode takes base64 or none, not '?[31m??"
	  "?'",
	  false },
};

int main(void)
{
	return class_cases_run("objects", objects, ARRAY_SIZE(objects));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One row for each rule about keys of spec.parameters of the AWS provider that
 * concerns Secrets Manager, and for each of ours: what is written, and what is
 * said. A row's name begins with the key or message that it is about.
 */
#include "tests/class_fixture.h"

#include "base/macros.h"

#define SM "objectType: secretsmanager\n"
#define ROLE "assumeRoleArn: arn:aws:iam::123456789012:role/app\n"
#define ONE "- objectName: a\n  " SM

static const struct class_case parameters[] = {
	{ "objects: missing entries are a warning", NULL, "",
	  "1: class 'app' "
	  "lists no objects: it shows nothing",
	  true },
	{ "objects: an empty list is a warning", NULL, "[]\n",
	  "1: class 'app' lists no objects: it shows nothing", true },
	{ "objects: not a list", NULL, "a: b\n",
	  "9: Failed to load SecretProviderClass: objects: a map where a list "
	  "is wanted",
	  false },
	{ "objects: a document marker is fine", NULL, "---\n" ONE, NULL,
	  false },
	{ "objects: flow style is fine", NULL,
	  "[{objectName: a, objectType: secretsmanager}]\n", NULL, false },
	{ "objects: a second document", NULL, ONE "---\n- x\n",
	  "12: objects: only the first document counts", true },
	{ "region: taken", "region: eu-west-1\n", ONE, NULL, false },
	{ "region: no region", "region: eu/west\n", ONE,
	  "8: region takes an AWS region, not 'eu/west'", false },
	{ "proxyFromEnv: taken", "proxyFromEnv: true\n", ONE, NULL, false },
	{ "proxyFromEnv: no truth", "proxyFromEnv: http://proxy\n", ONE,
	  "8: proxyFromEnv takes true or false, not 'http://proxy'", false },
	{ "failoverRegion: taken", "failoverRegion: eu-west-2\n", ONE, NULL,
	  false },
	{ "failoverRegion: no region", "failoverRegion: eu/west\n", ONE,
	  "8: failoverRegion takes an AWS region, not 'eu/west'", false },
	{ "failover region cannot be the same as the primary region",
	  "region: eu-west-1\nfailoverRegion: eu-west-1\n", ONE,
	  "9: eu-west-1: failover region cannot be the same as the primary "
	  "region",
	  false },
	{ "failoverRegion: nothing is nothing", "failoverRegion: ''\n", ONE,
	  NULL, false },
	{ "failoverRegions: taken",
	  "failoverRegions: 'eu-west-2,us-east-1 , us-west-2,'\n", ONE, NULL,
	  false },
	{ "failoverRegions: no region", "failoverRegions: a;b\n", ONE,
	  "8: failoverRegions takes an AWS region, not 'a;b'", false },
	{ "failoverRegions: the primary's is among them",
	  "region: eu-west-1\nfailoverRegions: eu-west-2, eu-west-1\n", ONE,
	  "9: eu-west-1: failover region cannot be the same as the primary "
	  "region",
	  false },
	{ "failoverRegions: twice the same", "failoverRegions: a,b,a\n", ONE,
	  "8: failoverRegions: a stands twice", false },
	{ "Max number of region(s) exceeded", "failoverRegions: a,b,c,d\n", ONE,
	  "8: Max number of region(s) exceeded: failoverRegions takes at most "
	  "3",
	  false },
	{ "failoverRegions: beside failoverRegion",
	  "failoverRegion: a\nfailoverRegions: b\n", ONE,
	  "9: failoverRegion and failoverRegions are two ways to say the same; "
	  "give one",
	  false },
	{ "assumeRoleArn: taken",
	  "assumeRoleArn: arn:aws:iam::123456789012:role/path/app\n", ONE, NULL,
	  false },
	{ "assumeRoleArn: of another partition",
	  "assumeRoleArn: arn:aws-us-gov:iam::123456789012:role/app\n", ONE,
	  NULL, false },
	{ "assumeRoleArn: a user's", "assumeRoleArn: arn:aws:iam::1:user/x\n",
	  ONE,
	  "8: assumeRoleArn takes the ARN of a role, "
	  "arn:aws:iam::ACCOUNT:role/NAME, not 'arn:aws:iam::1:user/x'",
	  false },
	{ "assumeRoleExternalId: taken", ROLE "assumeRoleExternalId: a:b/c-1\n",
	  ONE, NULL, false },
	{ "assumeRoleExternalId: too short", ROLE "assumeRoleExternalId: a\n",
	  ONE,
	  "9: assumeRoleExternalId takes 2 to 1224 letters, digits and "
	  "_+=,.@:/-",
	  false },
	{ "assumeRoleExternalId: without a role", "assumeRoleExternalId: xy\n",
	  ONE, "8: assumeRoleExternalId without assumeRoleArn", false },
	{ "assumeRoleDurationSeconds: taken",
	  ROLE "assumeRoleDurationSeconds: 43200\n", ONE, NULL, false },
	{ "assumeRoleDurationSeconds: too short",
	  ROLE "assumeRoleDurationSeconds: 899\n", ONE,
	  "9: assumeRoleDurationSeconds takes a number from 900 to 43200, not "
	  "'899'",
	  false },
	{ "assumeRoleDurationSeconds: too long",
	  ROLE "assumeRoleDurationSeconds: 43201\n", ONE,
	  "9: assumeRoleDurationSeconds takes a number from 900 to 43200, not "
	  "'43201'",
	  false },
	{ "assumeRoleDurationSeconds: without a role",
	  "assumeRoleDurationSeconds: 900\n", ONE,
	  "8: assumeRoleDurationSeconds without assumeRoleArn", false },
	{ "pathTranslation: one character", "pathTranslation: '-'\n", ONE, NULL,
	  false },
	{ "pathTranslation: False without quotes", "pathTranslation: False\n",
	  ONE, NULL, false },
	{ "pathTranslation must be either 'False' or a single character string",
	  "pathTranslation: ab\n", ONE,
	  "8: pathTranslation must be either 'False' or a single character "
	  "string",
	  false },
	{ "pathTranslation: one character of two bytes",
	  "pathTranslation: \"\\xe9\"\n", ONE,
	  "8: pathTranslation must be either 'False' or a single character "
	  "string",
	  false },
	{ "usePodIdentity: taken, and said to do nothing",
	  "usePodIdentity: 'T'\n", ONE,
	  "8: usePodIdentity does nothing here: credentials come from where "
	  "the mount finds them",
	  true },
	{ "usePodIdentity: false is what is done", "usePodIdentity: False\n",
	  ONE, NULL, false },
	{ "failed to parse usePodIdentity value", "usePodIdentity: 'yes'\n",
	  ONE,
	  "8: failed to parse usePodIdentity value, error: 'yes' is not "
	  "true or false",
	  false },
	{ "preferredAddressType: any value, and said to do nothing",
	  "preferredAddressType: IPv7\n", ONE,
	  "8: preferredAddressType does nothing here: credentials come from "
	  "where the mount finds them",
	  true },
	{ "parameters: an unknown one is named", "colour: red\n", ONE,
	  "8: unknown parameters field 'colour' does nothing", true },
	{ "parameters: letter case counts", "Region: eu-west-1\n", ONE,
	  "8: unknown parameters field 'Region' does nothing; 'region' is one",
	  true },
	{ "parameters: a list where text is wanted", "region: [a]\n", ONE,
	  "8: Failed to load SecretProviderClass: region: a list where text "
	  "is wanted",
	  false },
	{ "ttl: taken", "ttl: 5m\n", ONE, NULL, false },
	{ "ttl: a number is seconds", "ttl: 90\n", ONE, NULL, false },
	{ "ttl: out of range", "ttl: 25h\n", ONE,
	  "8: ttl takes a duration from 1s to 24h, like 90s, 5m or 1h30m, not "
	  "'25h'",
	  false },
	{ "ttl: no duration", "ttl: soon\n", ONE,
	  "8: ttl takes a duration from 1s to 24h, like 90s, 5m or 1h30m, not "
	  "'soon'",
	  false },
	{ "maxStale: out of range", "maxStale: 31d\n", ONE,
	  "8: maxStale takes a duration from 1s to 30d, like 1h or 24h, not "
	  "'31d'",
	  false },
	{ "maxStale: less than ttl", "ttl: 5m\nmaxStale: 4m\n", ONE,
	  "9: maxStale 4m is less than ttl 5m", false },
	{ "verifyAccess: out of range", "verifyAccess: 999ms\n", ONE,
	  "8: verifyAccess takes a duration from 1s to 24h, like 15m, not "
	  "'999ms'",
	  false },
	{ "owner: taken", "owner: 0:2000\n", ONE, NULL, false },
	{ "owner: a name", "owner: root\n", ONE,
	  "8: owner takes UID or UID:GID, as numbers, not 'root'", false },
	{ "layout: taken", "layout: tree\n", ONE, NULL, false },
	{ "layout: another", "layout: bush\n", ONE,
	  "8: layout takes flat or tree, not 'bush'", false },
};

int main(void)
{
	return class_cases_run("parameters", parameters,
			       ARRAY_SIZE(parameters));
}

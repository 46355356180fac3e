/* SPDX-License-Identifier: Apache-2.0 */
/* The one screen that --help prints; the manual page has the rest. */
#include "config/options.h"

const char *options_help(void)
{
	return "usage: secretsfs [OPTION...] SOURCE MOUNTPOINT\n"
	       "       secretsfs status|refresh|upgrade|unmount MOUNTPOINT, check CLASS...\n"
	       "Shows secrets of AWS as files. SOURCE is a class file or a directory of them\n"
	       "(/PATH, ./PATH), secretsmanager:NAME, a bare NAME or ARN, ssm:NAME, file:PATH.\n"
	       "\n"
	       "  --ttl DURATION         a value is confirmed after that long (5m)\n"
	       "  --max-stale DURATION   not confirmed for that long it is gone (24h)\n"
	       "  --verify-access DURATION  and it is read anew that often (15m)\n"
	       "  --timeout DURATION     a reader waits for AWS no longer than that (20s)\n"
	       "  --region REGION, --endpoint-url URL  where the secrets are\n"
	       "  --profile NAME, --allow-credential-process, --proxy-from-env  who asks, how\n"
	       "  --class NAME           which class of a file that has several\n"
	       "  --offline DIRECTORY    a directory of files stands in for AWS\n"
	       "  --owner UID[:GID]      whose the files are (whoever mounts)\n"
	       "  --mode, --dir-mode     octal modes of files (0400) and directories (0500)\n"
	       "  --allow-other, --context CONTEXT  let other users in; as SELinux sees files\n"
	       "  --xattr                files carry version and state: getfattr -d\n"
	       "  --worker-user USER     who serves the mount (secretsfs, else nobody)\n"
	       "  --insecure-no-sandbox  mount also where the worker cannot be fenced in\n"
	       "  --heartbeat DURATION   a worker that stands still is replaced then (10s)\n"
	       "  --log-format text|json, --log-level error|warning|info|debug (-d)\n"
	       "  --metrics [ADDRESS:]PORT, --metrics-keys  Prometheus and probes ask there\n"
	       "  --log-file PATH; -f, --foreground: standard error; -h, --help; -V, --version\n"
	       "  -o WORD[,WORD...]      any of these as fstab has them: -o ttl=5m,allow_other\n";
}

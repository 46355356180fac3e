/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECK_IDENTITY_H
#define CHECK_IDENTITY_H

struct options;

/*
 * As whom a mount with these options and in this environment would ask AWS:
 * writes each provider that was looked at and why it does not serve, the one
 * that does, and until when its keys last, for which it is asked. Never a key.
 *
 * Returns the exit code: 0, 1 where the configuration is wrong or there is
 * none, 3 where the provider gave no keys.
 */
int check_identity(const struct options *options);

#endif

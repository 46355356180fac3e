/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_PLACES_H
#define AWS_PLACES_H

struct aws_environment;

/* Where this room reads and asks, as far as the environment says so: for a
 * sandbox that must know it beforehand. */

enum aws_place {
	AWS_PLACE_FILE,
	AWS_PLACE_URL, /* as it was given: it may be wrong */
};

/* Runs on_place for each; texts are the environment's. */
void aws_each_place(const struct aws_environment *environment,
		    void (*on_place)(void *owner, enum aws_place kind,
				     const char *text),
		    void *owner);

#endif

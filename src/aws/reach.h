/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AWS_REACH_H
#define AWS_REACH_H

struct aws_environment;

/* Where this room reads and asks, as far as environment and profiles say so:
 * for a sandbox that must know it beforehand. */

enum aws_reach {
	AWS_REACH_FILE,
	AWS_REACH_DIRECTORY, /* with all that is below it */
	AWS_REACH_URL,	     /* as it was given: it may be wrong */
};

/* Runs on_each for each, once the profiles' settings were added; text is
 * borrowed. */
void aws_reach_each(const struct aws_environment *environment,
		    void (*on_each)(void *owner, enum aws_reach kind,
				    const char *text),
		    void *owner);

#endif

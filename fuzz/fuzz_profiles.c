/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the files of profiles: the first half is the config file, the
 * second the credentials file. What is found must be findable, a chain of roles
 * must end, and an error must name its line and nothing of the file.
 */
#include "fuzz/fuzz.h"

#include "aws/profile_chain.h"
#include "aws/profiles.h"
#include "aws/profiles_private.h"
#include "base/buf.h"
#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static void check_fault(int r, const struct err *err)
{
	PROMISE(r == 0 || r == -EINVAL);
	if (r == 0)
		return;
	PROMISE(strncmp(err->text, "file:", 5) == 0);
	for (const char *at = err->text; *at != '\0'; at++)
		PROMISE(!iscntrl((unsigned char)*at));
}

static void check_names(const struct profiles *profiles)
{
	const char *text = buf_text(&profiles->text);

	for (size_t i = 0; i < profiles->section_count; i++) {
		const struct profiles_section *one = &profiles->sections[i];

		PROMISE(text[one->name_at] != '\0');
		PROMISE(one->is_hidden ||
			profiles_has(profiles, one->kind, text + one->name_at));
	}
}

static void check_chain(const struct profiles *profiles, const char *name)
{
	struct profile_chain chain;
	struct err err = { 0 };
	int r = profile_chain_find(profiles, name, &chain, &err);

	PROMISE(r == 0 || r == -ENOENT || r == -ENODATA || r == -EINVAL);
	PROMISE(r == 0 || err.text[0] != '\0');
	if (r < 0)
		return;
	PROMISE(chain.role_count <= PROFILE_ROLES_MAX);
	for (size_t i = 0; i < chain.role_count; i++)
		PROMISE(chain.roles[i].arn && chain.roles[i].arn[0] != '\0');
}

/* Few, since a fuzzer can write thousands. */
static void check_chains(const struct profiles *profiles)
{
	const char *text = buf_text(&profiles->text);

	check_chain(profiles, "default");
	for (size_t i = 0; i < profiles->section_count && i < 16; i++)
		if (profiles->sections[i].kind == PROFILE_SECTION_PROFILE)
			check_chain(profiles,
				    text + profiles->sections[i].name_at);
}

static void check_values(const struct profiles *profiles)
{
	const char *text = buf_text(&profiles->text);

	for (size_t i = 0; i < profiles->property_count && i < 64; i++) {
		const char *value = text + profiles->properties[i].value_at;
		size_t length = 0;
		const char *found =
			profiles_get_sub(value, "endpoint_url", &length);

		PROMISE(!found || (found > value &&
				   found + length <= value + strlen(value)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const char *text = (const char *)bytes;
	struct profiles *profiles = profiles_new();
	struct err err = { 0 };
	size_t half = length / 2;
	int r;

	PROMISE(profiles);
	r = profiles_parse(profiles, PROFILE_FILE_CONFIG, "file", text, half,
			   &err);
	check_fault(r, &err);
	r = profiles_parse(profiles, PROFILE_FILE_CREDENTIALS, "file",
			   text + half, length - half, &err);
	check_fault(r, &err);
	check_names(profiles);
	check_chains(profiles);
	check_values(profiles);
	profiles_free(profiles);
	return 0;
}

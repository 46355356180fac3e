/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CLASS_H
#define CONFIG_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macros.h"

struct err;
struct jmespath;

/*
 * Classes: SecretProviderClass documents, read, checked and resolved, so that
 * all which is left to do is to serve them. Reading asks nobody: no network,
 * no credentials.
 *
 * The dialect is that of the AWS provider for the Secrets Store CSI driver,
 * with its messages; what is ours is in secretsfs-class(5). A key that means
 * something there and is not served here is refused, never ignored.
 */

/* The most that a class file may be long, and that reading one may take. */
#define CLASS_FILE_MAX ((size_t)256 * 1024)
#define CLASS_MEMORY_MAX ((size_t)8 * 1024 * 1024)
#define CLASS_OBJECTS_MAX 10000
#define CLASS_FOLDERS_MAX 4096 /* folders of one class, by '/' in names */
#define CLASS_FAILOVER_MAX 3   /* regions besides the first */
#define CLASS_WARNINGS_MAX 100 /* kept; more are counted */

/* An entry's own, else its object's, else its class's. What nobody sets is up
 * to the options of the mount. */
struct class_rights {
	bool has_mode;
	mode_t mode; /* at most 0777 */
	bool has_owner;
	uid_t uid;
	bool has_group; /* otherwise the group is the mount's too */
	gid_t gid;
};

struct class_file {
	const char *name;		   /* below the mount; may hold '/' */
	const char *path;		   /* JMESPath; NULL: the whole value */
	const struct jmespath *expression; /* path, compiled */
	bool decode_base64; /* not done to a whole value that is an object */
	struct class_rights rights;
	unsigned line;
};

struct class_object {
	const char *name;	 /* as written: a name or an ARN */
	const char *secret_name; /* source_text_secret_name() of it */
	const char *arn_region;	 /* NULL: not an ARN */
	const char *version;	 /* id or number; NULL: not given */
	const char *stage;	 /* objectVersionLabel; NULL: not given */

	/* What stands in for it in other regions than the first: name or ARN,
	 * and the label with its own fallback. NULL: it has the same name. */
	const char *failover_name;
	const char *failover_stage;

	/* Each top-level key is a file in folder, which is "" for the root and
	 * has no '/' at its end. */
	bool expands;
	const char *folder;
	bool decode_base64; /* of these keys */
	bool is_parameter;  /* of SSM, not a secret */
	bool optional;	    /* a missing secret is absent, no error */

	struct class_rights rights;
	const struct class_file *files; /* the raw one, if any, is first */
	size_t file_count;
	unsigned line;
};

enum class_layout {
	CLASS_FLAT,
	CLASS_TREE, /* each object is a directory */
};

struct class
{
	const char *namespace; /* NULL: not given */
	const char *name;
	const char *region;				  /* NULL: not given */
	const char *failover_regions[CLASS_FAILOVER_MAX]; /* in that order */
	size_t failover_count;
	const char *role_arn;	      /* to assume; NULL: none */
	const char *role_external_id; /* or NULL */
	unsigned role_duration_s;     /* 0: not given */
	int64_t ttl_ms;		      /* 0: not given, as for those below */
	int64_t max_stale_ms;
	int64_t verify_access_ms;
	struct class_rights rights;
	enum class_layout layout;
	bool proxy_from_env; /* what the environment names may be used */
	const struct class_object *objects;
	size_t object_count;
	unsigned line;
};

struct class_warning {
	const char *text;
	unsigned line;
};

/* All strings are the list's. */
struct class_list {
	const struct class *classes;
	size_t count; /* never 0 */
	const struct class_warning *warnings;
	size_t warning_count;
	size_t warnings_left_out; /* those past CLASS_WARNINGS_MAX */
};

/*
 * Reads all classes of a file: several documents, and kind List. Documents of
 * another kind are passed over; those of another provider too, with a warning.
 *
 * 0; -EINVAL: something in it is wrong; -E2BIG: past a bound; -ENOMEM. err's
 * text is "FILE:LINE: reason", with file_name and lines of the whole file also
 * for what is wrong inside the text of `objects`; control characters of the
 * file are '?' in it, and in warnings.
 */
int class_list_parse(const char *file_name, const void *bytes, size_t length,
		     struct class_list **ret, struct err *err);

/* The same from a regular file. Other codes are those of open(2) and read(2).
 */
int class_list_read(const char *path, struct class_list **ret, struct err *err);

/* One more to whom it belongs, each of whom frees it. */
struct class_list *class_list_ref(struct class_list *list);

/* NULL is allowed. */
void class_list_free(struct class_list *list);

static inline void class_list_freep(struct class_list **list)
{
	class_list_free(*list);
}

#define cleanup_class_list CLEANUP(class_list_freep)

#endif

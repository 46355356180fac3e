/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_CLASS_READER_H
#define CONFIG_CLASS_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/arena.h"
#include "config/class.h"

struct err;
struct ydoc_node;
struct ydoc_text;

/*
 * What the files that read a class share: where its results go, and how they
 * complain. All of their calls return 0, or a negative errno with err filled.
 */

/* A path that is compiled when the trees are gone. */
struct class_expression {
	struct class_expression *next;
	struct class_file *file;
	unsigned line;
	struct jmespath *compiled; /* owned by the list; NULL: not yet */
};

struct class_reader {
	const char *file_name;
	const char *bytes; /* of the whole file */
	size_t length;
	struct err *err;
	struct arena *kept;  /* what class_list_free() frees */
	struct arena *trees; /* gone when the file is read */

	struct class_expression **expressions_end; /* of a list in kept */

	struct class_warning *warnings;
	size_t warning_count;
	size_t warnings_left_out;
	size_t inner_length; /* of all texts of `objects` so far */
	const char *line_at; /* where in bytes a line begins, and which: */
	unsigned line;	     /* no later one was needed yet */
};

/* "FILE:LINE: text". Returns -EINVAL. */
int class_refuse(const struct class_reader *reader, unsigned line,
		 const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Past a bound of the reader: as above, but -E2BIG. */
int class_refuse_size(const struct class_reader *reader, unsigned line,
		      const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An arena gave nothing: -E2BIG or -ENOMEM. */
int class_no_room(const struct class_reader *reader);

void class_warn(struct class_reader *reader, unsigned line, const char *format,
		...) __attribute__((format(printf, 3, 4)));

/* ydoc_parse(), into trees; complains as the provider does. */
int class_parse_yaml(const struct class_reader *reader,
		     const struct ydoc_text *text,
		     const struct ydoc_node **ret);

/* "Failed to load SecretProviderClass: NAME: a map where TEXT is wanted". */
int class_refuse_kind(const struct class_reader *reader,
		      const struct ydoc_node *value, const char *name,
		      const char *wanted);

/* A field that was read: text is "" where it was given as nothing. */
struct class_given {
	const char *text; /* kept; NULL: not given, or node is one */
	const struct ydoc_node *node; /* of the value; NULL: not given */
	unsigned line;
};

enum class_field_kind {
	FIELD_TEXT,
	FIELD_BOOL, /* a text that may be one of YAML's words for it */
	FIELD_LIST,
	FIELD_MAP,
	FIELD_IDLE,  /* a text that changes nothing here: a warning says so */
	FIELD_LATER, /* refused as long as we cannot do it */
};

struct class_field {
	const char *name;
	enum class_field_kind kind;
	size_t offset;	    /* of a struct class_given */
	const char *remark; /* of FIELD_IDLE: why */
};

struct class_fields {
	const char *what; /* "object", for complaints */
	bool any_case;	  /* names match in any case */
	const struct class_field *list;
	size_t count;
};

/* Reads a map into the struct of class_given's at into. Names that are not in
 * fields, or stand twice, are warnings. */
int class_fields_read(struct class_reader *reader, const struct ydoc_node *map,
		      const struct class_fields *fields, void *into);

/* Given, and not as nothing. */
bool class_is_given(const struct class_given *given);
const char *class_text_or_null(const struct class_given *given);

/* Values of fields. What is not given leaves ret as it is. */
int class_read_bool(struct class_reader *reader, const char *name,
		    const struct class_given *given, bool *ret);
int class_read_decode(struct class_reader *reader,
		      const struct class_given *given, bool *ret_base64);
int class_read_rights(struct class_reader *reader,
		      const struct class_given *permission,
		      const struct class_given *owner,
		      struct class_rights *rights);

/* What spec.parameters says, but for `objects`. */
struct class_parameters {
	char translation; /* of '/' in names; 0: none */
	struct class_given objects;
};

/* Refuses what is not a region: it becomes a part of host names. */
int class_check_region(struct class_reader *reader, const char *name,
		       const char *region, unsigned line);

/* failoverRegion and failoverRegions, into class, whose region is there. */
int class_read_failover_regions(struct class_reader *reader,
				const struct class_given *one,
				const struct class_given *several,
				struct class *class);

/* assumeRoleArn and what belongs to it, into class. */
struct class_role_given {
	struct class_given arn;
	struct class_given external_id;
	struct class_given duration;
};
int class_read_role(struct class_reader *reader,
		    const struct class_role_given *given, struct class *class);

/* Fills what it says into class, too. */
int class_parameters_read(struct class_reader *reader,
			  const struct ydoc_node *map, struct class *class,
			  struct class_parameters *ret);

/* Reads `objects` into class, whose parameters are there already. */
int class_objects_read(struct class_reader *reader,
		       const struct class_parameters *parameters,
		       struct class *class);

/* Has the path of a file compiled later, by class_compile(). line is where it
 * stands. */
int class_compile_later(struct class_reader *reader, struct class_file *file,
			unsigned line);

/* Compiles all of a list, within CLASS_MEMORY_MAX. */
int class_compile(const struct class_reader *reader,
		  struct class_expression *list);

/* The lines in the outer file on which each line of a scalar's text stands.
 * Fills first_line, lines and line_count of the text. */
int class_place_inner(struct class_reader *reader,
		      const struct ydoc_node *scalar, struct ydoc_text *text);

#endif

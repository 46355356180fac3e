/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signing vectors of aws-c-auth (tests/aws-signing-test-suite/v4, licence
 * Apache-2.0), where they are at hand: in the folder that
 * SECRETSFS_SIGV4_VECTORS names, or in ../shared/data/sigv4 beside the source.
 * Without them every case is a visible skip.
 *
 * The signer takes path and query as they are. Where a vector's request is not
 * canonical in them, who sends has to make it so before it is signed: such a
 * vector is signed with the path and query of its canonical request.
 *
 * This program writes its TAP itself: cmocka shows a skip as "not ok", and has
 * no place for the reason.
 */
#include "aws/sigv4.h"
#include "aws/timestamp.h"
#include "base/buf.h"
#include "base/jdoc.h"
#include "base/macros.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 65536
#define PATH_SIZE 4096

enum form {
	AS_SENT,
	CANONICAL_PATH,	 /* dots and slashes removed, or bytes encoded */
	CANONICAL_QUERY, /* sorted, or bytes encoded */
};

struct vector {
	const char *name;
	enum form form;
};

static const struct vector vectors[] = {
	{ "get-header-key-duplicate", AS_SENT },
	{ "get-header-value-multiline", AS_SENT },
	{ "get-header-value-order", AS_SENT },
	{ "get-header-value-trim", AS_SENT },
	{ "get-relative-normalized", CANONICAL_PATH },
	{ "get-relative-relative-normalized", CANONICAL_PATH },
	{ "get-relative-relative-unnormalized", AS_SENT },
	{ "get-relative-unnormalized", AS_SENT },
	{ "get-slash-dot-slash-normalized", CANONICAL_PATH },
	{ "get-slash-dot-slash-unnormalized", AS_SENT },
	{ "get-slash-normalized", CANONICAL_PATH },
	{ "get-slash-pointless-dot-normalized", CANONICAL_PATH },
	{ "get-slash-pointless-dot-unnormalized", AS_SENT },
	{ "get-slash-unnormalized", AS_SENT },
	{ "get-slashes-normalized", CANONICAL_PATH },
	{ "get-slashes-unnormalized", AS_SENT },
	{ "get-space-normalized", CANONICAL_PATH },
	{ "get-space-unnormalized", CANONICAL_PATH },
	{ "get-unreserved", AS_SENT },
	{ "get-utf8", CANONICAL_PATH },
	{ "get-vanilla", AS_SENT },
	{ "get-vanilla-empty-query-key", AS_SENT },
	{ "get-vanilla-query", AS_SENT },
	{ "get-vanilla-query-order-encoded", CANONICAL_QUERY },
	{ "get-vanilla-query-order-key-case", CANONICAL_QUERY },
	{ "get-vanilla-query-unreserved", AS_SENT },
	{ "get-vanilla-utf8-query", CANONICAL_QUERY },
	{ "get-vanilla-with-session-token", AS_SENT },
	{ "post-header-key-case", AS_SENT },
	{ "post-header-key-sort", AS_SENT },
	{ "post-header-value-case", AS_SENT },
	{ "post-sts-header-after", AS_SENT },
	{ "post-sts-header-before", AS_SENT },
	{ "post-vanilla", AS_SENT },
	{ "post-vanilla-empty-query-value", AS_SENT },
	{ "post-vanilla-query", AS_SENT },
	{ "post-x-www-form-urlencoded", AS_SENT },
	{ "post-x-www-form-urlencoded-parameters", AS_SENT },
};

/* NULL: the vectors are not at hand. */
static DIR *open_folder(void)
{
	const char *folder = getenv("SECRETSFS_SIGV4_VECTORS");
	const char *source = getenv("SECRETSFS_SOURCE");
	char path[PATH_SIZE];

	if (folder)
		return opendir(folder);
	(void)snprintf(path, sizeof(path), "%s/../shared/data/sigv4",
		       source ? source : ".");
	return opendir(path);
}

static void read_file(DIR *folder, const char *vector, const char *name,
		      struct buf *out)
{
	char path[PATH_SIZE];
	ssize_t length;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", vector, name);
	fd = openat(dirfd(folder), path, O_RDONLY | O_CLOEXEC);
	assert(fd >= 0);
	buf_init(out, FILE_MAX);
	assert(buf_reserve(out, FILE_MAX) == 0);
	length = read(fd, out->bytes, FILE_MAX);
	assert(length >= 0 && length < FILE_MAX);
	out->length = (size_t)length;
	out->bytes[out->length] = '\0';
	(void)close(fd);
}

/* What a vector's context.json and request.txt say. */
struct input {
	struct jdoc *context;
	struct buf key_id;
	struct buf secret_key;
	struct buf token;
	struct buf region;
	struct buf service;
	struct buf time;
	struct buf lines; /* of the canonical request */
	struct sigv4_header headers[SIGV4_HEADERS_MAX];
	struct sigv4_request request;
	char date[TIMESTAMP_BASIC_SIZE];
	char body_hash[65];
};

static jdoc_node member(const struct input *input, jdoc_node parent,
			const char *name)
{
	return jdoc_member(input->context, parent, name, strlen(name));
}

static void take_text(const struct input *input, jdoc_node parent,
		      const char *name, struct buf *out)
{
	jdoc_node node = member(input, parent, name);

	buf_init(out, FILE_MAX);
	if (node != JDOC_NONE)
		assert(jdoc_string(input->context, node, out) == 0);
}

static bool has_flag(const struct input *input, const char *name)
{
	jdoc_node node = member(input, 0, name);

	return node != JDOC_NONE &&
	       jdoc_type(input->context, node) == JDOC_TRUE;
}

static void read_context(struct input *input, const struct buf *text)
{
	struct sigv4_request *request = &input->request;
	jdoc_node credentials;

	assert(jdoc_parse(buf_text(text), text->length, &input->context,
			  NULL) == 0);
	credentials = member(input, 0, "credentials");
	take_text(input, credentials, "access_key_id", &input->key_id);
	take_text(input, credentials, "secret_access_key", &input->secret_key);
	take_text(input, credentials, "token", &input->token);
	take_text(input, 0, "region", &input->region);
	take_text(input, 0, "service", &input->service);
	take_text(input, 0, "timestamp", &input->time);
	request->key_id = buf_text(&input->key_id);
	request->secret_key = buf_text(&input->secret_key);
	request->region = buf_text(&input->region);
	request->service = buf_text(&input->service);
	assert(timestamp_parse(buf_text(&input->time), &request->time_s) == 0);
	assert(timestamp_basic(request->time_s, input->date) == 0);
}

static void add_header(struct input *input, const char *name, const char *value)
{
	assert(input->request.header_count < SIGV4_HEADERS_MAX);
	input->headers[input->request.header_count++] =
		(struct sigv4_header){ name, value };
}

/* A line that begins with a blank goes on with the one before. */
static void unfold(char *text)
{
	for (; *text != '\0'; text++)
		if (text[0] == '\n' && text[1] == ' ')
			text[0] = ' ';
}

/* Cuts the text of a request into its parts, in place. */
static void read_request(struct input *input, struct buf *text)
{
	struct sigv4_request *request = &input->request;
	char *at = (char *)text->bytes;
	char *body = strstr(at, "\n\n");
	char *line;
	char *query;

	request->body = "";
	if (body) {
		*body = '\0';
		request->body = body + 2;
		request->body_length = strlen(body + 2);
	}
	unfold(at);
	request->method = strsep(&at, " ");
	request->path = strsep(&at, " ");
	query = strchr(request->path, '?');
	if (query)
		*query++ = '\0';
	request->query = query ? query : "";
	(void)strsep(&at, "\n");
	while ((line = strsep(&at, "\n")))
		if (line[0] != '\0') {
			const char *name = strsep(&line, ":");

			add_header(input, name, line);
		}
	request->headers = input->headers;
}

/* Method, path and query are the first lines of a canonical request. One of
 * the two is taken from there, and the other has to be the same already. */
static bool take_canonical(struct input *input, enum form form,
			   const struct buf *canonical)
{
	struct sigv4_request *request = &input->request;
	const char *path;
	const char *query;
	char *at;

	assert(buf_append(&input->lines, canonical->bytes, canonical->length) ==
	       0);
	at = (char *)input->lines.bytes;
	(void)strsep(&at, "\n");
	path = strsep(&at, "\n");
	query = strsep(&at, "\n");
	if (form == CANONICAL_PATH && strcmp(path, request->path) != 0)
		request->path = path;
	else if (form == CANONICAL_QUERY && strcmp(query, request->query) != 0)
		request->query = query;
	else
		return false; /* it is canonical as it is sent */
	return strcmp(path, request->path) == 0 &&
	       strcmp(query, request->query) == 0;
}

/* The body's hash is the canonical request's last line. */
static void add_what_signers_add(struct input *input,
				 const struct buf *canonical)
{
	const char *hash = strrchr(buf_text(canonical), '\n') + 1;

	add_header(input, "X-Amz-Date", input->date);
	if (input->token.length > 0 && !has_flag(input, "omit_session_token"))
		add_header(input, "X-Amz-Security-Token",
			   buf_text(&input->token));
	if (has_flag(input, "sign_body")) {
		(void)snprintf(input->body_hash, sizeof(input->body_hash), "%s",
			       hash);
		add_header(input, "X-Amz-Content-Sha256", input->body_hash);
	}
}

static void input_done(struct input *input)
{
	jdoc_free(input->context);
	buf_done(&input->key_id);
	buf_done(&input->secret_key);
	buf_done(&input->token);
	buf_done(&input->region);
	buf_done(&input->service);
	buf_done(&input->time);
	buf_done(&input->lines);
}

typedef int make_text(const struct sigv4_request *request, struct buf *out);

/* Whether what is made ends with what the file holds. */
static bool check_text(DIR *folder, const struct input *input, const char *name,
		       const char *file, make_text *make)
{
	cleanup_buf struct buf expected;
	cleanup_buf struct buf out;
	bool is_same;

	read_file(folder, name, file, &expected);
	buf_init(&out, FILE_MAX);
	assert(make(&input->request, &out) == 0);
	is_same = out.length >= expected.length &&
		  strcmp(buf_text(&out) + out.length - expected.length,
			 buf_text(&expected)) == 0;
	if (!is_same)
		(void)printf("# %s: instead of %s\n# %s\n", file,
			     buf_text(&expected), buf_text(&out));
	return is_same;
}

static bool check_vector(DIR *folder, const struct vector *vector)
{
	const char *name = vector->name;
	struct input input = { 0 };
	cleanup_buf struct buf context;
	cleanup_buf struct buf text;
	cleanup_buf struct buf canonical;
	bool is_good;

	read_file(folder, name, "context.json", &context);
	read_file(folder, name, "request.txt", &text);
	read_file(folder, name, "header-canonical-request.txt", &canonical);
	read_context(&input, &context);
	read_request(&input, &text);
	buf_init(&input.lines, FILE_MAX);
	add_what_signers_add(&input, &canonical);
	is_good =
		(vector->form == AS_SENT ||
		 take_canonical(&input, vector->form, &canonical)) &&
		check_text(folder, &input, name, "header-canonical-request.txt",
			   sigv4_canonical_request) &&
		check_text(folder, &input, name, "header-string-to-sign.txt",
			   sigv4_string_to_sign) &&
		check_text(folder, &input, name, "header-signature.txt",
			   sigv4_authorization);
	input_done(&input);
	return is_good;
}

static bool is_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		if (strcmp(name, vectors[i].name) == 0)
			return true;
	return false;
}

static bool knows_every_vector(DIR *folder)
{
	const struct dirent *entry;
	bool is_good = true;

	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.' || is_known(entry->d_name))
			continue;
		(void)printf("# %s is not in the table\n", entry->d_name);
		is_good = false;
	}
	return is_good;
}

static void run(DIR *folder, size_t number, const struct vector *vector)
{
	if (!folder)
		(void)printf("ok %zu - %s # SKIP no vectors at hand: set "
			     "SECRETSFS_SIGV4_VECTORS\n",
			     number, vector->name);
	else
		(void)printf("%sok %zu - %s\n",
			     check_vector(folder, vector) ? "" : "not ", number,
			     vector->name);
}

int main(void)
{
	DIR *folder = open_folder();

	(void)printf("1..%zu\n", ARRAY_SIZE(vectors) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		run(folder, i + 1, &vectors[i]);
	if (folder)
		(void)printf("%sok %zu - knows every vector\n",
			     knows_every_vector(folder) ? "" : "not ",
			     ARRAY_SIZE(vectors) + 1);
	else
		(void)printf("ok %zu - knows every vector # SKIP no vectors\n",
			     ARRAY_SIZE(vectors) + 1);
	if (folder)
		(void)closedir(folder);
	return 0;
}

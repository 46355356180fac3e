/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only place where errors of AWS become errno. A refusal is read from
 * whatever form it came in to a type and a message, and looked up by its type.
 */
#include "aws/refusal.h"
#include "aws/reply.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define STATUS_BAD_REQUEST 400
#define STATUS_NOT_FOUND 404
#define STATUS_NOT_ALLOWED 405
#define STATUS_SERVER_FAULT 500
#define STATUS_NOT_IMPLEMENTED 501
#define TYPE_SIZE 96
#define MESSAGE_SIZE 257
#define REQUEST_ID_SIZE 65
#define FIELD_MAX (16U << 10)

/*
 * EIO is for what may pass by itself: cached values outlive it. ENOENT and
 * EACCES end them, so they are only for what AWS says for certain. What is not
 * listed is EIO.
 *
 * A name that AWS finds malformed (InvalidParameterException) is a name of
 * nothing: ENOENT.
 */
static const struct {
	const char *type;
	const char *message_part; /* NULL: any message */
	int code;
} refusals[] = {
	/* Secrets Manager, GetSecretValue, "Errors" */
	{ "ResourceNotFoundException", NULL, -ENOENT },
	{ "InvalidRequestException", NULL, -ENOENT }, /* marked for deletion */
	{ "InvalidParameterException", NULL, -ENOENT },
	{ "DecryptionFailure", NULL, -EACCES },

	/* SSM, GetParameters. What comes for a parameter that is not there is
	 * no error of the call. */
	{ "InvalidKeyId", NULL, -EACCES },
	{ "ParameterNotFound", NULL, -ENOENT },
	{ "ParameterVersionNotFound", NULL, -ENOENT },

	/* "Common Error Types", and the names of the query protocol */
	{ "ValidationException", NULL, -ENOENT },
	{ "AccessDenied", NULL, -EACCES },
	{ "AccessDeniedException", NULL, -EACCES },
	{ "AuthFailure", NULL, -EACCES },
	{ "ExpiredToken", NULL, -EACCES },
	{ "ExpiredTokenException", NULL, -EACCES },
	{ "IncompleteSignature", NULL, -EACCES },
	{ "IncompleteSignatureException", NULL, -EACCES },
	{ "InvalidAccessKeyId", NULL, -EACCES },
	{ "InvalidClientTokenId", NULL, -EACCES },
	{ "InvalidSignatureException", NULL, -EACCES },
	{ "MissingAuthenticationToken", NULL, -EACCES },
	{ "MissingAuthenticationTokenException", NULL, -EACCES },
	{ "NotAuthorized", NULL, -EACCES },
	{ "OptInRequired", NULL, -EACCES },
	{ "RequestExpired", NULL, -EACCES },
	{ "SignatureDoesNotMatch", NULL, -EACCES },
	{ "UnrecognizedClient", NULL, -EACCES },
	{ "UnrecognizedClientException", NULL, -EACCES },

	/* STS, AssumeRoleWithWebIdentity, "Errors". It says "invalid token"
	 * also where it could not reach the identity provider's keys. */
	{ "InvalidIdentityToken", "retrieve verification key", -EIO },
	{ "InvalidIdentityToken", NULL, -EACCES },
	{ "IDPRejectedClaim", NULL, -EACCES },
	{ "MalformedPolicyDocument", NULL, -EACCES },
	{ "PackedPolicyTooLarge", NULL, -EACCES },
	{ "RegionDisabledException", NULL, -EACCES },
	{ "ValidationError", NULL, -EACCES },
};

static const char *const types_of_keys[] = {
	"ExpiredToken",
	"ExpiredTokenException",
	"InvalidClientTokenId",
	"UnrecognizedClient",
	"UnrecognizedClientException",
};

/* Go v2's aws/retry/clockskew.go */
static const char *const types_of_time[] = {
	"AccessDeniedException",     "AuthFailure",
	"InvalidSignatureException", "RequestTimeTooSkewed",
	"SignatureDoesNotMatch",
};

/* The endpoint does not know the operation, or does not let us have it. */
static const char *const types_of_operation[] = {
	"AccessDenied",	 "AccessDeniedException", "InvalidAction",
	"NotAuthorized", "UnknownOperation",	  "UnknownOperationException",
};

/* It may be about one of several things that were asked for. */
static const char *const types_of_one[] = {
	"AccessDenied",	     "AccessDeniedException",	 "InvalidKeyId",
	"ParameterNotFound", "ParameterVersionNotFound", "ValidationException",
};

static const struct {
	const char *type;
	const char *message_part; /* NULL: any message */
	enum refusal_kind kind;
} kinds[] = {
	/* botocore/retries/standard.py and retries/special.py */
	{ "PriorRequestNotComplete", NULL, REFUSAL_TRANSIENT },
	{ "RequestTimeout", NULL, REFUSAL_TRANSIENT },
	{ "RequestTimeoutException", NULL, REFUSAL_TRANSIENT },
	{ "IDPCommunicationError", NULL, REFUSAL_TRANSIENT },
	/* the same fault in other words */
	{ "InvalidIdentityToken", "retrieve verification key",
	  REFUSAL_TRANSIENT },

	{ "BandwidthLimitExceeded", NULL, REFUSAL_THROTTLED },
	{ "EC2ThrottledException", NULL, REFUSAL_THROTTLED },
	{ "LimitExceededException", NULL, REFUSAL_THROTTLED },
	{ "ProvisionedThroughputExceededException", NULL, REFUSAL_THROTTLED },
	{ "RequestLimitExceeded", NULL, REFUSAL_THROTTLED },
	{ "RequestThrottled", NULL, REFUSAL_THROTTLED },
	{ "RequestThrottledException", NULL, REFUSAL_THROTTLED },
	{ "SlowDown", NULL, REFUSAL_THROTTLED },
	{ "ThrottledException", NULL, REFUSAL_THROTTLED },
	{ "Throttling", NULL, REFUSAL_THROTTLED },
	{ "ThrottlingException", NULL, REFUSAL_THROTTLED },
	{ "TooManyRequestsException", NULL, REFUSAL_THROTTLED },
	{ "TransactionInProgressException", NULL, REFUSAL_THROTTLED },
};

struct refusal {
	char type[TYPE_SIZE];	    /* "": AWS named none */
	char message[MESSAGE_SIZE]; /* "": none */
};

/* "prefix#Type:rest" to "Type"; what does not look like a type is none. */
static void set_type(struct refusal *refusal, const char *text)
{
	size_t length = strcspn(text, ":");
	const char *hash = memrchr(text, '#', length);

	if (hash) {
		length -= (size_t)(hash + 1 - text);
		text = hash + 1;
	}
	if (length >= TYPE_SIZE)
		return;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
			return;
	memcpy(refusal->type, text, length);
	refusal->type[length] = '\0';
}

/* "eyJ" starts every JWT: a message that quotes one is not passed on. */
static void set_message(struct refusal *refusal, const char *text)
{
	size_t length = strcspn(text, "\r\n");

	if (strstr(text, "eyJ")) {
		(void)snprintf(refusal->message, MESSAGE_SIZE,
			       "(its message quotes a token)");
		return;
	}
	if (length >= MESSAGE_SIZE)
		length = MESSAGE_SIZE - 1;
	for (size_t i = 0; i < length; i++)
		refusal->message[i] =
			iscntrl((unsigned char)text[i]) ? '?' : text[i];
	refusal->message[length] = '\0';
}

/* Appends a string member; nothing where there is none. 0 or -ENOMEM. */
static int find_member(const struct jdoc *doc, jdoc_node parent,
		       const char *name, struct buf *out)
{
	jdoc_node node = jdoc_find(doc, parent, name);
	int r = 0;

	if (node != JDOC_NONE && out->length == 0)
		r = jdoc_string(doc, node, out);
	return r == -ENOMEM ? r : 0;
}

/* The texts that a refusal is made of. */
struct texts {
	struct buf type;
	struct buf message;
};

static void texts_done(struct texts *texts)
{
	buf_done(&texts->type);
	buf_done(&texts->message);
}

static int read_json(const struct buf *body, struct texts *ret)
{
	cleanup_jdoc struct jdoc *doc = NULL;
	jdoc_node error;
	int r = jdoc_parse(buf_text(body), body->length, &doc, NULL);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	error = jdoc_member(doc, 0, "Error", strlen("Error"));
	r = find_member(doc, 0, "__type", &ret->type);
	if (r == 0)
		r = find_member(doc, error, "Code", &ret->type);
	if (r == 0)
		r = find_member(doc, 0, "message", &ret->message);
	if (r == 0)
		r = find_member(doc, 0, "Message", &ret->message);
	if (r == 0)
		r = find_member(doc, error, "Message", &ret->message);
	return r;
}

static int read_xml(const struct buf *body, struct texts *ret)
{
	const char *xml = buf_text(body);
	int r = xml_find_text(xml, body->length, "Error/Code", &ret->type);

	if (r != -ENOMEM)
		r = xml_find_text(xml, body->length, "Error/Message",
				  &ret->message);
	return r == -ENOMEM ? r : 0;
}

/* Of a body that may be one of a success nothing is read. 0 or -ENOMEM. */
static int read_refusal(const struct aws_reply *reply, struct refusal *ret)
{
	CLEANUP(texts_done) struct texts texts = { 0 };
	const char *text = buf_text(reply->body);
	int r = 0;

	buf_init(&texts.type, FIELD_MAX);
	buf_init(&texts.message, FIELD_MAX);
	text += strspn(text, " \t\r\n");
	if (reply->status >= STATUS_BAD_REQUEST)
		r = *text == '<' ? read_xml(reply->body, &texts)
				 : read_json(reply->body, &texts);
	if (r < 0)
		return r;
	*ret = (struct refusal){ 0 };
	set_type(ret, buf_text(&texts.type));
	set_message(ret, buf_text(&texts.message));
	if (ret->type[0] == '\0' && reply->error_type)
		set_type(ret, reply->error_type);
	return 0;
}

static bool is_type(const struct refusal *refusal, const char *type,
		    const char *message_part)
{
	return strcmp(refusal->type, type) == 0 &&
	       (!message_part || strstr(refusal->message, message_part));
}

static int find_code(const struct aws_reply *reply,
		     const struct refusal *refusal)
{
	if (reply->status >= STATUS_SERVER_FAULT)
		return -EIO;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		if (is_type(refusal, refusals[i].type,
			    refusals[i].message_part))
			return refusals[i].code;
	return -EIO;
}

/* " (request id ID)", or "" where none came that is fit to be shown. */
static void write_request_id(const char *id, char *ret, size_t size)
{
	ret[0] = '\0';
	if (!id || id[0] == '\0' || strlen(id) >= REQUEST_ID_SIZE)
		return;
	for (const char *at = id; *at != '\0'; at++)
		if (!isgraph((unsigned char)*at))
			return;
	(void)snprintf(ret, size, " (request id %s)", id);
}

static int tell(const struct refusal *refusal, const struct aws_reply *reply,
		struct err *err)
{
	char request_id[REQUEST_ID_SIZE + 16];
	int code = find_code(reply, refusal);

	write_request_id(reply->request_id, request_id, sizeof(request_id));
	if (refusal->type[0] == '\0')
		return err_set(err, code, "status %d without an AWS error%s",
			       reply->status, request_id);
	return err_set(err, code, "%s%s%s%s", refusal->type, request_id,
		       refusal->message[0] != '\0' ? ": " : "",
		       refusal->message);
}

int refusal_read(const struct aws_reply *reply, struct err *err)
{
	struct refusal refusal;

	if (read_refusal(reply, &refusal) < 0)
		return err_set(err, -ENOMEM, "no memory for a refusal");
	return tell(&refusal, reply, err);
}

static enum refusal_kind kind_of_status(int status)
{
	switch (status) {
	case 429:
		return REFUSAL_THROTTLED;
	case 500:
	case 502:
	case 503:
	case 504:
		return REFUSAL_TRANSIENT;
	default:
		return REFUSAL_DEFINITE;
	}
}

static enum refusal_kind find_kind(const struct aws_reply *reply,
				   const struct refusal *refusal)
{
	if (find_code(reply, refusal) != -EIO)
		return REFUSAL_DEFINITE;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (is_type(refusal, kinds[i].type, kinds[i].message_part))
			return kinds[i].kind;
	return kind_of_status(reply->status);
}

enum refusal_kind refusal_kind(const struct aws_reply *reply)
{
	struct refusal refusal = { 0 };

	read_refusal(reply, &refusal);
	return find_kind(reply, &refusal);
}

int refusal_of_part(const struct aws_reply *reply, const char *type,
		    const char *message, struct err *err)
{
	const struct aws_reply as_alone = {
		.status = STATUS_BAD_REQUEST,
		.request_id = reply->request_id,
	};
	struct refusal refusal = { 0 };

	set_type(&refusal, type);
	set_message(&refusal, message);
	/* AWS's own faults come with a status, which a part has not */
	if (find_kind(&as_alone, &refusal) != REFUSAL_DEFINITE ||
	    strncmp(refusal.type, "Internal", strlen("Internal")) == 0)
		return -EAGAIN;
	return tell(&refusal, &as_alone, err);
}

static bool is_one_of(const struct refusal *refusal, const char *const *types,
		      size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(refusal->type, types[i]) == 0)
			return true;
	return false;
}

bool refusal_is_of_keys(const struct aws_reply *reply)
{
	struct refusal refusal;

	if (read_refusal(reply, &refusal) < 0)
		return true;
	return is_one_of(&refusal, types_of_keys, ARRAY_SIZE(types_of_keys));
}

bool refusal_may_be_of_time(const struct aws_reply *reply)
{
	struct refusal refusal;

	return read_refusal(reply, &refusal) == 0 &&
	       is_one_of(&refusal, types_of_time, ARRAY_SIZE(types_of_time));
}

bool refusal_is(const struct aws_reply *reply, const char *type)
{
	struct refusal refusal;

	return read_refusal(reply, &refusal) == 0 &&
	       strcmp(refusal.type, type) == 0;
}

/* What endpoints say that are not AWS, and know neither the operation nor how
 * AWS would put that. */
static bool is_nowhere(const struct aws_reply *reply)
{
	return reply->status == STATUS_NOT_FOUND ||
	       reply->status == STATUS_NOT_ALLOWED;
}

bool refusal_is_of_operation(const struct aws_reply *reply)
{
	struct refusal refusal;

	if (reply->status == STATUS_NOT_IMPLEMENTED ||
	    read_refusal(reply, &refusal) < 0)
		return true;
	if (refusal.type[0] == '\0')
		return is_nowhere(reply);
	return reply->status < STATUS_SERVER_FAULT &&
	       is_one_of(&refusal, types_of_operation,
			 ARRAY_SIZE(types_of_operation));
}

bool refusal_is_of_one(const struct aws_reply *reply)
{
	struct refusal refusal;

	if (read_refusal(reply, &refusal) < 0)
		return true;
	return is_one_of(&refusal, types_of_one, ARRAY_SIZE(types_of_one));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * botocore's endpoint tables (tests/functional/endpoint-rules and
 * botocore/data/partitions.json, licence Apache-2.0), where they are at hand:
 * in the folder that SECRETSFS_AWS_TABLES names, or in ../shared/data/aws-sdk
 * beside the source. Without them each table is a visible skip.
 *
 * This program writes its TAP itself: cmocka shows a skip as "not ok", and has
 * no place for the reason.
 */
#include "aws/endpoint.h"
#include "aws/environment.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/jdoc.h"
#include "base/macros.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1U << 20)
#define TEXT_SIZE 512

struct table {
	struct buf text;
	struct jdoc *doc;
	size_t cases;
	size_t failed;
};

static jdoc_node member(const struct table *table, jdoc_node parent,
			const char *name)
{
	return jdoc_member(table->doc, parent, name, strlen(name));
}

static bool is_set(const struct table *table, jdoc_node parent,
		   const char *name)
{
	return jdoc_type(table->doc, member(table, parent, name)) == JDOC_TRUE;
}

/* NULL: there is none. */
static const char *text_of(const struct table *table, jdoc_node node,
			   char out[TEXT_SIZE])
{
	size_t length = jdoc_string_length(table->doc, node);

	if (jdoc_type(table->doc, node) != JDOC_STRING)
		return NULL;
	assert(length < TEXT_SIZE);
	jdoc_string_write(table->doc, node, (unsigned char *)out);
	out[length] = '\0';
	return out;
}

static const char *get(const struct table *table, jdoc_node parent,
		       const char *name, char out[TEXT_SIZE])
{
	return text_of(table, member(table, parent, name), out);
}

/* Whether the table is there. */
static bool open_table(const char *name, struct table *ret)
{
	const char *folder = getenv("SECRETSFS_AWS_TABLES");
	const char *source = getenv("SECRETSFS_SOURCE");
	char path[4096];
	FILE *file;

	if (folder)
		(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	else
		(void)snprintf(path, sizeof(path),
			       "%s/../shared/data/aws-sdk/%s",
			       source ? source : ".", name);
	*ret = (struct table){ 0 };
	file = fopen(path, "re");
	if (!file)
		return false;
	buf_init(&ret->text, FILE_MAX);
	assert(buf_reserve(&ret->text, FILE_MAX) == 0);
	ret->text.length = fread(ret->text.bytes, 1, FILE_MAX, file);
	assert(ret->text.length < FILE_MAX);
	(void)fclose(file);
	assert(jdoc_parse((const char *)ret->text.bytes, ret->text.length,
			  &ret->doc, NULL) == 0);
	return true;
}

static void close_table(struct table *table)
{
	jdoc_free(table->doc);
	buf_done(&table->text);
}

static void count(struct table *table, bool is_good, const char *what,
		  const char *got)
{
	table->cases++;
	if (is_good)
		return;
	table->failed++;
	(void)printf("# %s: got %s\n", what, got);
}

/* The region that the table wants to be signed for, or else params'. */
static const char *signed_for(const struct table *table, jdoc_node endpoint,
			      const char *region, char out[TEXT_SIZE])
{
	jdoc_node schemes = member(table, member(table, endpoint, "properties"),
				   "authSchemes");
	const char *found = get(table, jdoc_first(table->doc, schemes),
				"signingRegion", out);

	if (found)
		return found;
	return region ? region : "";
}

static void check_rule(struct table *table, enum aws_service service,
		       jdoc_node rule)
{
	jdoc_node params = member(table, rule, "params");
	jdoc_node wanted =
		member(table, member(table, rule, "expect"), "endpoint");
	char texts[5][TEXT_SIZE];
	const char *what = get(table, rule, "documentation", texts[0]);
	const char *region = get(table, params, "Region", texts[1]);
	const char *url = get(table, wanted, "url", texts[2]);
	const struct aws_environment environment = {
		.endpoint_url = get(table, params, "Endpoint", texts[3]),
		.use_fips = is_set(table, params, "UseFIPS") ? "true" : NULL,
		.use_dualstack =
			is_set(table, params, "UseDualStack") ? "true" : NULL,
		.sts_regional_endpoints =
			is_set(table, params, "UseGlobalEndpoint") ? "legacy"
								   : NULL,
	};
	struct endpoint endpoint = { 0 };
	struct err err = { 0 };
	int r = endpoint_find(service, region, NULL, &environment, &endpoint,
			      &err);

	if (!url || r < 0) {
		count(table, !url && r < 0, what,
		      r < 0 ? err.text : endpoint.url);
		return;
	}
	endpoint.url[strlen(endpoint.url) - 1] = '\0'; /* the '/' */
	count(table,
	      strcmp(endpoint.url, url) == 0 &&
		      strcmp(endpoint.region,
			     signed_for(table, wanted, region, texts[4])) == 0,
	      what, endpoint.url);
}

static void check_rules(struct table *table, enum aws_service service)
{
	jdoc_node rules = member(table, 0, "testCases");

	for (jdoc_node rule = jdoc_first(table->doc, rules); rule != JDOC_NONE;
	     rule = jdoc_next(table->doc, rule))
		check_rule(table, service, rule);
}

static void check_secretsmanager(struct table *table)
{
	check_rules(table, AWS_SERVICE_SECRETSMANAGER);
}

static void check_ssm(struct table *table)
{
	check_rules(table, AWS_SERVICE_SSM);
}

static void check_sts(struct table *table)
{
	check_rules(table, AWS_SERVICE_STS);
}

/* SSM follows the general rule everywhere, but for FIPS in GovCloud. */
static void check_region(struct table *table, const char *region,
			 const char *suffix, bool is_dualstack, bool is_fips)
{
	const struct aws_environment environment = {
		.use_dualstack = is_dualstack ? "true" : NULL,
		.use_fips = is_fips ? "true" : NULL,
	};
	bool is_gov = strstr(region, "us-gov-") != NULL;
	struct endpoint endpoint = { 0 };
	char wanted[TEXT_SIZE + 200];
	int r = endpoint_find(AWS_SERVICE_SSM, region, NULL, &environment,
			      &endpoint, NULL);

	(void)snprintf(wanted, sizeof(wanted), "ssm%s.%s.%s",
		       is_fips && (is_dualstack || !is_gov) ? "-fips" : "",
		       region, suffix);
	count(table, r == 0 && strcmp(endpoint.host, wanted) == 0, wanted,
	      endpoint.host);
}

static void check_partition(struct table *table, jdoc_node partition)
{
	jdoc_node outputs = member(table, partition, "outputs");
	jdoc_node regions = member(table, partition, "regions");
	char texts[3][TEXT_SIZE];
	const char *suffix = get(table, outputs, "dnsSuffix", texts[0]);
	const char *dual = get(table, outputs, "dualStackDnsSuffix", texts[1]);

	for (jdoc_node region = jdoc_first(table->doc, regions);
	     region != JDOC_NONE; region = jdoc_next(table->doc, region)) {
		const char *name =
			text_of(table, jdoc_name(table->doc, region), texts[2]);

		check_region(table, name, suffix, false, false);
		check_region(table, name, dual, true, false);
		check_region(table, name, suffix, false, true);
		check_region(table, name, dual, true, true);
	}
}

static void check_partitions(struct table *table)
{
	jdoc_node list = member(table, 0, "partitions");

	for (jdoc_node one = jdoc_first(table->doc, list); one != JDOC_NONE;
	     one = jdoc_next(table->doc, one))
		check_partition(table, one);
}

static void run(size_t number, const char *name,
		void (*check)(struct table *table))
{
	struct table table;
	bool is_good;

	if (!open_table(name, &table)) {
		(void)printf("ok %zu - %s # SKIP no tables at hand: set "
			     "SECRETSFS_AWS_TABLES\n",
			     number, name);
		return;
	}
	check(&table);
	/* an empty table shows nothing */
	is_good = table.failed == 0 && table.cases > 0;
	(void)printf("# %zu of %zu\n%sok %zu - %s\n",
		     table.cases - table.failed, table.cases,
		     is_good ? "" : "not ", number, name);
	close_table(&table);
}

int main(void)
{
	static const struct {
		const char *name;
		void (*check)(struct table *table);
	} tables[] = {
		{ "endpoints-secretsmanager.json", check_secretsmanager },
		{ "endpoints-ssm.json", check_ssm },
		{ "endpoints-sts.json", check_sts },
		{ "partitions.json", check_partitions },
	};

	(void)printf("1..%zu\n", ARRAY_SIZE(tables));
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		run(i + 1, tables[i].name, tables[i].check);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A label's text is all that is foreign here; what would end it is escaped, and
 * what no reader takes is replaced. */
#include "ops/exposition.h"
#include "base/histogram.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Room for a bound in seconds. */
#define BOUND_MAX 32

void exposition_begin(struct exposition *exposition, enum metric metric)
{
	const struct metric_about *about = metric_about(metric);

	exposition->metric = about;
	(void)fprintf(exposition->out, "# HELP %s %s\n# TYPE %s %s\n",
		      about->name, about->help, about->name, about->type);
}

static void put_character(FILE *out, const char *at, size_t length)
{
	if (length == 0)
		(void)fputs(REPLACEMENT, out);
	else if (*at == '\n')
		(void)fputs("\\n", out);
	else if (*at == '"' || *at == '\\')
		(void)fprintf(out, "\\%c", *at);
	else
		(void)fwrite(at, 1, length, out);
}

static void put_text(FILE *out, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t length = utf8_length_at(text, left);
		size_t taken = length ? length : 1;

		put_character(out, text, length);
		text += taken;
		left -= taken;
	}
}

static void put_labels(FILE *out, const struct exposition_label *labels)
{
	const char *before = "{";

	for (; labels && labels->name; labels++) {
		if (!labels->text)
			continue;
		(void)fprintf(out, "%s%s=\"", before, labels->name);
		put_text(out, labels->text);
		(void)putc('"', out);
		before = ",";
	}
	if (*before == ',')
		(void)putc('}', out);
}

static void put_name(const struct exposition *exposition, const char *suffix,
		     const struct exposition_label *labels)
{
	(void)fprintf(exposition->out, "%s%s", exposition->metric->name,
		      suffix);
	put_labels(exposition->out, labels);
	(void)putc(' ', exposition->out);
}

static void put_seconds(FILE *out, int64_t ms)
{
	(void)fprintf(out, "%" PRId64 ".%03d\n", ms / 1000, (int)(ms % 1000));
}

void exposition_put(struct exposition *exposition,
		    const struct exposition_label *labels, uint64_t number)
{
	put_name(exposition, "", labels);
	(void)fprintf(exposition->out, "%" PRIu64 "\n", number);
}

void exposition_put_ms(struct exposition *exposition,
		       const struct exposition_label *labels, int64_t ms)
{
	put_name(exposition, "", labels);
	put_seconds(exposition->out, ms > 0 ? ms : 0);
}

static void put_bucket(const struct exposition *exposition,
		       const struct exposition_label *label, const char *bound,
		       uint64_t count)
{
	const struct exposition_label labels[] = {
		label ? *label : (struct exposition_label){ "le", NULL },
		{ "le", bound },
		{ NULL, NULL },
	};

	put_name(exposition, "_bucket", labels);
	(void)fprintf(exposition->out, "%" PRIu64 "\n", count);
}

void exposition_put_histogram(struct exposition *exposition,
			      const struct exposition_label *label,
			      const struct histogram *histogram)
{
	uint64_t all = histogram_up_to(histogram, HISTOGRAM_BOUNDS);
	const struct exposition_label labels[] = {
		label ? *label : (struct exposition_label){ NULL, NULL },
		{ NULL, NULL },
	};
	char bound[BOUND_MAX];

	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		(void)snprintf(bound, sizeof(bound), "%g",
			       (double)histogram_bound_ms(i) / 1000);
		put_bucket(exposition, label, bound,
			   histogram_up_to(histogram, i));
	}
	put_bucket(exposition, label, "+Inf", all);
	put_name(exposition, "_sum", labels);
	put_seconds(exposition->out, (int64_t)histogram->sum_ms);
	put_name(exposition, "_count", labels);
	(void)fprintf(exposition->out, "%" PRIu64 "\n", all);
}

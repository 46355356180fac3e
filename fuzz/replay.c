/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main for fuzz targets where libFuzzer's is not linked: runs the target once
 * on each file, one TAP line each. A fault ends the process, so that the plan
 * is not met.
 *
 * Arguments are files. Without any it is all files of fuzz/corpus/NAME, where
 * the program is called fuzz_NAME.
 */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define INPUT_LENGTH_MAX (1 << 20)
#define PATH_LENGTH_MAX 4096

static _Noreturn void bail_out(const char *what)
{
	perror(what);
	(void)printf("Bail out! %s\n", what);
	(void)fflush(stdout);
	_exit(EXIT_FAILURE);
}

static size_t length_of(FILE *file, const char *path)
{
	long length;

	if (fseek(file, 0, SEEK_END) < 0)
		bail_out(path);
	length = ftell(file);
	if (length < 0 || length > INPUT_LENGTH_MAX)
		bail_out(path);
	rewind(file);
	return (size_t)length;
}

static void replay(int number, const char *path)
{
	FILE *file = fopen(path, "rbe");
	unsigned char *bytes;
	size_t length;

	if (!file)
		bail_out(path);
	length = length_of(file, path);
	/* As long as the input: sanitizers see a byte too far. */
	bytes = malloc(length);
	if (!bytes || fread(bytes, 1, length, file) != length)
		bail_out(path);
	(void)fclose(file);
	(void)LLVMFuzzerTestOneInput(bytes, length);
	(void)printf("ok %d - %s\n", number, path);
	(void)fflush(stdout);
	free(bytes);
}

static void enter_corpus(void)
{
	const char *name = strchr(program_invocation_short_name, '_');
	char path[PATH_LENGTH_MAX];

	(void)snprintf(path, sizeof(path), FUZZ_CORPUS "/%s",
		       name ? name + 1 : "");
	if (chdir(path) < 0)
		bail_out(path);
}

static int is_input(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay_corpus(void)
{
	struct dirent **entries;
	int count;

	enter_corpus();
	count = scandir(".", &entries, is_input, alphasort);
	if (count <= 0)
		bail_out("no corpus");
	(void)printf("1..%d\n", count);
	for (int i = 0; i < count; i++) {
		replay(i + 1, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

int main(int argc, char **argv)
{
	if (argc == 1) {
		replay_corpus();
		return EXIT_SUCCESS;
	}
	(void)printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++)
		replay(i, argv[i]);
	return EXIT_SUCCESS;
}

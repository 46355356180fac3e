/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Final file names: what the AWS provider refuses, with its messages, what it
 * overlooks, and what no file may be called.
 */
#include "tests/class_fixture.h"

#include "base/macros.h"

#define SM "objectType: secretsmanager\n"
#define LONG_50 "0123456789012345678901234567890123456789012345678_"
#define LONG_255 LONG_50 LONG_50 LONG_50 LONG_50 LONG_50 "01234"

#define NAME(name, more) "- objectName: " name "\n  " SM more
#define ALIAS(alias) "  objectAlias: " alias "\n"
#define LABEL(label) "  objectVersionLabel: " label "\n"
#define ENTRY(path, alias) "  - path: " path "\n    objectAlias: " alias "\n"

static const struct class_case names[] = {
	{ "found descriptor with duplicate object name, duplicate object "
	  "alias, and no version label",
	  NULL, NAME("a", ALIAS("x")) NAME("a", ALIAS("x")),
	  "14: found descriptor with duplicate object name a, duplicate object "
	  "alias x, and no version label (see line 11)",
	  false },
	{ "found descriptor with duplicate object name, no object alias, and "
	  "duplicate version label",
	  NULL, NAME("a", LABEL("L")) NAME("a", LABEL("L")),
	  "12: found descriptor with duplicate object name a, no object alias, "
	  "and duplicate version label L (see line 9)",
	  false },
	{ "found descriptor with duplicate object name, duplicate object "
	  "alias, and duplicate version label",
	  NULL,
	  NAME("a", ALIAS("x") LABEL("L")) NAME("a", ALIAS("x") LABEL("L")),
	  "15: found descriptor with duplicate object name a, duplicate object "
	  "alias x, and duplicate version label L (see line 11)",
	  false },
	{ "found descriptor with duplicate object name, no object alias, and "
	  "no version label",
	  NULL, NAME("a", "") NAME("a", ""),
	  "11: found descriptor with duplicate object name a, no object alias, "
	  "and no version label (see line 9)",
	  false },
	{ "found descriptor with duplicate object name: other names are fine",
	  NULL,
	  NAME("a", ALIAS("x") LABEL("L")) NAME("a", ALIAS("z") LABEL("L")),
	  NULL, false },
	{ "found descriptor with duplicate object name: without raw files it "
	  "is fine",
	  NULL, NAME("a", "  raw: false\n") NAME("a", "  raw: false\n"), NULL,
	  false },
	{ "found duplicate object alias", NULL,
	  NAME("a", ALIAS("x")) NAME("b", ALIAS("x")),
	  "14: found duplicate object alias x (see line 11)", false },
	{ "found duplicate object alias: two labels of one name", NULL,
	  NAME("a", ALIAS("x") LABEL("L")) NAME("a", ALIAS("x") LABEL("M")),
	  "15: found duplicate object alias x (see line 11)", false },
	{ "Name already in use for objectAlias: found duplicate object alias "
	  "in JMES path entry",
	  NULL, NAME("a", ALIAS("x") "  jmesPath:\n" ENTRY("p.q", "x")),
	  "14: Name already in use for objectAlias: found duplicate object "
	  "alias x in JMES path entry p.q (see line 11)",
	  false },
	{ "Name already in use for objectAlias: two entries", NULL,
	  NAME("a", "  jmesPath:\n" ENTRY("p", "x") ENTRY("q", "x")),
	  "15: Name already in use for objectAlias: found duplicate object "
	  "alias x in JMES path entry q (see line 13)",
	  false },
	{ "gap (a): one name, two labels, no alias", NULL,
	  NAME("a", LABEL("L")) NAME("a", LABEL("M")),
	  "12: the file name 'a' is already in use (see line 9)", false },
	{ "gap (b): an alias that is another object's name", NULL,
	  NAME("a", "") NAME("b", ALIAS("a")),
	  "13: the file name 'a' is already in use (see line 9)", false },
	{ "gap (b): an alias of jmesPath that is an object's name", NULL,
	  NAME("a", "  jmesPath:\n" ENTRY("p", "a")),
	  "13: the file name 'a' is already in use (see line 9)", false },
	{ "gap (c): the same after translation", NULL,
	  NAME("a/b", "") NAME("a_b", ""),
	  "11: the file name 'a_b' is already in use (see line 9)", false },
	{ "gap (d): aliases that translation makes the same", NULL,
	  NAME("a", ALIAS("x/y")) NAME("b", ALIAS("x_y")),
	  "14: the file name 'x_y' is already in use (see line 11)", false },
	{ "gap (e): not the last one of that name", NULL,
	  NAME("a", "") NAME("a", ALIAS("x")) NAME("a", ""),
	  "14: found descriptor with duplicate object name a, no object alias, "
	  "and no version label (see line 9)",
	  false },
	{ "a file that is also a folder", "pathTranslation: 'False'\n",
	  NAME("a/b", "") NAME("a", ""),
	  "12: 'a' would be a file, and a folder of 'a/b' (see line 10)",
	  false },
	{ "a folder that is also a file", "pathTranslation: 'False'\n",
	  NAME("a", "") NAME("a/b/c", ""),
	  "12: 'a' would be a file, and a folder of 'a/b/c' (see line 10)",
	  false },
	{ "two files in one folder", "pathTranslation: 'False'\n",
	  NAME("a/b", "") NAME("/a/c", ""), NULL, false },
	{ "file name: an ARN's keeps its colons", NULL,
	  "- objectName: "
	  "arn:aws:secretsmanager:eu-west-1:1:secret:x/y-AbCdEf\n" NAME(
		  "a",
		  ALIAS("arn:aws:secretsmanager:eu-west-1:1:secret:x_y-AbCdEf")),
	  "12: the file name "
	  "'arn:aws:secretsmanager:eu-west-1:1:secret:x_y-AbCdEf' is already in "
	  "use (see line 9)",
	  false },
	{ "file name: a leading slash is translated, too", NULL,
	  NAME("/a/b", "") NAME("c", ALIAS("_a_b")),
	  "13: the file name '_a_b' is already in use (see line 9)", false },
	{ "file name: leading slashes are stripped without translation",
	  "pathTranslation: 'False'\n",
	  NAME("//a/b", "") NAME("c", ALIAS("a/b")),
	  "14: the file name 'a/b' is already in use (see line 10)", false },
	{ "file name: the raw file stays beside entries of jmesPath", NULL,
	  NAME("a", "  jmesPath:\n" ENTRY("p", "b")) NAME("c", ALIAS("a")),
	  "16: the file name 'a' is already in use (see line 9)", false },
	{ "traversal: .. alone", "pathTranslation: 'False'\n",
	  NAME("a", ALIAS("'..'")),
	  "12: '..' cannot be a file name: names that begin with '..' are "
	  "reserved",
	  false },
	{ "traversal: an alias of jmesPath", "pathTranslation: 'False'\n",
	  NAME("a", "  jmesPath:\n" ENTRY("p", "x/../../y")),
	  "14: path can not contain ../: x/../../y", false },
	{ "reserved name: .", NULL, NAME("a", ALIAS("'.'")),
	  "11: '.' cannot be a file name: '.' is the directory itself", false },
	{ "reserved name: ..", NULL, NAME("..", ""),
	  "9: '..' cannot be a file name: names that begin with '..' are "
	  "reserved",
	  false },
	{ "reserved name: ..data", NULL, NAME("a", ALIAS("..data")),
	  "11: '..data' cannot be a file name: names that begin with '..' are "
	  "reserved",
	  false },
	{ "reserved name: .secretsfs", NULL,
	  NAME("a", "  jmesPath:\n" ENTRY("p", ".secretsfs-x")),
	  "13: '.secretsfs-x' cannot be a file name: names that begin with "
	  "'.secretsfs' are reserved",
	  false },
	{ "an alias may begin with a dot", NULL, NAME("a", ALIAS(".npmrc")),
	  NULL, false },
	{ "reserved name: in a folder", "pathTranslation: 'False'\n",
	  NAME("a", ALIAS("x/..y")),
	  "12: 'x/..y' cannot be a file name: names that begin with '..' are "
	  "reserved",
	  false },
	{ "two slashes without translation", "pathTranslation: 'False'\n",
	  NAME("a//b", ""),
	  "10: 'a//b' cannot be a file name: it is empty, or has nothing "
	  "before or between slashes",
	  false },
	{ "a name of 255 bytes", NULL, NAME("a", ALIAS(LONG_255)), NULL,
	  false },
	{ "a name of 256 bytes", NULL, NAME("a", ALIAS(LONG_255 "6")),
	  "11: '" LONG_255 "6' cannot be a file name: it is longer than 255 "
	  "bytes",
	  false },
	{ "a name with a line end", NULL, NAME("a", ALIAS("\"x\\ny\"")),
	  "11: 'x?y' cannot be a file name: it has a control character",
	  false },
	{ "a name that a terminal obeys", NULL,
	  NAME("a", ALIAS("\"\\x9b31m\"")),
	  "11: '"
	  "?"
	  "?31m' cannot be a file name: it has a control character",
	  false },
	{ "layout tree: each object has its own names", "layout: tree\n",
	  NAME("a", "  jmesPath:\n" ENTRY("p", "x"))
		  NAME("b", "  jmesPath:\n" ENTRY("p", "x")),
	  NULL, false },
	{ "layout tree: two objects in one directory", "layout: tree\n",
	  NAME("a", ALIAS("x") "  raw: false\n")
		  NAME("b", ALIAS("x") "  raw: false\n"),
	  "16: found duplicate object alias x (see line 12)", false },
	{ "layout tree: an entry called .value", "layout: tree\n",
	  NAME("a", "  jmesPath:\n" ENTRY("p", ".value")),
	  "14: the file name '.value' is already in use (see line 10)", false },
	{ "layout tree: .value is free without a raw file", "layout: tree\n",
	  NAME("a", "  raw: false\n  jmesPath:\n" ENTRY("p", ".value")), NULL,
	  false },
	{ "layout tree: an object in another's directory",
	  "layout: tree\npathTranslation: 'False'\n",
	  NAME("a", "") NAME("a/b", ""),
	  "13: 'a' would be a file, and a folder of 'a/b' (see line 11)",
	  false },
};

int main(void)
{
	return class_cases_run("names", names, ARRAY_SIZE(names));
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MACROS_H
#define BASE_MACROS_H

/* The few words that every room speaks. */

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Marks a local that the named function empties when it goes out of scope. */
#define CLEANUP(function) __attribute__((cleanup(function)))

/* Hands a pointer over: the variable is NULL afterwards. */
#define TAKE(pointer)                                                          \
	__extension__({                                                        \
		__typeof__(pointer) taken_ = (pointer);                        \
		(pointer) = NULL;                                              \
		taken_;                                                        \
	})

/* The struct that holds an embedded member. */
#define CONTAINER_OF(pointer, type, member)                                    \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif

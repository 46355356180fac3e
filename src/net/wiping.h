/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_WIPING_H
#define NET_WIPING_H

#include <stddef.h>

/*
 * The five functions of memory that curl_global_init_mem() asks for: as
 * malloc(), free(), realloc(), strdup() and calloc(), but what is given back
 * is wiped. They take each other's pieces and nobody else's.
 */

void *wiping_malloc(size_t length);
void wiping_free(void *bytes);
void *wiping_realloc(void *bytes, size_t length);
char *wiping_strdup(const char *text);
void *wiping_calloc(size_t count, size_t size);

#endif

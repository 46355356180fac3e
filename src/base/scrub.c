/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memcpy(3) goes through vector registers, and nobody empties them: an idle
 * thread has the last bytes that it has copied in them, and a signal or a lazy
 * linker would write them on the stack.
 */
#include "base/scrub.h"

#include <string.h>

/* As deep as libcurl, OpenSSL and a resolver go, and more. */
#define DEPTH ((size_t)128 << 10)

#define EIGHT(zero, a, b, c, d, e, f, g, h)                                    \
	zero(a) zero(b) zero(c) zero(d) zero(e) zero(f) zero(g) zero(h)
#define SIXTEEN(zero)                                                          \
	EIGHT(zero, 0, 1, 2, 3, 4, 5, 6, 7)                                    \
	EIGHT(zero, 8, 9, 10, 11, 12, 13, 14, 15)
#define NEXT_SIXTEEN(zero)                                                     \
	EIGHT(zero, 16, 17, 18, 19, 20, 21, 22, 23)                            \
	EIGHT(zero, 24, 25, 26, 27, 28, 29, 30, 31)

#if defined(__x86_64__)

#define ZERO(number) "pxor %xmm" #number ", %xmm" #number "\n\t"
#define ZERO_512(number)                                                       \
	"vpxorq %zmm" #number ", %zmm" #number ", %zmm" #number "\n\t"

/* No clobbers: a compiler holds nothing in these over a call, and this is one.
 * vzeroall leaves the upper sixteen. */
void __attribute__((noinline)) scrub_registers(void)
{
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall");
	else
		__asm__ volatile(SIXTEEN(ZERO));
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile(NEXT_SIXTEEN(ZERO_512));
}

#elif defined(__aarch64__)

#define ZERO(number) "movi v" #number ".2d, #0\n\t"

/* The lower halves of v8 to v15 are the caller's, who has them saved; with SVE
 * the rest of each register goes with it. */
void __attribute__((noinline)) scrub_registers(void)
{
	__asm__ volatile(SIXTEEN(ZERO) NEXT_SIXTEEN(ZERO)::
				 : "v8", "v9", "v10", "v11", "v12", "v13",
				   "v14", "v15");
}

#else
#error "the registers of this machine are not known here"
#endif

/* The size is the purpose. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstack-usage="

static void __attribute__((noinline)) clear_stack(void)
{
	char below[DEPTH];

	explicit_bzero(below, sizeof(below));
}

#pragma GCC diagnostic pop

void scrub(void)
{
	/* First too: what a library calls for the first time has the linker
	 * save them all on the stack, which was seen below what is cleared
	 * here. */
	scrub_registers();
	clear_stack();
	scrub_registers();
}

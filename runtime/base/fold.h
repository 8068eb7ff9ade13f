/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing texts without regard to case, in all scripts that have one. Any thread. */
#ifndef RT_BASE_FOLD_H
#define RT_BASE_FOLD_H

#include <stddef.h>
#include <stdint.h>

/* Writes the text in one case to `out` (2n bytes) and returns its length. Code points map one to one ("ß" stays). */
size_t rt_utf8_fold(const char *p, size_t n, char *out);

#endif

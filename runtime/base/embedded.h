/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that are compiled into the program (tools/embed.cmake): tables that end with a NULL name. */
#ifndef RT_BASE_EMBEDDED_H
#define RT_BASE_EMBEDDED_H

#include <stddef.h>
#include <string.h>

struct rt_embedded {
    const char *name; /* of the file, up to its first dot */
    const char *text;
    size_t bytes;
};

extern const struct rt_embedded rt_prelude_files[], rt_scaffold_files[];

/* NULL when there is none of that name. */
static inline const struct rt_embedded *rt_embedded_find(const struct rt_embedded *table, const char *name)
{
    while (table->name && strcmp(table->name, name) != 0)
        table++;
    return table->name ? table : NULL;
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Models refer to each other by name and in any order, so a ref points to a named slot that the model
 * fills when it arrives. A slot never moves; what is still empty at the end of loading is reported
 * once, with a name, instead of at the first request that needs it. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "lua/schema_internal.h"

struct rt_schema_set {
    struct rt_map slots;
};

struct rt_schema_set *rt_schema_set_new(void)
{
    struct rt_schema_set *set = malloc(sizeof *set);
    if (set)
        rt_map_init(&set->slots);
    return set;
}

void rt_schema_set_free(lua_State *L, struct rt_schema_set *set)
{
    size_t pos = 0;
    struct schema_slot *slot;
    if (!set)
        return;
    while ((slot = rt_map_next(&set->slots, &pos, NULL, NULL)) != NULL)
        rt_schema_free(L, slot->schema);
    rt_map_fini(&set->slots, free);
    free(set);
}

struct schema_slot *schema__slot(struct rt_schema_set *set, const char *name, size_t n)
{
    struct schema_slot *slot = rt_map_get(&set->slots, name, n);
    if (slot)
        return slot;
    slot = calloc(1, sizeof *slot + n + 1);
    if (!slot)
        return NULL;
    memcpy(slot->name, name, n);
    if (rt_map_set(&set->slots, name, n, slot, NULL) == 0)
        return slot;
    free(slot);
    return NULL;
}

int rt_schema_set_add(lua_State *L, struct rt_schema_set *set, const char *name, int idx, struct rt_err *err)
{
    struct schema_slot *slot = schema__slot(set, name, strlen(name));
    if (!slot)
        return rt_err_set(err, RT_E_NOMEM, "not enough memory for the model %s", name);
    if (slot->schema)
        return rt_err_set(err, RT_E_EXISTS, "the model %s is declared twice", name);
    return rt_schema_compile(L, idx, set, &slot->schema, err);
}

const struct rt_schema *rt_schema_set_find(const struct rt_schema_set *set, const char *name)
{
    const struct schema_slot *slot = rt_map_get(&set->slots, name, strlen(name));
    return slot ? slot->schema : NULL;
}

int rt_schema_set_resolve(const struct rt_schema_set *set, struct rt_err *err)
{
    size_t pos = 0;
    const struct schema_slot *slot;
    while ((slot = rt_map_next(&set->slots, &pos, NULL, NULL)) != NULL)
        if (slot->wanted && !slot->schema)
            return rt_err_set(err, RT_E_NOTFOUND, "there is no model \"%s\"", slot->name);
    return 0;
}

void schema__node_fini(struct schema_node *n)
{
    for (size_t i = 0; n->fields && i < n->count; i++) {
        schema__node_fini(&n->fields[i].node);
        free(n->fields[i].name);
        free(n->fields[i].label);
    }
    for (size_t i = 0; n->values && i < n->count; i++)
        free(n->values[i].text);
    if (n->of)
        schema__node_fini(n->of);
    free(n->of);
    free(n->fields);
    free(n->values);
    free(n->message);
    if (n->messages)
        rt_messages_fini(n->messages);
    free(n->messages);
}

void rt_schema_free(lua_State *L, struct rt_schema *s)
{
    if (!s)
        return;
    if (L)
        luaL_unref(L, LUA_REGISTRYINDEX, s->consts);
    schema__node_fini(&s->root);
    free(s);
}

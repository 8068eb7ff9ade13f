/* SPDX-License-Identifier: Apache-2.0
 *
 * The wording of violations. One table holds name and default text, so that a manifest's `messages`
 * can replace each by name; the placeholder is looked for when a message is made, which is rare. */
#include <stdlib.h>
#include <string.h>

#include "lua/schema.h"

static const struct {
    const char *name, *text;
} messages_known[RT_MSG_COUNT] = {
    [RT_MSG_REQUIRED] = { "required", "This field is required." },
    [RT_MSG_BLANK] = { "blank", "This field may not be blank." },
    [RT_MSG_NULL] = { "null", "This field may not be null." },
    [RT_MSG_TEXT] = { "text", "Not a valid string." },
    [RT_MSG_INTEGER] = { "integer", "A valid integer is required." },
    [RT_MSG_NUMBER] = { "number", "A valid number is required." },
    [RT_MSG_BOOLEAN] = { "boolean", "Must be a valid boolean." },
    [RT_MSG_MIN_LENGTH] = { "min_length", "Ensure this field has at least {n} characters." },
    [RT_MSG_MAX_LENGTH] = { "max_length", "Ensure this field has no more than {n} characters." },
    [RT_MSG_MIN] = { "min", "Ensure this value is greater than or equal to {n}." },
    [RT_MSG_MAX] = { "max", "Ensure this value is less than or equal to {n}." },
    [RT_MSG_CHOICE] = { "choice", "\"{value}\" is not a valid choice." },
    [RT_MSG_EMAIL] = { "email", "Enter a valid email address." },
    [RT_MSG_DATE] = { "date", "Date has wrong format. Use YYYY-MM-DD." },
    [RT_MSG_DATETIME] = { "datetime", "Datetime has wrong format. Use ISO 8601." },
    [RT_MSG_TIMEZONE] = { "timezone", "Unknown time zone." },
    [RT_MSG_LIST] = { "list", "Expected a list of items." },
    [RT_MSG_OBJECT] = { "object", "Expected an object." },
    [RT_MSG_MIN_ITEMS] = { "min_items", "Ensure this field has at least {n} elements." },
    [RT_MSG_MAX_ITEMS] = { "max_items", "Ensure this field has no more than {n} elements." },
    [RT_MSG_PATTERN] = { "pattern", "This value does not match the required pattern." },
    [RT_MSG_DEPTH] = { "depth", "This value is nested too deeply." },
};

const char *rt_message(const struct rt_messages *m, enum rt_message_id id)
{
    return m && m->text[id] ? m->text[id] : messages_known[id].text;
}

void rt_messages_fini(struct rt_messages *m)
{
    for (int i = 0; i < RT_MSG_COUNT; i++)
        free(m->text[i]);
    memset(m, 0, sizeof *m);
}

/* The entry at the top of the stack (key, value) of lua_next(). */
static int load_one(lua_State *L, struct rt_messages *m, struct rt_err *err)
{
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
    if (lua_type(L, -1) != LUA_TSTRING)
        return rt_err_set(err, RT_E_INVALID, "messages.%s must be a text", name);
    for (int i = 0; i < RT_MSG_COUNT; i++) {
        if (strcmp(messages_known[i].name, name) == 0) {
            m->text[i] = strdup(lua_tostring(L, -1));
            return m->text[i] ? 0 : rt_err_set(err, RT_E_NOMEM, "not enough memory for the messages");
        }
    }
    return rt_err_set(err, RT_E_INVALID, "there is no message \"%s\"", name);
}

int rt_messages_load(lua_State *L, int idx, struct rt_messages *ret, struct rt_err *err)
{
    struct rt_messages m = { { NULL } };
    int rc = 0;
    idx = lua_absindex(L, idx);
    if (!lua_checkstack(L, 4))
        return rt_err_set(err, RT_E_NOMEM, "not enough stack for the messages");
    if (!lua_isnil(L, idx) && !lua_istable(L, idx))
        return rt_err_set(err, RT_E_INVALID, "messages must be a table");
    if (lua_istable(L, idx)) {
        lua_pushnil(L);
        while (rc == 0 && lua_next(L, idx)) {
            rc = load_one(L, &m, err);
            lua_pop(L, 1);
        }
        if (rc < 0)
            lua_pop(L, 1);
    }
    if (rc < 0)
        rt_messages_fini(&m);
    else
        *ret = m;
    return rc;
}

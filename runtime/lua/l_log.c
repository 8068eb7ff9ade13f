/* SPDX-License-Identifier: Apache-2.0
 *
 * log: lines in the server's structured log, with the request's id. */
#include <stdio.h>

#include "base/log.h"
#include "lua/api.h"
#include "lua/vm.h"

enum { FIELD_BYTES = 2000, MESSAGE_BYTES = 4000, LINES_MAX = 200 };

/* The fields travel as one JSON-like text: the log's own fields are for the host. */
static int write_line(lua_State *L, enum rt_log_level level)
{
    const char *text = luaL_checkstring(L, 1);
    struct rt_vm *vm = rt_vm_of(L);
    char message[MESSAGE_BYTES];
    if (!rt_log_enabled(level) || vm->log_lines > LINES_MAX)
        return 0;
    if (vm->log_lines++ == LINES_MAX) {
        rt_log(RT_LOG_WARN, "the script writes too much to the log: the rest of this turn is left out", "app",
               vm->services->app->name, NULL);
        return 0;
    }
    snprintf(message, sizeof message, "%.*s", MESSAGE_BYTES - 1, text);
    if (lua_istable(L, 2)) {
        lua_getglobal(L, "json");
        lua_getfield(L, -1, "encode");
        lua_pushvalue(L, 2);
        lua_call(L, 1, 1);
        const char *fields = lua_tostring(L, -1);
        char cut[FIELD_BYTES];
        snprintf(cut, sizeof cut, "%s", fields);
        rt_log(level, message, "app", vm->services->app->name, "fields", cut, NULL);
        return 0;
    }
    rt_log(level, message, "app", vm->services->app->name, NULL);
    return 0;
}

L_FN(log_debug, RT_ANY, "log.debug(message: string, fields?: table)", "Writes a line of level debug to the log.")
{
    return write_line(L, RT_LOG_DEBUG);
}

L_FN(log_info, RT_ANY, "log.info(message: string, fields?: table)", "Writes a line of level info to the log.")
{
    return write_line(L, RT_LOG_INFO);
}

L_FN(log_warn, RT_ANY, "log.warn(message: string, fields?: table)", "Writes a line of level warn to the log.")
{
    return write_line(L, RT_LOG_WARN);
}

L_FN(log_error, RT_ANY, "log.error(message: string, fields?: table)", "Writes a line of level error to the log.")
{
    return write_line(L, RT_LOG_ERROR);
}

static const struct rt_lua_fn *const fns[] = { &log_debug, &log_info, &log_warn, &log_error, NULL };
const struct rt_lua_lib rt_lib_log = { "log", "The server's structured log.", fns };

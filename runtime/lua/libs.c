/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of host libraries: a new primitive is one line here beside its l_<name>.c. */
#include "lua/api.h"

extern const struct rt_lua_lib rt_lib_db, rt_lib_tx, rt_lib_json, rt_lib_time, rt_lib_jwt, rt_lib_password,
    rt_lib_crypto, rt_lib_timer, rt_lib_analytics, rt_lib_auth, rt_lib_limit, rt_lib_cache, rt_lib_report, rt_lib_log,
    rt_lib_config, rt_lib_schema, rt_lib_events, rt_lib_socket, rt_lib_webhook, rt_lib_mail, rt_lib_url;

const struct rt_lua_lib *const rt_lua_libs[] = {
    &rt_lib_db,     &rt_lib_tx,    &rt_lib_json,      &rt_lib_time,   &rt_lib_jwt,   &rt_lib_password,
    &rt_lib_crypto, &rt_lib_timer, &rt_lib_analytics, &rt_lib_auth,   &rt_lib_limit, &rt_lib_cache,
    &rt_lib_report, &rt_lib_log,   &rt_lib_config,    &rt_lib_schema, &rt_lib_events, &rt_lib_socket,
    &rt_lib_webhook, &rt_lib_mail, &rt_lib_url,
    NULL,
};

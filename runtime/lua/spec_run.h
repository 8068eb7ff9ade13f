/* SPDX-License-Identifier: Apache-2.0
 *
 * Specs inside the host: busted runs in the app's own state, each of its blocks as a call that may wait and
 * write as a job does. Only for `perigee test`: the state also has the libraries that scripts never see. */
#ifndef RT_LUA_SPEC_RUN_H
#define RT_LUA_SPEC_RUN_H

#include "lua/spec_client.h"
#include "lua/vm.h"

struct rt_spec_run {
    const char *scripts;     /* the folder of the apps; specs may read files there */
    const char *const *args; /* busted's: files, "--filter=…" */
    int n_args;
    const struct rt_spec_server *server;
    /* Each test as a line of JSON, when it begins and when it has ended. */
    void (*report)(void *arg, const char *line, size_t n);
    void *report_arg;
};

/* Runs busted on the loop of the state's services, until it is done. 0 when everything passed, RT_E_INVALID when not,
 * another code when it could not run. */
int rt_spec_run(struct rt_vm *vm, const struct rt_spec_run *run, struct rt_err *err);

#endif

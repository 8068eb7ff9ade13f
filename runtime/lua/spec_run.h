/* SPDX-License-Identifier: Apache-2.0
 *
 * Specs inside the host: busted runs in the app's own state, each of its blocks as a call that may wait and
 * write as a job does. Only for `perigee test`: the state also has the libraries that scripts never see. */
#ifndef RT_LUA_SPEC_RUN_H
#define RT_LUA_SPEC_RUN_H

#include "lua/vm.h"

/* Runs busted with these arguments (folders, "--filter=…") on the loop of the state's services, until it is done.
 * `scripts` is the folder of the apps; specs may read files there. 0 when everything passed, RT_E_INVALID when not
 * (busted has told why), another code when it could not run. */
int rt_spec_run(struct rt_vm *vm, const char *scripts, const char *const *args, int n, struct rt_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0
 *
 * Channels and the order of their handlers. */
#include "lua/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "events/events.h"
#include "lua/api.h"
#include "lua/channel_internal.h"

static const int codes[RT_CHANNEL_CODES] = { 1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 0 };

int rt_channel_code(int i) { return codes[i]; }

static void count(_Atomic uint64_t *n) { atomic_fetch_add_explicit(n, 1, memory_order_relaxed); }

static struct rt_channel_stats *stats_of(const struct rt_channel *c) { return c->app->vm->services->channel_stats; }

/* ---- slots ---- */

static struct rt_channels *channels_of(struct rt_vm *vm)
{
    if (!vm->channels) {
        vm->channels = calloc(1, sizeof *vm->channels);
        if (vm->channels)
            vm->channels->free = CHANNEL_NO_SLOT;
    }
    return vm->channels;
}

static bool take_slot(struct rt_channel *c)
{
    struct rt_channels *all = channels_of(c->app->vm);
    if (!all)
        return false;
    if (all->free == CHANNEL_NO_SLOT) {
        unsigned n = all->size ? 2 * all->size : 16;
        struct channel_slot *slots = realloc(all->slots, n * sizeof *slots);
        if (!slots)
            return false;
        for (unsigned i = all->size; i < n; i++)
            slots[i] = (struct channel_slot){ .next = i + 1 < n ? i + 1 : CHANNEL_NO_SLOT };
        all->slots = slots;
        all->free = all->size;
        all->size = n;
    }
    c->slot = all->free;
    all->free = all->slots[c->slot].next;
    all->slots[c->slot].channel = c;
    all->count++;
    return true;
}

static void give_slot(struct rt_channel *c)
{
    struct rt_channels *all = c->app->vm->channels;
    struct channel_slot *s = &all->slots[c->slot];
    s->channel = NULL;
    s->generation++;
    s->next = all->free;
    all->free = c->slot;
    all->count--;
}

unsigned rt_channels_count(const struct rt_vm *vm) { return vm->channels ? vm->channels->count : 0; }

void rt_channels_each(const struct rt_vm *vm, void (*each)(void *arg, const struct rt_channel_info *i), void *arg)
{
    const struct rt_channels *all = vm->channels;
    for (unsigned i = 0; all && i < all->size; i++) {
        const struct rt_channel *c = all->slots[i].channel;
        if (!c || !c->conn)
            continue;
        struct rt_channel_info info = { .id = c->id, .path = c->route->path };
        if (c->hub) {
            info.label = rt_hub_first_label(c->hub);
            info.rooms = rt_hub_rooms(c->hub);
        }
        each(arg, &info);
    }
}

struct rt_channel *rt_channel_check(lua_State *L, int idx)
{
    const struct channel_handle *h = luaL_checkudata(L, idx, "rt.socket");
    const struct rt_channels *all = rt_vm_of(L)->channels;
    const struct channel_slot *s = all && h->slot < all->size ? &all->slots[h->slot] : NULL;
    return s && s->generation == h->generation ? s->channel : NULL;
}

/* ---- the hub's side ---- */

static void hub_deliver(void *owner, struct rt_ws_text *text)
{
    struct rt_channel *c = owner;
    if (!c->conn)
        return;
    count(&stats_of(c)->out);
    rt_ws_send(c->conn, text);
    if (rt_ws_closing(c->conn)) /* it was too slow */
        rt_hub_conn_close(c->hub);
}

static void end_connection(struct rt_channel *c, int code, const char *reason)
{
    if (c->hub)
        rt_hub_conn_close(c->hub);
    if (c->conn)
        rt_ws_close(c->conn, code, reason);
}

static void hub_close(void *owner, int code, const char *reason) { end_connection(owner, code, reason); }

static const struct rt_hub_handler hub_handler = { hub_deliver, hub_close };

/* ---- birth and end ---- */

static int make_handle(lua_State *L)
{
    struct rt_channel *c = lua_touserdata(L, 1);
    struct channel_handle *h = lua_newuserdatauv(L, sizeof *h, 1);
    h->slot = c->slot;
    h->generation = c->app->vm->channels->slots[c->slot].generation;
    luaL_setmetatable(L, "rt.socket");
    c->handle_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

struct rt_channel *rt_channel_new(struct rt_app *app, const struct rt_route *route, const char *id, int request_ref)
{
    size_t n = strlen(id);
    struct rt_channel *c = calloc(1, sizeof *c + n + 1);
    struct rt_vm *vm = app->vm;
    if (!c) {
        luaL_unref(vm->L, LUA_REGISTRYINDEX, request_ref);
        return NULL;
    }
    c->app = app;
    c->route = route;
    c->request_ref = request_ref;
    c->handle_ref = LUA_NOREF;
    c->slot = CHANNEL_NO_SLOT;
    c->tail = &c->head;
    memcpy(c->id, id, n + 1);
    bool ok = take_slot(c) && rt_vm_protected(vm, RT_RULE, make_handle, c, NULL) == 0;
    if (ok && vm->services->inbox)
        c->hub = rt_hub_conn_new(vm->services->inbox, rt_events_app(vm->services->app->events), &hub_handler, c);
    if (!ok || (vm->services->inbox && !c->hub)) {
        rt_channel_drop(c);
        return NULL;
    }
    return c;
}

static void set_timeout(struct rt_channel *c, int64_t due_ms)
{
    struct rt_channels *all = c->app->vm->channels;
    if (c->due_ms && !due_ms) {
        *c->timer_at = c->timer_next;
        if (c->timer_next)
            c->timer_next->timer_at = c->timer_at;
    } else if (!c->due_ms && due_ms) {
        c->timer_at = &all->timers;
        c->timer_next = all->timers;
        if (c->timer_next)
            c->timer_next->timer_at = &c->timer_next;
        all->timers = c;
    }
    c->due_ms = due_ms;
}

static void drop_messages(struct rt_channel *c)
{
    while (c->head) {
        struct channel_item *i = c->head;
        c->head = i->next;
        free(i);
    }
    c->tail = &c->head;
}

void rt_channel_drop(struct rt_channel *c)
{
    lua_State *L = c->app->vm->L;
    if (c->run)
        channel__run_drop(c->run);
    if (c->hub)
        rt_hub_conn_free(c->hub);
    drop_messages(c);
    luaL_unref(L, LUA_REGISTRYINDEX, c->request_ref);
    luaL_unref(L, LUA_REGISTRYINDEX, c->handle_ref);
    if (c->slot != CHANNEL_NO_SLOT) {
        set_timeout(c, 0);
        give_slot(c);
    }
    free(c);
}

void rt_channels_fini(struct rt_vm *vm)
{
    struct rt_channels *all = vm->channels;
    for (unsigned i = 0; all && i < all->size; i++)
        if (all->slots[i].channel)
            rt_channel_drop(all->slots[i].channel);
    if (all)
        free(all->slots);
    free(all);
    vm->channels = NULL;
}

/* ---- what happens, in order ---- */

/* The next thing to be done, CHANNEL_NOTHING when there is none now. */
static enum channel_event next_event(struct rt_channel *c, struct channel_item **ret_item)
{
    *ret_item = NULL;
    if (c->to_open) {
        c->to_open = false;
        return CHANNEL_OPEN;
    }
    if (c->head) {
        *ret_item = c->head;
        c->head = c->head->next;
        if (!c->head)
            c->tail = &c->head;
        return CHANNEL_MESSAGE;
    }
    if (c->timed_out && !c->over) {
        c->timed_out = false;
        return CHANNEL_TIMEOUT;
    }
    if (c->over && !c->told) {
        c->told = true;
        return CHANNEL_CLOSED;
    }
    return CHANNEL_NOTHING;
}

void channel__go_on(struct rt_channel *c)
{
    if (c->going)
        return;
    c->going = true;
    while (!c->run) {
        struct channel_item *item;
        enum channel_event event = next_event(c, &item);
        if (event == CHANNEL_NOTHING)
            break;
        if (!channel__run(c, event, item))
            channel__fail(c);
    }
    c->going = false;
    if (c->conn)
        rt_ws_pause(c->conn, c->run && c->head);
    if (!c->run && c->told)
        rt_channel_drop(c);
}

void rt_channel_open(struct rt_channel *c, struct rt_ws_conn *conn)
{
    c->conn = conn;
    c->to_open = true;
    count(&stats_of(c)->opened);
    channel__go_on(c);
}

void rt_channel_message(struct rt_channel *c, const char *p, size_t n, bool binary)
{
    count(&stats_of(c)->in);
    if (binary) {
        end_connection(c, RT_WS_UNSUPPORTED, "text only");
        return;
    }
    struct channel_item *i = malloc(sizeof *i + n);
    if (!i) {
        channel__fail(c);
        return;
    }
    i->next = NULL;
    i->n = n;
    memcpy(i->text, p, n);
    *c->tail = i;
    c->tail = &i->next;
    channel__go_on(c);
}

void rt_channel_closed(struct rt_channel *c, int code)
{
    struct rt_channel_stats *s = stats_of(c);
    int i = 0;
    while (codes[i] && codes[i] != code)
        i++;
    count(&s->closed[i]);
    count(&s->ended);
    if (c->hub)
        rt_hub_conn_close(c->hub);
    c->conn = NULL;
    c->over = true;
    channel__go_on(c);
}

void channel__fail(struct rt_channel *c)
{
    count(&stats_of(c)->failed);
    drop_messages(c);
    end_connection(c, RT_WS_FAILED, NULL);
}

void rt_channels_tick(struct rt_vm *vm, int64_t now_ms)
{
    struct rt_channel *due = NULL;
    if (!vm->channels)
        return;
    for (struct rt_channel *c = vm->channels->timers, *next; c; c = next) {
        next = c->timer_next;
        if (c->due_ms > now_ms)
            continue;
        set_timeout(c, 0);
        c->timed_out = true;
        c->timer_next = due; /* free while it has no timeout; handlers may set another one */
        due = c;
    }
    while (due) {
        struct rt_channel *c = due;
        due = c->timer_next;
        channel__go_on(c);
    }
}

void rt_channels_close(struct rt_vm *vm, int code, const char *reason)
{
    for (unsigned i = 0; vm->channels && i < vm->channels->size; i++)
        if (vm->channels->slots[i].channel)
            end_connection(vm->channels->slots[i].channel, code, reason);
}

/* ---- for the binding ---- */

bool rt_channel_send(struct rt_channel *c, struct rt_ws_text *text)
{
    bool open = c->conn && !rt_ws_closing(c->conn);
    if (open && channel__hold_text(c, text))
        return true;
    if (open) {
        count(&stats_of(c)->out);
        rt_ws_send(c->conn, text);
    }
    rt_ws_text_unref(text);
    return open;
}

bool rt_channel_close(struct rt_channel *c, int code, const char *reason)
{
    bool open = c->conn && !rt_ws_closing(c->conn);
    if (open && !channel__hold_close(c, code, reason))
        end_connection(c, code, reason);
    return open;
}

void rt_channel_timeout(struct rt_channel *c, int64_t due_ms)
{
    c->timed_out = false;
    set_timeout(c, due_ms);
}

struct rt_hub_conn *rt_channel_hub(struct rt_channel *c) { return c->conn ? c->hub : NULL; }

const char *rt_channel_id(const struct rt_channel *c) { return c->id; }

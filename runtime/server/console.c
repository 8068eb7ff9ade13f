/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversations. The reader hands frames to the loop as messages; only an interrupt acts on the running line at once.
 * Each begins on the release that serves at that moment and stays on it until use(). */
#include "server/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "server/assume.h"
#include "server/console_session.h"
#include "server/releaser_internal.h"
#include "server/worker_ask.h"

enum { LINE_MS = 5000, DEPTH = 16 };

static struct rt_session sessions[RT_CONSOLES_MAX];
static _Atomic int numbers;

/* ---- where it is --------------------------------------------------------------------------------------------- */

static int live_number(struct rt_host *h, int app)
{
    pthread_mutex_lock(&h->releaser->mu);
    int n = h->releaser->app[app].number;
    pthread_mutex_unlock(&h->releaser->mu);
    return n;
}

static void close_place(struct console_place *p)
{
    if (!p)
        return;
    rt_repl_free(p->repl);
    rt_app_free(p->app);
    rt_vm_free(p->vm);
    rt_tree_unref(p->tree);
    free(p);
}

static int open_place(struct rt_session *s, int app, struct console_place **ret, struct rt_err *err)
{
    struct console_place *p = calloc(1, sizeof *p);
    if (!p)
        return rt_err_set(err, RT_E_NOMEM, "no memory for a console");
    struct rt_host *h = s->host;
    p->services = h->workers[0].services[app];
    p->services.loop = s->loop;
    p->services.mailbox = s->mailbox;
    p->services.inbox = NULL;
    p->services.channel_stats = NULL;
    if (p->services.script_ms < LINE_MS)
        p->services.script_ms = LINE_MS; /* nobody waits for it but who typed it */
    p->services.share_us = 0;
    rt_worker_live_tree(h, app, &p->tree, &p->release);
    int rc = rt_vm_new(&p->services, p->tree, &p->vm, err);
    if (rc == 0)
        rc = rt_app_load(p->vm, h->apps[app].shared.name, &p->app, err);
    if (rc == 0)
        rc = rt_repl_new(p->app, p->tree, &s->repl_host, &p->repl, err);
    if (rc)
        close_place(p);
    else
        *ret = p;
    return rc;
}

static int find_app(struct rt_host *h, const char *name)
{
    for (int a = 0; a < h->n_apps; a++)
        if (strcmp(h->apps[a].shared.name, name) == 0)
            return a;
    return -1;
}

/* Between two lines: to the app that use() named. */
static int move(struct rt_session *s, struct rt_err *err)
{
    int app = s->want;
    s->want = -1;
    struct console_place *p, *old = s->place;
    int rc = open_place(s, app, &p, err);
    if (rc)
        return rc;
    pthread_mutex_lock(&s->mu);
    s->place = p;
    pthread_mutex_unlock(&s->mu);
    s->app = app;
    close_place(old);
    return 0;
}

/* ---- lines --------------------------------------------------------------------------------------------------- */

static int audit(struct rt_session *s, const char *event, const char *code, const char *outcome, struct rt_err *err)
{
    struct rt_console_record r = { .event = event, .user = s->user, .sudo_user = s->sudo_user, .ssh = s->ssh,
                                   .app = s->place->app->name, .code = code, .outcome = outcome, .session = s->number,
                                   .release = s->place->release, .uid = s->uid };
    return rt_console_audit(s->host->options->data, &r, err);
}

static void line_done(void *session, enum rt_repl_end end, const char *text, const char *traceback)
{
    static const char *const kinds[] = { "result", "incomplete", "syntax", "runtime", "deadline", "interrupted",
                                         "refused" };
    struct rt_session *s = session;
    struct rt_err err;
    audit(s, "end", NULL, kinds[end], NULL);
    console__unwatch(s);
    s->running = false;
    if (end == RT_REPL_INCOMPLETE)
        console__incomplete(s);
    else if (end != RT_REPL_RESULT)
        console__error(s, s->id, kinds[end], text, traceback);
    else if (s->want >= 0 && move(s, &err))
        console__error(s, s->id, "runtime", err.msg, NULL);
    else {
        int live = live_number(s->host, s->app);
        console__result(s, text, live != s->place->release ? live : 0);
    }
    if (s->leaving)
        rt_loop_stop(s->loop);
}

static bool use(void *session, const char *name)
{
    struct rt_session *s = session;
    int app = name ? find_app(s->host, name) : s->app;
    if (app >= 0)
        s->want = app;
    return app >= 0;
}

static void status(void *session, struct rt_buf *out)
{
    rt_releaser_status(((struct rt_session *)session)->host, false, out);
}

int console__count(void)
{
    int n = 0;
    for (int i = 0; i < RT_CONSOLES_MAX; i++)
        n += atomic_load(&sessions[i].used) && !atomic_load(&sessions[i].ended);
    return n;
}

/* ---- frames from the client ---------------------------------------------------------------------------------- */

struct console_frame *console__frame(struct rt_message *m)
{
    return (struct console_frame *)((char *)m - offsetof(struct console_frame, message));
}

static void eval(struct rt_session *s, struct rt_json f)
{
    struct rt_buf code;
    struct rt_err err;
    long long id = rt_json_int(rt_json_member(f, "id"), 0);
    if (s->running) {
        console__error(s, id, "protocol", "a line is running already", NULL);
        return;
    }
    rt_buf_init(&code, 0);
    rt_json_text(rt_json_member(f, "code"), &code);
    s->id = id;
    s->began = rt_mono_ns();
    if (audit(s, "line", rt_buf_cstr(&code), NULL, &err)) {
        console__error(s, id, "refused", err.msg, NULL);
    } else {
        s->running = true;
        rt_repl_eval(s->place->repl, code.data ? code.data : "", code.len);
    }
    rt_buf_fini(&code);
}

static void complete(struct rt_session *s, struct rt_json f)
{
    struct rt_buf text, out;
    rt_buf_init(&text, 0);
    rt_buf_init(&out, 0);
    rt_json_text(rt_json_member(f, "text"), &text);
    int64_t cursor = rt_json_int(rt_json_member(f, "cursor"), (int64_t)text.len);
    size_t n = cursor < 0 || (size_t)cursor > text.len ? text.len : (size_t)cursor;
    rt_buf_printf(&out, "{\"type\":\"completions\",\"id\":%lld,", (long long)rt_json_int(rt_json_member(f, "id"), 0));
    if (s->running)
        rt_buf_printf(&out, "\"from\":%zu,\"items\":[]", n);
    else
        rt_repl_complete(s->place->repl, text.data ? text.data : "", n, &out);
    rt_buf_putc(&out, '}');
    console__send(s, &out);
    rt_buf_fini(&text);
}

static void take(struct rt_message *m)
{
    struct console_frame *x = console__frame(m);
    struct rt_session *s = x->s;
    struct rt_json f = rt_json_document(x->text, x->n), type = rt_json_member(f, "type");
    if (rt_json_text_is(type, "eval"))
        eval(s, f);
    else if (rt_json_text_is(type, "complete"))
        complete(s, f);
    else if (rt_json_text_is(type, "answer") && !s->watching && rt_json_int(rt_json_member(f, "id"), -1) == s->id)
        rt_repl_answer(s->place->repl, rt_json_true(rt_json_member(f, "yes")));
    else if (rt_json_text_is(type, "interrupt"))
        rt_repl_answer(s->place->repl, false);
    free(x);
}

/* The client is gone, or the server ends. */
static void leave(struct rt_message *m)
{
    struct console_frame *x = console__frame(m);
    struct rt_session *s = x->s;
    s->leaving = true;
    free(x);
    if (s->running)
        rt_repl_answer(s->place->repl, false);
    if (!s->running)
        rt_loop_stop(s->loop);
}

void console__post(struct rt_session *s, const char *text, size_t n, void (*run)(struct rt_message *m))
{
    struct console_frame *x = calloc(1, sizeof *x + n + 1);
    if (!x)
        abort(); /* the conversation could not even end */
    x->s = s;
    x->n = n;
    x->message.run = run;
    memcpy(x->text, text, n);
    rt_loop_post(s->loop, &x->message);
}

static void assume(void *session, const char *principal, bool keep, char secret[RT_ASSUME_SECRET])
{
    (void)session;
    rt_assume_put(principal, keep, secret);
}

static bool why(void *session, const char *id, struct rt_buf *out)
{
    (void)session;
    return rt_recent_find(id, out);
}

static void abort_line(struct rt_session *s)
{
    pthread_mutex_lock(&s->mu);
    if (s->place)
        rt_turn_abort(s->place->vm);
    pthread_mutex_unlock(&s->mu);
}

/* Hands on what is complete; false when no frame could come of it. */
static bool split(struct rt_session *s, struct rt_buf *in)
{
    size_t at = 0;
    for (char *end; at < in->len && (end = memchr(in->data + at, '\n', in->len - at));) {
        const char *frame = in->data + at;
        size_t n = (size_t)(end - frame);
        if (rt_json_check(frame, n, DEPTH, NULL, NULL))
            return false;
        if (rt_json_text_is(rt_json_member(rt_json_document(frame, n), "type"), "interrupt"))
            abort_line(s);
        console__post(s, frame, n, take);
        at += n + 1;
    }
    rt_buf_cut(in, at);
    return !in->failed;
}

static void *read_frames(void *arg)
{
    struct rt_session *s = arg;
    struct rt_buf in;
    char part[8192];
    ssize_t n;
    pthread_setname_np(pthread_self(), "console-reader");
    rt_buf_init(&in, RT_CONSOLE_FRAME_MAX);
    while ((n = read(s->fd, part, sizeof part)) > 0) {
        rt_buf_put(&in, part, (size_t)n);
        if (!split(s, &in))
            break;
    }
    rt_buf_fini(&in);
    abort_line(s);
    console__post(s, "", 0, leave);
    return NULL;
}

/* ---- threads ------------------------------------------------------------------------------------------------- */

static void read_mail(struct rt_message *m)
{
    struct rt_session *s = (struct rt_session *)((char *)m - offsetof(struct rt_session, mail));
    atomic_store(&s->mail_posted, false);
    rt_mailbox_run(s->mailbox);
}

static void wake(void *arg)
{
    struct rt_session *s = arg;
    if (!atomic_exchange(&s->mail_posted, true))
        rt_loop_post(s->loop, &s->mail);
}

static void each_round(void *arg)
{
    struct rt_session *s = arg;
    rt_vm_idle(s->place->vm);
    rt_writer_flush(s->place->services.app->writer);
}

static void converse(struct rt_session *s)
{
    console__hello(s);
    if (pthread_create(&s->reader, NULL, read_frames, s))
        return;
    rt_loop_each(s->loop, each_round, s);
    rt_loop_run(s->loop);
    pthread_join(s->reader, NULL);
}

static void *run(void *arg)
{
    struct rt_session *s = arg;
    struct rt_err err;
    pthread_setname_np(pthread_self(), "console");
    int rc = rt_loop_new(&s->loop, &err);
    s->mailbox = rc ? NULL : rt_mailbox_new(wake, s);
    if (rc == 0 && !s->mailbox)
        rc = rt_err_set(&err, RT_E_NOMEM, "no memory for a console");
    if (rc == 0)
        rc = open_place(s, s->app, &s->place, &err);
    if (rc)
        console__end(s->fd, err.msg);
    else
        converse(s);
    if (atomic_load(&s->host->draining))
        console__end(s->fd, "the server stops");
    close_place(s->place);
    if (s->mailbox)
        rt_mailbox_free(s->mailbox);
    if (s->loop)
        rt_loop_free(s->loop);
    pthread_mutex_lock(&s->mu);
    close(s->fd);
    s->fd = -1;
    atomic_store(&s->ended, true);
    pthread_mutex_unlock(&s->mu);
    return NULL;
}

static struct rt_session *free_slot(void)
{
    for (int i = 0; i < RT_CONSOLES_MAX; i++) {
        struct rt_session *s = &sessions[i];
        if (atomic_load(&s->used) && atomic_load(&s->ended)) {
            pthread_join(s->thread, NULL);
            pthread_mutex_destroy(&s->mu);
            atomic_store(&s->used, false);
        }
        if (!atomic_load(&s->used))
            return s;
    }
    return NULL;
}

/* Which app a conversation without a name means would change with each new one: it has to be said. */
static const char *which(const struct rt_host *h, char *text, size_t size)
{
    size_t n = (size_t)snprintf(text, size, "several apps are served, name one of them:");
    for (int a = 0; a < h->n_apps && n < size; a++)
        n += (size_t)snprintf(text + n, size - n, "%s %s", a ? "," : "", h->apps[a].shared.name);
    return text;
}

/* NULL, or why not; `words` is room for it. */
static const char *set_up(struct rt_session *s, struct rt_host *h, struct rt_control_request *q, char words[400])
{
    const char *text = q->line + sizeof RT_CONSOLE_COMMAND - 1;
    char app[64] = "";
    if (rt_json_check(text, strlen(text), DEPTH, NULL, NULL))
        return "the first line is not JSON";
    struct rt_json o = rt_json_document(text, strlen(text));
    if (rt_json_int(rt_json_member(o, "version"), 0) != RT_CONSOLE_VERSION)
        return "the server speaks another version of the protocol";
    rt_json_copy(rt_json_member(o, "app"), app, sizeof app);
    if (!app[0] && h->n_apps > 1)
        return which(h, words, 400);
    int index = app[0] ? find_app(h, app) : 0;
    if (index < 0)
        return "the server has no such app";
    memset(s, 0, sizeof *s);
    s->host = h;
    s->fd = q->fd;
    s->uid = q->uid;
    s->app = index;
    s->want = -1;
    s->number = ++numbers;
    s->write = rt_json_true(rt_json_member(o, "write"));
    s->json = rt_json_true(rt_json_member(o, "json"));
    snprintf(s->user, sizeof s->user, "%s", q->who);
    rt_json_copy(rt_json_member(o, "sudo_user"), s->sudo_user, sizeof s->sudo_user);
    rt_json_copy(rt_json_member(o, "ssh"), s->ssh, sizeof s->ssh);
    s->server = (struct rt_spec_server){ .arg = h, .connect = rt_worker_ask_connect };
    s->mail.run = read_mail;
    s->repl_host = (struct rt_repl_host){ .arg = s, .write = s->write, .json = s->json,
                                          .write_ms = (int)h->options->script_ms, .print = console__print,
                                          .confirm = console__confirm, .use = use, .status = status,
                                          .sessions = console__sessions, .releases = console__releases,
                                          .apps = console__apps, .why = why, .assume = assume, .server = &s->server,
                                          .watch = console__watch_requests, .watch_room = console__watch_room,
                                          .done = line_done };
    return NULL;
}

void rt_consoles_begin(struct rt_host *h, struct rt_control_request *q)
{
    struct rt_session *s = free_slot();
    char words[400];
    const char *why = s ? set_up(s, h, q, words) : "too many consoles are open";
    if (!why) {
        pthread_mutex_init(&s->mu, NULL);
        if (pthread_create(&s->thread, NULL, run, s))
            why = "no memory for a console";
        else
            atomic_store(&s->used, true);
    }
    if (why) {
        console__end(q->fd, why);
        close(q->fd);
    }
    free(q->line);
    q->line = NULL;
}

void rt_consoles_stop(struct rt_host *h)
{
    (void)h;
    for (int i = 0; i < RT_CONSOLES_MAX; i++) {
        struct rt_session *s = &sessions[i];
        if (!atomic_load(&s->used))
            continue;
        pthread_mutex_lock(&s->mu);
        if (s->fd >= 0)
            shutdown(s->fd, SHUT_RD);
        pthread_mutex_unlock(&s->mu);
        pthread_join(s->thread, NULL);
        pthread_mutex_destroy(&s->mu);
        atomic_store(&s->used, false);
    }
}

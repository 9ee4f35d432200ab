// SPDX-License-Identifier: Apache-2.0
/* `sluice watch`: one rollout or all, as a picture that is kept up to date, or as lines where there
 * is no terminal to draw on. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "cli/cli.h"
#include "cli/feed.h"
#include "cli/rollout_view.h"
#include "cli/terminal.h"
#include "cli/watch_page.h"

#include <stdio.h>
#include <stdlib.h>

enum { REDRAW_MS = 100, AGE_MS = 1000 };

struct view {
    struct session *session;
    struct feed *feed;
    bool one;
    char *last_words; /* said when the view has ended; NULL: nothing */
    int status;
    struct error denied; /* for STATUS_REFUSED */
    /* as a picture */
    struct terminal *terminal;
    struct timer redraw, age;
    struct text page; /* what is shown, without what only the live view has */
    /* as lines */
    struct map said; /* by rollout: its last line */
};

static void end_with(struct view *view, int status, char *words_take)
{
    free(view->last_words);
    view->last_words = words_take;
    view->status = status;
    loop_stop(view->session->loop);
}

static char *name_of(const struct view *view, const struct found *found)
{
    const char *name = json_string_at(found->object, "/metadata/name");
    if (view->session->ns)
        return str_copy(name);
    return str_format("%s/%s", json_string_at(found->object, "/metadata/namespace"), name);
}

static char *gone_words(const struct view *view, const struct found *found)
{
    char *name AUTO_FREE = name_of(view, found);
    return str_format("%s %s was deleted", found->kind->info.kind, name);
}

/* Without the right to watch, what is shown would be old and not look so. */
static void end_if_denied(struct view *view)
{
    const struct error *trouble = feed_trouble(view->feed);
    if (!trouble || trouble->code != ERR_DENIED)
        return;
    view->denied = *trouble;
    end_with(view, STATUS_REFUSED, NULL);
}

/* ---- as a picture ---- */

static void page_make(struct view *view)
{
    const struct screen_look *look = terminal_look(view->terminal);
    const struct found_list *list = feed_list(view->feed);
    int foot = 2 + (feed_trouble(view->feed) != NULL);
    struct watch_room room = {look->columns, look->rows > foot ? look->rows - foot : 1};
    text_clear(&view->page);
    if (!view->one)
        watch_page_all(list, view->session->ns, clock_wall_ms(), room, &view->page);
    else if (list->count)
        watch_page_one(&list->items[0], clock_wall_ms(), room, &view->page);
}

static void draw(void *data)
{
    struct view *view = data;
    const struct error *trouble = feed_trouble(view->feed);
    struct text picture AUTO(text_done) = {0};
    page_make(view);
    text_add(&picture, view->page.at, view->page.len);
    text_puts(&picture, "\n");
    if (trouble)
        text_addf(&picture, "no news at the moment: %s\n", trouble->text);
    text_puts(&picture, "q ends it\n");
    terminal_show(view->terminal, picture.at);
}

/* What comes together is drawn together. */
static void draw_soon(struct view *view)
{
    if (!timer_running(&view->redraw))
        timer_start(view->session->loop, &view->redraw, REDRAW_MS, draw, view);
}

static void on_age(void *data)
{
    struct view *view = data;
    draw_soon(view);
    timer_start(view->session->loop, &view->age, AGE_MS, on_age, view);
}

static void draw_put(void *data, const struct found *found)
{
    (void)found;
    draw_soon(data);
}

static void draw_delete(void *data, const struct found *found)
{
    struct view *view = data;
    if (view->one)
        end_with(view, STATUS_ABANDONED, gone_words(view, found));
    else
        draw_soon(view);
}

static void draw_trouble(void *data)
{
    end_if_denied(data);
    draw_soon(data);
}

static void on_resize(void *data)
{
    draw(data);
}

static void on_end(void *data)
{
    end_with(data, STATUS_DONE, NULL);
}

static int run_picture(struct view *view, struct found_list *list, struct error *err)
{
    static const struct feed_events events = {draw_put, draw_delete, draw_trouble};
    static const struct terminal_events keys = {on_resize, on_end};
    struct loop *loop = view->session->loop;
    int code = terminal_open(loop, &keys, view, &view->terminal, err);
    if (code < 0)
        return code;
    view->feed = feed_open_take(view->session, list, view->one, &events, view);
    draw(view);
    on_age(view);
    code = loop_run(loop, err);
    timer_stop(loop, &view->redraw);
    timer_stop(loop, &view->age);
    feed_close(view->feed);
    terminal_close(view->terminal, view->page.at);
    text_done(&view->page);
    return code;
}

/* ---- as lines ---- */

/* Says it, unless it is what was said last about this rollout. */
static void say(struct view *view, const struct found *found, const char *line)
{
    char *name AUTO_FREE = name_of(view, found);
    char *key AUTO_FREE = str_format("%s %s", found->kind->info.kind, name);
    if (str_equal(map_get(&view->said, key), line))
        return;
    free(map_put(&view->said, key, str_copy(line)));
    if (view->one)
        printf("%s\n", line);
    else
        printf("%s  %s\n", name, line);
    fflush(stdout);
}

static void say_put(void *data, const struct found *found)
{
    struct rollout_view view;
    struct text line AUTO(text_done) = {0};
    rollout_view_open(found->kind, found->object, clock_wall_ms(), &view);
    rollout_line(&view, &line);
    say(data, found, line.at);
    rollout_view_done(&view);
}

static void say_delete(void *data, const struct found *found)
{
    struct view *view = data;
    if (view->one)
        end_with(view, STATUS_ABANDONED, gone_words(view, found));
    else
        say(view, found, "was deleted");
}

static void say_trouble(void *data)
{
    struct view *view = data;
    const struct error *trouble = feed_trouble(view->feed);
    end_if_denied(view);
    if (trouble && trouble->code != ERR_DENIED)
        fprintf(stderr, "sluice watch: no news at the moment: %s\n", trouble->text);
}

static int run_lines(struct view *view, struct found_list *list, struct error *err)
{
    static const struct feed_events events = {say_put, say_delete, say_trouble};
    if (!list->count)
        rollouts_say_none(view->session);
    for (size_t i = 0; i < list->count; i++)
        say_put(view, &list->items[i]);
    view->feed = feed_open_take(view->session, list, view->one, &events, view);
    int code = loop_run(view->session->loop, err);
    feed_close(view->feed);
    map_done(&view->said, free);
    return code;
}

/* ---- the verb ---- */

static int watch(struct session *session, const char *name, struct error *err)
{
    struct view view = {.session = session, .one = name != NULL};
    struct found_list list = {0};
    struct found found;
    int code = name ? rollout_find(session, name, &found, err) : rollouts_list(session, &list, err);
    if (code == OK && name) {
        found_list_put(&list, found.kind, found.object);
        json_decref(found.object);
    }
    rollouts_say_unread(&list);
    if (code == OK)
        code = terminal_there() ? run_picture(&view, &list, err) : run_lines(&view, &list, err);
    found_list_done(&list);
    if (view.last_words)
        puts(view.last_words);
    free(view.last_words);
    if (code == OK && view.status == STATUS_REFUSED) {
        *err = view.denied;
        return err->code;
    }
    return code < 0 ? code : view.status;
}

static int run_watch(const struct arguments *arguments)
{
    const char *name = arguments->operand_count ? arguments->operands[0] : NULL;
    struct session session;
    struct error err = {0};
    if (name && flag_value(arguments, &flag_all_namespaces))
        return usage_error(arguments->verb, "a name and --all-namespaces exclude each other");
    int code = session_open(arguments, &session, &err);
    if (code == OK) {
        code = watch(&session, name, &err);
        session_close(&session);
    }
    return code < 0 ? verb_refused(arguments->verb, &err) : code;
}

const struct verb verb_watch = {
    .name = "watch",
    .summary = "show rollouts live: what `status` shows, kept up to date",
    .operands = "[NAME]",
    .most = 1,
    .flags = (const struct flag *const[]){SESSION_FLAGS, &flag_all_namespaces, NULL},
    .text = "q or ^C ends it, and the last picture stays. Where there are more rollouts than "
            "rows, those at rest are left out first; where a page has no room, a line says where "
            "the rollout stands, and the next one why.\n"
            "\n"
            "Where the output is no terminal, or TERM is dumb, each change is a line. Colours are "
            "left out when NO_COLOR is set. The exit status is 4 when the rollout was deleted.",
    .run = run_watch,
};

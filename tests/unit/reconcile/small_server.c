// SPDX-License-Identifier: Apache-2.0
#include "small_server.h"

#include <stdlib.h>
#include <string.h>

struct answer {
    int status;
    json_t *body;
};

static struct answer refuse(int status)
{
    return (struct answer){status,
                           json_pack("{s:s, s:s, s:i, s:s}", "kind", "Status", "status", "Failure",
                                     "code", status, "message", "this is how the test wants it")};
}

static struct answer give(int status, const json_t *object)
{
    return (struct answer){status, json_deep_copy(object)};
}

static void stream_tell(struct small_server *server, const char *type, const json_t *object)
{
    if (!server->stream)
        return;
    json_t *event AUTO_JSON = json_pack("{s:s, s:O}", "type", type, "object", object);
    char *text AUTO_FREE = json_text(event);
    char *line AUTO_FREE = str_format("%s\n", text);
    fake_send(server->stream, line);
}

/* In whatever namespace. */
static bool is_watched(const struct small_server *server, const char *path)
{
    char *part AUTO_FREE = str_format("%s/", strrchr(server->watched, '/'));
    return strstr(path, part);
}

void small_put_take(struct small_server *server, const char *path, json_t *object)
{
    const char *type = small_get(server, path) ? "MODIFIED" : "ADDED";
    json_put_take(object, "/metadata/resourceVersion", json_sprintf("%d", ++server->version));
    json_object_set_new(server->objects, path, object);
    if (is_watched(server, path))
        stream_tell(server, type, object);
}

void small_remove(struct small_server *server, const char *path)
{
    json_t *object AUTO_JSON = json_incref(small_get(server, path));
    json_put_take(object, "/metadata/resourceVersion", json_sprintf("%d", ++server->version));
    json_object_del(server->objects, path);
    if (is_watched(server, path))
        stream_tell(server, "DELETED", object);
}

json_t *small_get(const struct small_server *server, const char *path)
{
    return json_object_get(server->objects, path);
}

size_t small_count(const struct small_server *server, const char *part)
{
    return fake_api_count(server->world->api, part);
}

static struct answer list_all(const struct small_server *server)
{
    json_t *list = json_pack("{s:s, s:s, s:{s:o}, s:[]}", "apiVersion", "core.oam.dev/v1beta1",
                             "kind", "ApplicationList", "metadata", "resourceVersion",
                             json_sprintf("%d", server->version), "items");
    const char *path;
    json_t *object;
    json_object_foreach (server->objects, path, object) {
        if (is_watched(server, path))
            json_array_append(json_object_get(list, "items"), object);
    }
    return (struct answer){200, list};
}

static struct answer create(struct small_server *server, const char *path, json_t *object)
{
    char *at AUTO_FREE = str_format("%s/%s", path, json_string_at(object, "/metadata/name"));
    if (small_get(server, at))
        return refuse(409);
    small_put_take(server, at, json_incref(object));
    return give(201, object);
}

static struct answer note_event(struct small_server *server, const json_t *event)
{
    json_array_append_new(server->events, json_sprintf("%s %s: %s", json_string_at(event, "/type"),
                                                       json_string_at(event, "/reason"),
                                                       json_string_at(event, "/message")));
    return give(201, event);
}

/* As the status subresource does it: nothing but the status is taken over. */
static struct answer patch_status(struct small_server *server, const char *path, json_t *patch)
{
    char *at AUTO_FREE = str_copy_n(path, strlen(path) - strlen("/status"));
    json_t *object = json_deep_copy(small_get(server, at));
    const char *version = json_string_at(patch, "/metadata/resourceVersion");
    if (!object)
        return refuse(404);
    if (version && !str_equal(version, json_string_at(object, "/metadata/resourceVersion"))) {
        json_decref(object);
        return refuse(409);
    }
    if (!json_object_get(object, "status"))
        json_object_set_new(object, "status", json_object());
    json_object_update(json_object_get(object, "status"), json_object_get(patch, "status"));
    small_put_take(server, at, object);
    return give(200, object);
}

static struct answer carry_out(struct small_server *server, const char *method, const char *path,
                               const char *body)
{
    json_t *sent AUTO_JSON = *body ? json_loads(body, 0, NULL) : NULL;
    if (str_equal(method, "GET"))
        return small_get(server, path) ? give(200, small_get(server, path)) : refuse(404);
    if (str_equal(method, "POST") && strstr(path, "/events"))
        return note_event(server, sent);
    if (strstr(path, "/events/"))
        return give(200, sent); /* the same again: not noted */
    if (str_equal(method, "POST"))
        return create(server, path, sent);
    if (str_equal(method, "PATCH") && strstr(path, "/status"))
        return patch_status(server, path, sent);
    return refuse(405);
}

static bool fault_strikes(struct fault *fault, const char *method, const char *path)
{
    char *request AUTO_FREE = str_format("%s %s", method, path);
    return fault->part && strstr(request, fault->part) && fault->times-- > 0;
}

static void answer_take(struct fake_connection *connection, struct answer answer)
{
    char *text AUTO_FREE = json_text(answer.body);
    fake_answer(connection, answer.status, "", text);
    json_decref(answer.body);
}

static void answer_faulty(struct small_server *server, const struct fake_request *request,
                          const char *path)
{
    struct fault fault = server->fault;
    if (fault.carried)
        json_decref(carry_out(server, request->method, path, request->body).body);
    if (fault.status)
        answer_take(request->connection, refuse(fault.status));
}

static void on_request(void *data, const struct fake_request *request)
{
    struct small_server *server = data;
    char *path AUTO_FREE = str_copy_n(request->target, strcspn(request->target, "?"));
    if (fault_strikes(&server->fault, request->method, path)) {
        answer_faulty(server, request, path);
    } else if (!str_equal(path, server->watched)) {
        answer_take(request->connection, carry_out(server, request->method, path, request->body));
    } else if (strstr(request->target, "watch=")) {
        server->stream = request->connection;
        fake_begin(request->connection);
    } else {
        answer_take(request->connection, list_all(server));
    }
}

void small_server_init(struct small_server *server, const char *watched)
{
    *server = (struct small_server){.world = world_new("{token: t}", NULL),
                                    .objects = json_object(),
                                    .version = 100,
                                    .watched = watched,
                                    .events = json_array()};
    server->world->on_request = on_request;
    server->world->data = server;
}

void small_server_done(struct small_server *server)
{
    world_free(server->world);
    json_decref(server->objects);
    json_decref(server->events);
}

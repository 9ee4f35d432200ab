// SPDX-License-Identifier: Apache-2.0
/* Discovery: found kinds are remembered, missing ones are found when their CRD comes. */
#include "cluster/kinds.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

#define APPS                                                                                       \
    "{\"resources\":[{\"name\":\"deployments\",\"kind\":\"Deployment\",\"namespaced\":true},"      \
    "{\"name\":\"deployments/scale\",\"kind\":\"Scale\",\"namespaced\":true}]}"
#define THINGS "{\"resources\":[{\"name\":\"things\",\"kind\":\"Thing\",\"namespaced\":false}]}"

struct atlas {
    struct world *world;
    struct kinds *kinds;
    struct fake_connection *crds; /* the stream */
    bool served;                  /* whether x.io/v1 is there */
    bool forbidden;
    int changes, answers;
    int code;
    char found[128];
};

static void on_request(void *data, const struct fake_request *request)
{
    struct atlas *atlas = data;
    struct fake_connection *connection = request->connection;
    if (strstr(request->target, "watch=1")) {
        atlas->crds = connection;
        fake_begin(connection);
    } else if (strstr(request->target, "customresourcedefinitions")) {
        char *accept AUTO_FREE = fake_header(request, "Accept");
        assert_non_null(strstr(accept, "as=PartialObjectMetadataList"));
        fake_answer(connection, 200, "",
                    "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[{\"metadata\":{\"name\":"
                    "\"olds.old.io\"}}]}");
    } else if (atlas->forbidden) {
        fake_answer(connection, 403, "", "{\"message\":\"no\"}");
    } else if (strcmp(request->target, "/apis/apps/v1") == 0) {
        fake_answer(connection, 200, "", APPS);
    } else if (strcmp(request->target, "/api/v1") == 0) {
        fake_answer(connection, 200, "",
                    "{\"resources\":[{\"name\":\"pods\",\"kind\":\"Pod\",\"namespaced\":true}]}");
    } else if (strcmp(request->target, "/apis/x.io/v1") == 0 && atlas->served) {
        fake_answer(connection, 200, "", THINGS);
    } else {
        fake_answer(connection, 404, "", "404 page not found");
    }
}

static void on_change(void *data)
{
    ((struct atlas *)data)->changes++;
}

static void on_found(void *data, const struct kind_info *info, const struct error *err)
{
    struct atlas *atlas = data;
    atlas->answers++;
    atlas->code = err->code;
    assert_int_equal(info == NULL, err->code != OK);
    if (info)
        snprintf(atlas->found, sizeof atlas->found, "%s %s %s %d", info->api_version, info->kind,
                 info->plural, info->namespaced);
}

static bool has_stream(void *data)
{
    return ((struct atlas *)data)->crds;
}

static bool has_answer(void *data)
{
    return ((struct atlas *)data)->answers;
}

static bool has_two_changes(void *data)
{
    return ((struct atlas *)data)->changes >= 2;
}

static bool has_change(void *data)
{
    return ((struct atlas *)data)->changes;
}

static void begin(struct atlas *atlas)
{
    *atlas = (struct atlas){.world = world_new("{token: t}", NULL)};
    atlas->world->on_request = on_request;
    atlas->world->data = atlas;
    atlas->kinds = kinds_new(atlas->world->cluster, on_change, atlas);
    world_until(atlas->world, has_stream, atlas);
}

static void end(struct atlas *atlas)
{
    kinds_free(atlas->kinds);
    world_free(atlas->world);
}

static int find(struct atlas *atlas, const char *api_version, const char *kind)
{
    atlas->answers = 0;
    kind_find(atlas->kinds, api_version, kind, on_found, atlas);
    world_until(atlas->world, has_answer, atlas);
    assert_int_equal(atlas->answers, 1);
    return atlas->code;
}

static void send_crd(struct atlas *atlas, const char *type, const char *name)
{
    char *line AUTO_FREE = str_format("{\"type\":\"%s\",\"object\":{\"metadata\":{\"name\":\"%s\","
                                      "\"resourceVersion\":\"9\"}}}\n",
                                      type, name);
    fake_send(atlas->crds, line);
}

static void test_found_and_remembered(void **state)
{
    struct atlas atlas;
    begin(&atlas);
    assert_int_equal(find(&atlas, "apps/v1", "Deployment"), OK);
    assert_string_equal(atlas.found, "apps/v1 Deployment deployments 1");
    assert_int_equal(find(&atlas, "apps/v1", "Deployment"), OK);
    assert_int_equal(find(&atlas, "apps/v1", "Scale"), ERR_MISSING); /* a subresource */
    assert_int_equal(fake_api_count(atlas.world->api, "GET /apis/apps/v1"), 1);
    assert_int_equal(find(&atlas, "v1", "Pod"), OK);
    assert_string_equal(atlas.found, "v1 Pod pods 1");
    assert_int_equal(atlas.changes, 0); /* CRDs that were there already are no change */
    end(&atlas);
}

static void test_many_ask_at_once(void **state)
{
    struct atlas atlas;
    begin(&atlas);
    for (int i = 0; i < 5; i++)
        kind_find(atlas.kinds, "apps/v1", "Deployment", on_found, &atlas);
    int other = 0;
    kind_find(atlas.kinds, "apps/v1", "Deployment", on_found, &other);
    kind_forget(atlas.kinds, &other);
    world_until(atlas.world, has_answer, &atlas);
    assert_int_equal(atlas.answers, 5);
    assert_int_equal(fake_api_count(atlas.world->api, "GET /apis/apps/v1"), 1);
    end(&atlas);
}

/* The CRD's event comes first, the kind is served later: on_change comes for both. */
static void test_missing_then_served(void **state)
{
    struct atlas atlas;
    begin(&atlas);
    assert_int_equal(find(&atlas, "x.io/v1", "Thing"), ERR_MISSING);
    assert_int_equal(find(&atlas, "x.io/v1", "Thing"), ERR_MISSING);
    assert_int_equal(fake_api_count(atlas.world->api, "GET /apis/x.io/v1"), 1);
    send_crd(&atlas, "ADDED", "things.x.io");
    world_until(atlas.world, has_change, &atlas);
    assert_int_equal(find(&atlas, "x.io/v1", "Thing"), ERR_MISSING);
    atlas.served = true;
    world_until(atlas.world, has_two_changes, &atlas);
    assert_int_equal(find(&atlas, "x.io/v1", "Thing"), OK);
    assert_string_equal(atlas.found, "x.io/v1 Thing things 0");

    /* And gone again. */
    atlas.served = false;
    atlas.changes = 0;
    send_crd(&atlas, "DELETED", "things.x.io");
    world_until(atlas.world, has_change, &atlas);
    assert_int_equal(find(&atlas, "x.io/v1", "Thing"), ERR_MISSING);
    end(&atlas);
}

/* CRDs of another group leave what is known alone. */
static void test_other_groups(void **state)
{
    struct atlas atlas;
    begin(&atlas);
    assert_int_equal(find(&atlas, "apps/v1", "Deployment"), OK);
    send_crd(&atlas, "MODIFIED", "things.x.io");
    send_crd(&atlas, "MODIFIED", "things.not-apps");
    world_until(atlas.world, has_change, &atlas);
    assert_int_equal(find(&atlas, "apps/v1", "Deployment"), OK);
    assert_int_equal(fake_api_count(atlas.world->api, "GET /apis/apps/v1"), 1);
    assert_int_equal(atlas.changes, 1); /* once for both */
    end(&atlas);
}

static void test_trouble_is_not_remembered(void **state)
{
    struct atlas atlas;
    begin(&atlas);
    atlas.forbidden = true;
    assert_int_equal(find(&atlas, "apps/v1", "Deployment"), ERR_DENIED);
    atlas.forbidden = false;
    assert_int_equal(find(&atlas, "apps/v1", "Deployment"), OK);
    end(&atlas);
}

struct tangle {
    struct atlas *atlas;
    int answers;
    bool free;
};

static void on_found_again(void *data, const struct kind_info *info, const struct error *err)
{
    struct tangle *tangle = data;
    tangle->answers++;
    if (tangle->free) {
        kinds_free(tangle->atlas->kinds);
        tangle->atlas->kinds = NULL;
    } else if (tangle->answers < 3) {
        kind_find(tangle->atlas->kinds, "apps/v1", "Deployment", on_found_again, tangle);
    }
}

static bool is_answered_thrice(void *data)
{
    return ((struct tangle *)data)->answers == 3;
}

static bool is_answered(void *data)
{
    return ((struct tangle *)data)->answers;
}

static void test_callbacks_ask_and_free(void **state)
{
    struct atlas atlas;
    begin(&atlas);
    struct tangle tangle = {.atlas = &atlas};
    atlas.forbidden = true; /* each question goes to the server anew */
    kind_find(atlas.kinds, "apps/v1", "Deployment", on_found_again, &tangle);
    world_until(atlas.world, is_answered_thrice, &tangle);
    tangle = (struct tangle){.atlas = &atlas, .free = true};
    kind_find(atlas.kinds, "apps/v1", "Deployment", on_found_again, &tangle);
    kind_find(atlas.kinds, "apps/v1", "Deployment", on_found_again, &tangle);
    world_until(atlas.world, is_answered, &tangle);
    assert_int_equal(tangle.answers, 1);
    end(&atlas);
}

static void check_path(const struct kind_info *info, const char *ns, const char *name,
                       const char *subresource, const char *expected)
{
    char *path AUTO_FREE = object_path(info, ns, name, subresource);
    assert_string_equal(path, expected);
}

static void test_paths(void **state)
{
    struct kind_info deployment = {"apps/v1", "Deployment", "deployments", true};
    struct kind_info node = {"v1", "Node", "nodes", false};
    check_path(&deployment, "a", "b", NULL, "/apis/apps/v1/namespaces/a/deployments/b");
    check_path(&deployment, "a", "b", "status", "/apis/apps/v1/namespaces/a/deployments/b/status");
    check_path(&deployment, "a", NULL, NULL, "/apis/apps/v1/namespaces/a/deployments");
    check_path(&deployment, NULL, NULL, NULL, "/apis/apps/v1/deployments");
    check_path(&deployment, "", NULL, NULL, "/apis/apps/v1/deployments");
    check_path(&node, "ignored", "n", NULL, "/api/v1/nodes/n");
    check_path(&deployment, "a", "../../b?c", NULL,
               "/apis/apps/v1/namespaces/a/deployments/..%2F..%2Fb%3Fc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_and_remembered),
        cmocka_unit_test(test_many_ask_at_once),
        cmocka_unit_test(test_missing_then_served),
        cmocka_unit_test(test_other_groups),
        cmocka_unit_test(test_trouble_is_not_remembered),
        cmocka_unit_test(test_callbacks_ask_and_free),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0
/* Access: kubeconfig files and the Pod's service account, and what is wrong with them in words. */
#include "cluster/access_private.h"
#include "cluster/base64.h"
#include "cluster/yaml_json.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static int setup(void **state)
{
    folder = folder_new();
    static const char *const names[] = {"KUBECONFIG", "KUBERNETES_SERVICE_HOST",
                                        "KUBERNETES_SERVICE_PORT"};
    for (size_t i = 0; i < 3; i++)
        unsetenv(names[i]);
    setenv("HOME", folder, 1);
    return 0;
}

static int teardown(void **state)
{
    folder_remove(folder);
    free(folder);
    return 0;
}

static struct access *open_with(const char *files, const char *context)
{
    struct access *access = NULL;
    struct error err = {0};
    struct access_options options = {.kubeconfig = files, .context = context};
    if (access_open(&options, &access, &err) < 0)
        fail_msg("%s", err.text);
    return access;
}

static struct access *open_text(const char *text)
{
    char *path AUTO_FREE = folder_file(folder, "config", text);
    return open_with(path, NULL);
}

/* The header lines that a request gets, joined by '|'. */
static char *headers_of(struct access *access)
{
    struct error err = {0};
    struct curl_slist *headers = NULL;
    CURL *easy = curl_easy_init();
    char *all = str_copy("");
    assert_int_equal(access_apply(access, easy, &headers, &err), OK);
    for (struct curl_slist *line = headers; line; line = line->next) {
        char *more = str_format("%s%s%s", all, *all ? "|" : "", line->data);
        free(all);
        all = more;
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    return all;
}

static void check_headers(struct access *access, const char *expected)
{
    char *headers AUTO_FREE = headers_of(access);
    assert_string_equal(headers, expected);
}

#define ONE(cluster, user)                                                                         \
    "apiVersion: v1\nkind: Config\n"                                                               \
    "clusters: [{name: c, cluster: {" cluster "}}]\n"                                              \
    "users: [{name: u, user: {" user "}}]\n"                                                       \
    "contexts: [{name: x, context: {cluster: c, user: u, namespace: team}}]\n"                     \
    "current-context: x\n"

static void test_simple(void **state)
{
    struct access *access = open_text(ONE("server: 'https://10.0.0.1:6443/'", "token: abc"));
    assert_string_equal(access_server(access), "https://10.0.0.1:6443");
    assert_string_equal(access_url(access), "https://10.0.0.1:6443");
    assert_string_equal(access_namespace(access), "team");
    assert_false(access->insecure);
    check_headers(access, "Authorization: Bearer abc");
    access_free(access);
}

static void test_server_forms(void **state)
{
    static const char *const forms[][2] = {
        {"https://api.example.com", "https://api.example.com:443"},
        {"https://api.example.com/k8s/c-1/", "https://api.example.com:443/k8s/c-1"},
        {"http://127.0.0.1:8001", "http://127.0.0.1:8001"},
        {"https://[::1]:6443", "https://[::1]:6443"},
        {"10.0.0.1:6443", "https://10.0.0.1:6443"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct access *access = mem_alloc(sizeof *access);
        struct error err = {0};
        list_init(&access->waiting);
        list_init(&access->serving);
        assert_int_equal(access_set_server(access, forms[i][0], NULL, "server", &err), OK);
        assert_string_equal(access_server(access), forms[i][1]);
        access_free(access);
    }
}

static void test_tls_server_name(void **state)
{
    struct access *access = open_text(
        ONE("server: 'https://10.0.0.1:6443', tls-server-name: api.internal", "token: abc"));
    assert_string_equal(access_server(access), "https://10.0.0.1:6443");
    assert_string_equal(access_url(access), "https://api.internal:6443");
    assert_string_equal(access->connect_to->data, "api.internal:6443:10.0.0.1:6443");
    check_headers(access, "Authorization: Bearer abc|Host: 10.0.0.1:6443");
    access_free(access);
}

static void test_embedded_data(void **state)
{
    struct access *access =
        open_text(ONE("server: 'https://h', certificate-authority-data: Q0E=",
                      "client-certificate-data: Q0VSVA==, client-key-data: S0VZ"));
    assert_string_equal(access->ca.text, "CA");
    assert_string_equal(access->certificate.text, "CERT");
    assert_string_equal(access->key.text, "KEY");
    check_headers(access, "");
    access_free(access);
}

/* Relative paths start at the file that names them. */
static void test_relative_paths(void **state)
{
    free(folder_file(folder, "ca.pem", "ca"));
    free(folder_file(folder, "tok", " spaced \n"));
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir("/"), 0);
    struct access *access =
        open_text(ONE("server: 'https://h', certificate-authority: ca.pem", "tokenFile: ./tok"));
    char *ca AUTO_FREE = str_format("%s/ca.pem", folder);
    assert_string_equal(access->ca.path, ca);
    check_headers(access, "Authorization: Bearer spaced");
    access_free(access);
    /* … also when the file itself is named relatively. */
    assert_int_equal(chdir(folder), 0);
    access = open_with("config", NULL);
    assert_string_equal(access->ca.path, ca);
    access_free(access);
    assert_int_equal(chdir(here), 0);
}

static void test_token_stands_in_for_token_file(void **state)
{
    struct access *access = open_text(ONE("server: 'https://h'", "tokenFile: t, token: static"));
    check_headers(access, "Authorization: Bearer static");
    free(folder_file(folder, "t", "fresh"));
    check_headers(access, "Authorization: Bearer fresh");
    access_free(access);
}

static void test_impersonation(void **state)
{
    struct access *access = open_text(ONE("server: 'https://h'",
                                          "token: t, as: jane, as-uid: '7', as-groups: [dev, ops], "
                                          "as-user-extra: {'acme.com/project': [x, y]}"));
    check_headers(access, "Authorization: Bearer t|Impersonate-User: jane|Impersonate-Uid: 7|"
                          "Impersonate-Group: dev|Impersonate-Group: ops|"
                          "Impersonate-Extra-acme.com%2Fproject: x|"
                          "Impersonate-Extra-acme.com%2Fproject: y");
    access_free(access);
}

static void test_insecure_and_basic(void **state)
{
    struct access *access = open_text(ONE("server: 'https://h', insecure-skip-tls-verify: true",
                                          "username: me, password: 'a:b'"));
    assert_true(access->insecure);
    assert_string_equal(access->basic, "me:a:b");
    access_free(access);
}

/* Of two files the first counts, entry by entry; missing files are passed over. */
static void test_merge(void **state)
{
    char *one AUTO_FREE = folder_file(folder, "one",
                                      "users: [{name: u, user: {token: first}}]\n"
                                      "contexts: [{name: a, context: {cluster: c, user: u}}]\n");
    char *two AUTO_FREE =
        folder_file(folder, "two",
                    "clusters: [{name: c, cluster: {server: 'https://two'}}]\n"
                    "users: [{name: u, user: {token: second, as: x}}, {name: v}]\n"
                    "contexts: [{name: a, context: {cluster: none}}, "
                    "{name: b, context: {cluster: c, user: v, namespace: nb}}]\n"
                    "current-context: a\n");
    char *three AUTO_FREE = folder_file(folder, "three", "current-context: b\n");
    char *files AUTO_FREE = str_format("%s:%s/none::%s:%s", one, folder, two, three);
    setenv("KUBECONFIG", files, 1);
    struct access *access = open_with(NULL, NULL);
    assert_string_equal(access_server(access), "https://two:443");
    assert_string_equal(access_namespace(access), "default");
    check_headers(access, "Authorization: Bearer first");
    access_free(access);
    access = open_with(NULL, "b");
    assert_string_equal(access_namespace(access), "nb");
    check_headers(access, "");
    access_free(access);
}

static void test_in_cluster(void **state)
{
    struct access *access = NULL;
    struct error err = {0};
    struct access_options options = {.service_account = folder};
    free(folder_file(folder, "token", "sa-1"));
    free(folder_file(folder, "ca.crt", "ca"));
    free(folder_file(folder, "namespace", "sluice-system\n"));
    setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    assert_int_equal(access_open(&options, &access, &err), OK);
    assert_string_equal(access_server(access), "https://[fd00::1]:443");
    assert_string_equal(access_namespace(access), "sluice-system");
    check_headers(access, "Authorization: Bearer sa-1");
    free(folder_file(folder, "token", "sa-2"));
    check_headers(access, "Authorization: Bearer sa-2");
    access_free(access);
}

static void test_nothing_found(void **state)
{
    struct access *access = NULL;
    struct error err = {0};
    struct access_options options = {.service_account = folder};
    assert_int_equal(access_open(&options, &access, &err), ERR_MISSING);
    assert_non_null(strstr(err.text, "KUBECONFIG is not set"));
    assert_non_null(strstr(err.text, "/.kube/config"));
    assert_null(access);
    options.kubeconfig = "/nowhere/config";
    assert_int_equal(access_open(&options, &access, &err), ERR_MISSING);
    assert_non_null(strstr(err.text, "/nowhere/config"));
}

static void test_home(void **state)
{
    char *kube AUTO_FREE = str_format("%s/.kube", folder);
    assert_int_equal(mkdir(kube, 0700), 0);
    free(folder_file(folder, ".kube/config", ONE("server: 'https://home'", "")));
    struct access *access = open_with(NULL, NULL);
    assert_string_equal(access_server(access), "https://home:443");
    access_free(access);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *text, *path, *words;
    } cases[] = {
        {"clusters: [", "", ":2:1: "},
        {"- a", "", "is not a kubeconfig"},
        {"clusters: {}", "clusters", "must be a list"},
        {"clusters: [{cluster: {}}]", "clusters[0]", "must have a name"},
        {"{}", "current-context", "has no current-context"},
        {"current-context: x", "contexts", "there is no context \"x\""},
        {"current-context: x\ncontexts: [{name: x, context: {cluster: c}}]", "contexts[x].context",
         "names \"c\", which isn't among clusters"},
        {"current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
         "clusters: [{name: c, cluster: {server: a}}]",
         "contexts[x].context", "names \"u\", which isn't among users"},
        {ONE("", ""), "clusters[c].cluster", "server is missing"},
        {ONE("server: 5", ""), "clusters[c].cluster.server", "must be a string"},
        {ONE("server: 'ftp://h'", ""), "clusters[c].cluster", "is not the URL of a server"},
        {ONE("server: 'https://h', insecure-skip-tls-verify: 'yes'", ""),
         "clusters[c].cluster.insecure-skip-tls-verify", "must be true or false"},
        {ONE("server: 'https://h', insecure-skip-tls-verify: true, certificate-authority: x", ""),
         "clusters[c].cluster", "keep the authority"},
        {ONE("server: 'https://h', certificate-authority-data: '***'", ""),
         "clusters[c].cluster.certificate-authority-data", "is not base64"},
        {ONE("server: 'https://h'", "client-certificate-data: Q0VSVA=="), "users[u].user",
         "must have both"},
        {ONE("server: 'https://h'", "auth-provider: {name: gcp}"), "users[u].user", "use exec"},
        {ONE("server: 'https://h'", "token: 123"), "users[u].user.token", "must be a string"},
        {ONE("server: 'https://h'", "exec: {command: x}"), "users[u].user.exec.apiVersion",
         "must be client.authentication.k8s.io/v1"},
        {ONE("server: 'https://h'", "exec: {apiVersion: client.authentication.k8s.io/v1}"),
         "users[u].user.exec.command", "is missing"},
        {ONE("server: 'https://h'", "exec: {apiVersion: client.authentication.k8s.io/v1, "
                                    "command: x, args: [1]}"),
         "users[u].user.exec.args", "must be a list of strings"},
        {ONE("server: 'https://h'", "exec: {apiVersion: client.authentication.k8s.io/v1, "
                                    "command: x, interactiveMode: Always}"),
         "users[u].user.exec.interactiveMode", "there is no terminal"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path AUTO_FREE = folder_file(folder, "config", cases[i].text);
        struct access_options options = {.kubeconfig = path};
        struct access *access = NULL;
        struct error err = {0};
        assert_int_equal(access_open(&options, &access, &err), ERR_INVALID);
        assert_string_equal(err.path, cases[i].path);
        if (!strstr(err.text, cases[i].words) || !strstr(err.text, path))
            fail_msg("\"%s\" lacks \"%s\" or the file's name", err.text, cases[i].words);
    }
}

static void test_token_that_is_no_token(void **state)
{
    struct access *access = open_text(ONE("server: 'https://h'", "token: \"a\\r\\nEvil: b\""));
    struct error err = {0};
    struct curl_slist *headers = NULL;
    CURL *easy = curl_easy_init();
    assert_int_equal(access_apply(access, easy, &headers, &err), ERR_INVALID);
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    access_free(access);
}

static void test_base64(void **state)
{
    static const char *const texts[] = {"", "a", "ab", "abc", "abcd", "\xff\xfe z?"};
    char *bytes;
    size_t count;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *encoded AUTO_FREE = base64_encode(texts[i], strlen(texts[i]));
        assert_int_equal(base64_decode(encoded, &bytes, &count), OK);
        assert_string_equal(bytes, texts[i]);
        assert_int_equal(count, strlen(texts[i]));
        free(bytes);
    }
    assert_int_equal(base64_decode("Q0 E\n=", &bytes, &count), OK);
    assert_string_equal(bytes, "CA");
    free(bytes);
    static const char *const wrong[] = {"Q", "Q0E", "Q===", "====", "Q0E=Q0E=", "Q0E-", "=Q0E"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(base64_decode(wrong[i], &bytes, &count), ERR_INVALID);
}

static void check_yaml(const char *yaml, const char *expected)
{
    json_t *json AUTO_JSON = NULL;
    struct error err = {0};
    assert_int_equal(yaml_to_json("f", yaml, strlen(yaml), &json, &err), OK);
    char *text AUTO_FREE = json_canonical(json);
    assert_string_equal(text, expected);
}

static void test_yaml(void **state)
{
    check_yaml("", "null");
    check_yaml("a: {b: true, c: 'true', d: ~, e: 12, f: 012, g: -1, h: '12', i: 1.5}\n",
               "{\"a\":{\"b\":true,\"c\":\"true\",\"d\":null,\"e\":12,\"f\":\"012\",\"g\":\"-1\","
               "\"h\":\"12\",\"i\":\"1.5\"}}");
    check_yaml("a: &x [1, b]\nb: *x\n", "{\"a\":[1,\"b\"],\"b\":[1,\"b\"]}");
    check_yaml("{\"json\": [\"is\", \"yaml\"]}", "{\"json\":[\"is\",\"yaml\"]}");
    static const char *const wrong[] = {"a: &x [*x]", "? [a]\n: b", "a: *nowhere", "a: \"\\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        json_t *json = NULL;
        assert_int_equal(yaml_to_json("f", wrong[i], strlen(wrong[i]), &json, NULL), ERR_INVALID);
    }
    char deep[400];
    memset(deep, '[', 150);
    memset(deep + 150, ']', 150);
    deep[300] = '\0';
    json_t *json = NULL;
    assert_int_equal(yaml_to_json("f", deep, 300, &json, NULL), ERR_INVALID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_simple),          TEST(test_server_forms),
        TEST(test_tls_server_name), TEST(test_embedded_data),
        TEST(test_relative_paths),  TEST(test_token_stands_in_for_token_file),
        TEST(test_impersonation),   TEST(test_insecure_and_basic),
        TEST(test_merge),           TEST(test_in_cluster),
        TEST(test_nothing_found),   TEST(test_home),
        TEST(test_mistakes),        TEST(test_token_that_is_no_token),
        TEST(test_base64),          TEST(test_yaml),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

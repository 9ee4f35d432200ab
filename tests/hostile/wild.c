// SPDX-License-Identifier: Apache-2.0
/*
 * Does what no adapter may, as its options say:
 *   do     the deed; see below. "": none, and it is an adapter like any other
 *   in     the call in which it does it; by default in every one that is about a workload
 *   kind   of x.io/v1, that it handles; by default X
 *
 * Its workloads need no controller: `spec.size` of one is how many pods it has, and all of them are
 * ready. What the system refuses without ending the process shows as UNSUPPORTED.
 */
#include <sluice/json.h>

#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define HOLDER "rollout.sluice.dev/holder"

static int32_t verdict(bool got_away)
{
    return got_away ? SLUICE_OK : SLUICE_UNSUPPORTED;
}

/* ── Deeds against the process ────────────────────────────────────────────────────────────── */

static int32_t crash(sluice_text request)
{
    (void)request;
    raise(SIGILL); /* which no sanitizer makes its own */
    return SLUICE_OK;
}

static int32_t leave(sluice_text request)
{
    (void)request;
    _exit(7);
}

static int32_t hang(sluice_text request)
{
    volatile uint64_t turns = 0;
    while (request.length)
        turns++;
    return SLUICE_OK;
}

/* Half a GiB, if it is let. */
static int32_t allocate(sluice_text request)
{
    const size_t piece = (size_t)1 << 20;
    for (int i = 0; i < 512; i++) {
        volatile char *got = request.at ? malloc(piece) : NULL;
        if (!got)
            abort();
        for (size_t at = 0; at < piece; at += 4096)
            got[at] = 1;
    }
    return SLUICE_OK;
}

static int32_t scribble(sluice_text request)
{
    memset((char *)(uintptr_t)request.at, 'x', (size_t)request.length);
    return SLUICE_OK;
}

/* To the host, past its own. */
static int32_t speak(sluice_text request)
{
    return verdict(write(STDIN_FILENO, request.at, (size_t)request.length) >= 0);
}

static int32_t read_file(sluice_text request)
{
    (void)request;
    return verdict(open("/etc/passwd", O_RDONLY) >= 0);
}

static int32_t write_file(sluice_text request)
{
    (void)request;
    return verdict(open("/tmp/made-by-an-adapter", O_WRONLY | O_CREAT, 0600) >= 0);
}

static int32_t connect_out(sluice_text request)
{
    (void)request;
    return verdict(socket(AF_INET, SOCK_STREAM, 0) >= 0);
}

static int32_t multiply(sluice_text request)
{
    (void)request;
    return verdict(fork() >= 0);
}

static int32_t shoot(sluice_text request)
{
    (void)request;
    return verdict(kill(getppid(), SIGTERM) == 0);
}

static const struct {
    const char *name;
    int32_t (*act)(sluice_text request);
} deeds[] = {
    {"crash", crash},         {"exit", leave},    {"hang", hang},      {"allocate", allocate},
    {"scribble", scribble},   {"speak", speak},   {"read", read_file}, {"write", write_file},
    {"connect", connect_out}, {"fork", multiply}, {"signal", shoot},
};

/* ── Deeds against the host ───────────────────────────────────────────────────────────────── */

/* As much as it is let, and on. */
static int32_t flood(const struct sluice_request *request)
{
    static char piece[1 << 16];
    memset(piece, 'x', sizeof piece - 1);
    for (int i = 0; i < 10000; i++)
        request->host->emit(request->call, SLUICE_STATUS, sluice_text_of(piece));
    return SLUICE_OK;
}

static int32_t garble(const struct sluice_request *request)
{
    return request->host->emit(request->call, SLUICE_STATUS, sluice_text_of("{\"size\": "));
}

/* What a patch puts on an object of another kind or name. */
static int32_t misdirect(const struct sluice_request *request)
{
    json_t *object = json_deep_copy(sluice_at(request->json, "/target"));
    sluice_put_take(object, "/metadata/name", json_string("somebody-elses"));
    return sluice_emit_take(request, SLUICE_PATCH,
                            json_pack("{s:s, s:o}", "type", "apply", "body", object));
}

static int32_t poach(const struct sluice_request *request)
{
    return sluice_emit_take(request, SLUICE_DELETE_POD,
                            json_pack("{s:s, s:s}", "pod", "somebody-elses", "uid", "1-2-3"));
}

static int32_t emit_size(const struct sluice_request *request, int64_t size)
{
    return sluice_emit_take(
        request, SLUICE_PATCH,
        json_pack("{s:s, s:{s:{s:I}}}", "type", "merge", "body", "spec", "size", (json_int_t)size));
}

/* What is at the pointer of the workload becomes the value; NULL: it goes. */
static int32_t change(const struct sluice_request *request, const char *pointer, json_t *value_take)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *after = workload ? json_deep_copy(workload) : json_object();
    if (value_take)
        sluice_put_take(after, pointer, value_take);
    else
        sluice_remove(after, pointer);
    int32_t result = workload ? sluice_emit_changes(request, workload, after, NULL) : SLUICE_OK;
    json_decref(after);
    return result;
}

/* Asks for what is there, again and again. */
static int32_t insist(const struct sluice_request *request)
{
    return emit_size(request, sluice_int(request->json, "/workload/spec/size", 0));
}

/* Another answer to the same question, each time. */
static int32_t waver(const struct sluice_request *request)
{
    static int64_t answers;
    return emit_size(request, answers++ % 2);
}

/* Takes back what the batch before has reached. */
static int32_t retreat(const struct sluice_request *request)
{
    int64_t goal = sluice_int(request->json, "/goal", 0);
    return change(request, "/spec/size", json_integer(goal > 1 ? goal - 2 : goal));
}

static const struct {
    const char *name;
    int32_t (*answer)(const struct sluice_request *request);
} answers[] = {
    {"flood", flood},   {"garble", garble}, {"misdirect", misdirect}, {"poach", poach},
    {"insist", insist}, {"waver", waver},   {"retreat", retreat},
};

/* ── Being good ───────────────────────────────────────────────────────────────────────────── */

static int32_t observe_well(const struct sluice_request *request)
{
    int size = (int)sluice_int(request->json, "/workload/spec/size", 1);
    return sluice_emit_take(request, SLUICE_STATUS,
                            json_pack("{s:i, s:i, s:i, s:i, s:b}", "size", size, "updated", size,
                                      "updatedReady", size, "ready", size, "settled", 1));
}

static int32_t begin_well(const struct sluice_request *request)
{
    json_t *workload = sluice_at(request->json, "/workload");
    json_t *target = sluice_at(request->json, "/target");
    if (!target || (workload && *sluice_annotation(workload, HOLDER)))
        return SLUICE_OK;
    json_t *object = json_deep_copy(target);
    sluice_put_take(object, "/spec/size", json_integer(0));
    return sluice_emit_take(request, SLUICE_PATCH,
                            json_pack("{s:s, s:o}", "type", "apply", "body", object));
}

static int32_t describe_well(const struct sluice_request *request)
{
    const char *kind = sluice_string(request->json, "/options/kind");
    char plural[64];
    snprintf(plural, sizeof plural, "%ss", *kind ? kind : "X");
    for (char *at = plural; *at; at++)
        *at = (char)tolower(*at);
    return sluice_emit_take(request, SLUICE_MANIFEST,
                            json_pack("{s:[{s:s, s:s, s:[s]}], s:[{s:[s], s:[s], s:[s, s, s, s]}]}",
                                      "kinds", "apiVersion", "x.io/v1", "kind", *kind ? kind : "X",
                                      "keep", "/spec", "rights", "apiGroups", "x.io", "resources",
                                      plural, "verbs", "list", "watch", "create", "patch"));
}

static int32_t do_well(const struct sluice_request *request, const char *name)
{
    if (strcmp(name, "describe") == 0)
        return describe_well(request);
    if (strcmp(name, "observe") == 0)
        return observe_well(request);
    if (strcmp(name, "begin") == 0)
        return begin_well(request);
    if (strcmp(name, "finish") == 0)
        return change(request, "/metadata/annotations/rollout.sluice.dev~1holder", NULL);
    return change(request, "/spec/size", json_integer(sluice_int(request->json, "/goal", 0)));
}

/* ── Calls ────────────────────────────────────────────────────────────────────────────────── */

static bool misbehaves(const struct sluice_request *request, const char *name)
{
    const char *in = sluice_string(request->json, "/options/in");
    bool about_one = sluice_at(request->json, "/workload") || strcmp(in, "describe") == 0;
    return about_one && (!*in || strcmp(in, name) == 0);
}

static int32_t answer(const struct sluice_request *request, const char *name, sluice_text text)
{
    const char *deed = misbehaves(request, name) ? sluice_string(request->json, "/options/do") : "";
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (strcmp(answers[i].name, deed) == 0)
            return answers[i].answer(request);
    int32_t result = SLUICE_OK;
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
        if (strcmp(deeds[i].name, deed) == 0)
            result = deeds[i].act(text);
    return result == SLUICE_OK ? do_well(request, name) : result;
}

static int32_t call_named(const char *name, const sluice_host *host, sluice_call *call,
                          sluice_text text)
{
    struct sluice_request request;
    if (sluice_request_open(&request, host, call, text) != SLUICE_OK)
        return SLUICE_BUG;
    int32_t result = answer(&request, name, text);
    sluice_request_close(&request);
    return result;
}

static int32_t observe(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return call_named("observe", host, call, request);
}

static int32_t begin(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return call_named("begin", host, call, request);
}

static int32_t advance(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return call_named("advance", host, call, request);
}

static int32_t finish(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return call_named("finish", host, call, request);
}

static int32_t describe(const sluice_host *host, sluice_call *call, sluice_text request)
{
    return call_named("describe", host, call, request);
}

SLUICE_ADAPTER(.name = "wild", .version = "1.0.0", .needs = SLUICE_NEEDS_DESCRIBE,
               .provides = SLUICE_PROVIDES_SCALE,
               .manifest = SLUICE_JSON({"options" : {"type" : "object"}}), .observe = observe,
               .begin = begin, .advance = advance, .finish = finish, .describe = describe)

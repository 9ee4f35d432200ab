// SPDX-License-Identifier: Apache-2.0
/*
 * Does what no adapter may, as its option `do` says, in every call that isn't observe() of an
 * object without a name: crash, exit, hang, allocate, flood, scribble, speak, read, write, connect,
 * fork, signal. What the system refuses without ending the process shows as UNSUPPORTED.
 */
#include <sluice/json.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static int32_t verdict(bool got_away)
{
    return got_away ? SLUICE_OK : SLUICE_UNSUPPORTED;
}

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

/* As much as it is let, and on. */
static int32_t flood(const struct sluice_request *request)
{
    static char piece[1 << 16];
    memset(piece, 'x', sizeof piece - 1);
    for (int i = 0; i < 10000; i++)
        request->host->emit(request->call, SLUICE_STATUS, sluice_text_of(piece));
    return SLUICE_OK;
}

static int32_t observe_well(const struct sluice_request *request)
{
    return sluice_emit_take(request, SLUICE_STATUS,
                            json_pack("{s:i, s:i, s:i, s:i, s:b}", "size", 1, "updated", 1,
                                      "updatedReady", 1, "ready", 1, "settled", 1));
}

static int32_t any_call(const sluice_host *host, sluice_call *call, sluice_text text)
{
    struct sluice_request request;
    if (sluice_request_open(&request, host, call, text) != SLUICE_OK)
        return SLUICE_BUG;
    const char *deed = sluice_string(request.json, "/options/do");
    bool good = !sluice_at(request.json, "/workload");
    int32_t result = SLUICE_INVALID;
    for (size_t i = 0; !good && i < sizeof deeds / sizeof *deeds; i++)
        if (strcmp(deeds[i].name, deed) == 0)
            result = deeds[i].act(text);
    if (!good && strcmp(deed, "flood") == 0)
        result = flood(&request);
    if (good || result == SLUICE_OK)
        result = observe_well(&request);
    sluice_request_close(&request);
    return result;
}

/* clang-format off */
static const char manifest[] = SLUICE_JSON({
    "kinds": [{"apiVersion": "x.io/v1", "kind": "X", "keep": []}],
    "rights": [],
    "options": {"type": "object"}
});
/* clang-format on */

SLUICE_ADAPTER(.name = "wild", .version = "1.0.0", .manifest = manifest, .observe = any_call,
               .begin = any_call, .advance = any_call, .finish = any_call)

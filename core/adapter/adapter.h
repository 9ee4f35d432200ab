// SPDX-License-Identifier: Apache-2.0
/*
 * Adapters as the core sees them: loaded from the files that the config names, checked before they
 * count, asked through typed calls. An adapter is pure: the same request gives the same answer, so
 * every call may be repeated. What an adapter must look like is in sdk/include/sluice/abi.h.
 *
 * One thread at a time. A loaded adapter lives as long as somebody holds it: its set, and whoever
 * has a call of it under way while sets may be replaced.
 */
#ifndef ADAPTER_ADAPTER_H
#define ADAPTER_ADAPTER_H

#include "adapter/call.h"
#include "base/error.h"
#include "base/list.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct adapter;
struct adapters;
struct loop;

/* Where an adapter runs. */
enum isolation {
    ISOLATION_IN_PROCESS, /* in this process, which it can take down or stop */
    ISOLATION_PROCESS,    /* in one of its own, which concerns nobody else */
    ISOLATION_BY_PLACE,   /* in an entry only: in this process if the file stands in the directory
                             of adapters, in one of its own if not */
};

/* As the config says it. */
const char *isolation_name(enum isolation isolation);

enum { ADAPTER_DEADLINE_MS = 1000, ADAPTER_MEMORY_MIB = 256 };

/* One entry of the config's list. Borrowed during adapters_load() and adapters_renew(). */
struct adapter_entry {
    const char *name;
    const char *adapter;   /* what the shared object calls itself; NULL: as `name` */
    const char *file;      /* absolute; NULL: <directory>/<adapter>.so */
    const char *sha256;    /* NULL: not pinned */
    const json_t *options; /* NULL: {} */
    const json_t *native;  /* native functions, see docs/generic.md; NULL: none */
    enum isolation isolation;
    int64_t deadline_ms; /* of a call; 0: ADAPTER_DEADLINE_MS */
    uint64_t memory;     /* bytes of its own process; 0: ADAPTER_MEMORY_MIB */
    const char *host;    /* sluice-adapter-host; NULL: beside this program or as installed */
};

/* Loads every entry. A refused adapter doesn't stop the others: it stays in the set with its
 * refusal, so that its rollouts can say why they wait. The caller owns the set. */
struct adapters *adapters_load(const char *directory, const struct adapter_entry *entries,
                               size_t count);
void adapters_free(struct adapters *adapters);

/* From now on adapter_ask() doesn't wait for those in processes of their own. The loop must outlive
 * them. Doing it again is harmless. */
void adapters_attach(struct adapters *adapters, struct loop *loop);

/* What a running controller is to go on with. */
struct adapters_wish {
    const char *directory;
    const struct adapter_entry *entries;
    size_t count;
    bool look_at_files; /* also load anew what has another digest than when it was loaded */
};

/* A new set, beside the old one, which stays as it is. Waits for processes that load adapters, but
 * less than half a second for each. Adapters that are as wished already stand in both. Where a new
 * version is refused, the old one goes on and keeps the refusal. Refused ones are tried again. The
 * caller owns the set. */
struct adapters *adapters_renew(const struct adapters *old, const struct adapters_wish *wish);

/* Is there one that was refused for what may have been a bad moment, such as a process that didn't
 * start in time? */
bool adapters_worth_retrying(const struct adapters *adapters);

struct adapter *adapter_hold(struct adapter *adapter);
void adapter_release(struct adapter *adapter); /* NULL is fine */

size_t adapters_count(const struct adapters *adapters);
struct adapter *adapters_nth(const struct adapters *adapters, size_t index);

/* The adapter for a kind. ERR_MISSING: no adapter that is enabled knows the kind (the words list
 * which kinds are known, and name refused adapters with their refusals). Borrowed. */
int adapters_find(const struct adapters *adapters, const char *api_version, const char *kind,
                  const struct adapter **ret_adapter, struct error *err);

const char *adapter_name(const struct adapter *adapter);
const char *adapter_version(const struct adapter *adapter); /* NULL: refused before it was read */
const char *adapter_file(const struct adapter *adapter);
const char *adapter_digest(const struct adapter *adapter); /* of the loaded file; "": none was */
enum isolation adapter_isolation(const struct adapter *adapter);
const struct error *adapter_refusal(const struct adapter *adapter); /* NULL when it is in use */
bool adapter_scales(const struct adapter *adapter); /* can it step a workload's size? */

/* Why the version that should have replaced this one doesn't; NULL when there was none. */
const struct error *adapter_kept_refusal(const struct adapter *adapter, int64_t *ret_wall_ms);

/* For people and programs, as docs/hosting.md describes it under /adapters: all that an adapter
 * knows of itself, and of a version that should have replaced it. The caller owns it. */
json_t *adapter_about(const struct adapter *adapter);

/* The same, no more than which version that is and where it comes from. */
json_t *adapter_about_version(const struct adapter *adapter);

/* A kind of objects that workloads own, such as pods. All borrowed. */
struct adapter_owned {
    const char *api_version, *kind;
    const char *const *keep; /* JSON pointers that the adapter reads of each */
    size_t keep_count;
};

/* A kind that the adapter handles, as its manifest declares it. All borrowed. */
struct adapter_kind {
    const char *api_version, *kind;
    const char *const *keep; /* JSON pointers of the workload that it reads */
    size_t keep_count;
    const char *const *template; /* JSON pointers of what pods of a revision are made from */
    size_t template_count;
    const struct adapter_owned *owned; /* what it reads beside the workload itself */
    size_t owned_count;
};
size_t adapter_kinds(const struct adapter *adapter);
const struct adapter_kind *adapter_kind(const struct adapter *adapter, size_t index);

/* What the controller must be allowed for it, as its manifest says: an array of PolicyRules of
 * RBAC, checked. NULL when it is refused. Borrowed. */
const json_t *adapter_rights(const struct adapter *adapter);

/* What the workload looks like now. */
struct workload_status {
    int size;          /* pods that its owner wants */
    int updated;       /* pods that carry the update revision */
    int updated_ready; /* those of them that are ready */
    int ready;         /* ready pods of any revision */
    bool settled;      /* its own controller has seen the last write */
    char update_revision[128];
    char current_revision[128];
    char reason[256]; /* why nothing moves, when the workload itself says so; else empty */
};

/* Requests; members that don't apply are NULL, 0 or false. Objects are borrowed. */
struct adapter_request {
    const json_t *workload;  /* NULL: it doesn't exist yet */
    const json_t *pods;      /* an array; only when pod names matter */
    const json_t *owned;     /* an array: the objects of the kinds that the manifest asks for */
    const json_t *target;    /* the whole object as rendered, with Sluice's own marks on it */
    const char *strategy;    /* "IncreaseFirst" or "DecreaseFirst" */
    bool strategy_given;     /* the plan says it; otherwise it is the default */
    bool in_steps;           /* validate: the pods come in more than one step */
    bool scale;              /* replicas are stepped instead of revisions */
    bool hold;               /* begin: no roll follows yet; it may stay so for long */
    int goal;                /* advance: pods at the target revision, or replicas when scaling */
    bool paused;             /* advance: hold still where it is */
    bool template_changed;   /* advance: because another template than the target's is on it */
    int max_unavailable;     /* pods */
    const json_t *pod_names; /* advance: these first; an array of strings */
    const json_t *native;    /* describe: the native functions that there are */
    const char *outcome;     /* finish: succeeded, failed, abandoned, rolledBack, deleted */
};

enum action_kind { ACTION_PATCH, ACTION_DELETE_POD, ACTION_EVENT };
enum patch_kind { PATCH_KIND_APPLY, PATCH_KIND_MERGE, PATCH_KIND_JSON };

/* Something that the host is to do, in order. */
struct action {
    enum action_kind kind;
    enum patch_kind patch;
    json_t *body; /* the patch; EVENT: {"type","reason","message"}; owned by the action */
    char *pod;    /* the pod that is patched or deleted; NULL: the workload */
    char *uid;    /* DELETE_POD and pod patches: only if it still is this one */
};

struct actions {
    struct action *items;
    size_t count;
};
void actions_done(struct actions *actions);
void actions_remove(struct actions *actions, size_t index); /* the others keep their order */

/* Does the adapter accept this rollout of this workload? ERR_INVALID: err->path names the field.
 * OK as well when the adapter has nothing to say. */
int adapter_validate(const struct adapter *adapter, const struct adapter_request *request,
                     struct error *err);

/* These four: ERR_INVALID, ERR_RETRY (stale: ask again at the next event), ERR_LIMIT, ERR_BUG. */
int adapter_observe(const struct adapter *adapter, const struct adapter_request *request,
                    struct workload_status *ret_status, struct error *err);
int adapter_begin(const struct adapter *adapter, const struct adapter_request *request,
                  struct actions *ret_actions, struct error *err);
int adapter_advance(const struct adapter *adapter, const struct adapter_request *request,
                    struct actions *ret_actions, struct error *err);
int adapter_finish(const struct adapter *adapter, const struct adapter_request *request,
                   struct actions *ret_actions, struct error *err);

/* What came of a call. */
struct adapter_reply {
    struct error err;              /* OK, or as the functions above return it */
    struct workload_status status; /* of observe */
    struct actions actions;        /* of begin, advance and finish; the receiver's */
};
typedef void adapter_reply_fn(void *data, struct adapter_reply *reply);

/* A call that is asked without waiting for the answer. Zero it before its first use and set the
 * first two; it stays in place until on_reply, which may ask the next with it. */
struct adapter_asking {
    adapter_reply_fn *on_reply;
    void *data;

    /* The adapter's. */
    struct adapter *adapter; /* held; NULL: nothing is asked */
    enum call_kind kind;
    json_t *object;       /* what an apply patch must be of */
    json_t *owned, *pods; /* what an action on a pod must be about */
    char *text;           /* the request, while it waits in line */
    struct list link;
};

/* Asks; everything in the request is borrowed during this call only. on_reply is called once: at
 * once, before this returns, unless the adapter lives in a process of its own and a loop is
 * attached. ERR_BUG also says that this process has failed or is being left alone for a while. */
void adapter_ask(struct adapter_asking *asking, const struct adapter *adapter, enum call_kind kind,
                 const struct adapter_request *request);

/* Nobody wants the answer any more. Harmless when nothing is asked. */
void adapter_ask_cancel(struct adapter_asking *asking);

/* What an adapter has been asked, and how that went. Latencies are counted in classes, each a fifth
 * to a quarter wider than the one before; see adapter_latency_us(). */
enum { ADAPTER_LATENCY_CLASSES = 128 };
struct adapter_figures {
    uint64_t calls;
    uint64_t slow;     /* of them: those that took longer than their deadline */
    uint64_t restarts; /* of its process, when it has one */
    uint64_t latency[ADAPTER_LATENCY_CLASSES];
    int64_t refused_at_ms; /* wall clock; 0: no call has failed yet */
    char refusal[300];     /* the last call that failed, in words */
};
const struct adapter_figures *adapter_figures(const struct adapter *adapter);

/* The latency that `percent` of the calls stay within, in microseconds; 0 when there were none. */
int64_t adapter_latency_us(const struct adapter_figures *figures, unsigned percent);

#endif

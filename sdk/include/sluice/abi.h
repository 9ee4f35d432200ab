/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The binary contract between Sluice and an adapter. Nothing here needs more than a C11 or C++17
 * compiler, and nothing but fixed-width integers and pointers crosses the border.
 *
 * An adapter is a shared object that exports one function, sluice_adapter_v1(). It returns a table
 * that is constant and lives as long as the process. The calls in the table get JSON bytes and
 * emit JSON bytes through the host. They are pure: no clock, no network, no files, no memory of
 * earlier calls; the same request always gives the same answer, because the host repeats calls
 * whenever it likes. What the bytes say is described in sluice/adapter.h.
 *
 * Threads: the host makes one call at a time, and a call does its work on the thread that it came
 * on. What threads the runtime of its language has is an adapter's own business.
 * Lifetime: an adapter is never unloaded.
 *
 * Growing: a minor version only appends members to the tables, bits, kinds of emission or JSON
 * members. A member exists if it lies inside the `size` of its table. A major version is a new
 * symbol beside this one.
 */
#ifndef SLUICE_ABI_H
#define SLUICE_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_ABI_MAJOR 1
#define SLUICE_ABI_MINOR 1

/* Text is UTF-8 with a length; it need not end in a NUL. */
typedef struct sluice_text {
    const char *at;
    uint64_t length;
} sluice_text;

/* One call that is under way; only the host knows what is inside. */
typedef struct sluice_call sluice_call;

/* What a call returns. With anything but SLUICE_OK everything that was emitted is dropped. */
#define SLUICE_OK          ((int32_t)0)
#define SLUICE_INVALID     ((int32_t)-1) /* the user's to fix; shown; not repeated until a change */
#define SLUICE_UNSUPPORTED ((int32_t)-2) /* asked for what this adapter can't do */
#define SLUICE_STALE       ((int32_t)-3) /* can't tell yet; asked again at the next event */
#define SLUICE_LIMIT       ((int32_t)-4) /* too large for this adapter, or the host refused bytes */
#define SLUICE_BUG         ((int32_t)-5) /* cannot happen */

/* What can be emitted. */
#define SLUICE_STATUS     ((uint32_t)1)
#define SLUICE_PATCH      ((uint32_t)2)
#define SLUICE_DELETE_POD ((uint32_t)3)
#define SLUICE_EVENT      ((uint32_t)4)
#define SLUICE_MANIFEST   ((uint32_t)5) /* since 1.1 */

/* How much a line of log matters. */
#define SLUICE_LOG_DEBUG ((uint32_t)0)
#define SLUICE_LOG_INFO  ((uint32_t)1)
#define SLUICE_LOG_WARN  ((uint32_t)2)

/* Bits of `provides`: what the adapter can do beyond moving pods to a revision. The host refuses
 * a rollout that asks for a capability that isn't there, so the adapter never sees it. */
#define SLUICE_PROVIDES_SCALE     ((uint64_t)1 << 0) /* steps replicas (`scale` in a request) */
#define SLUICE_PROVIDES_POD_NAMES ((uint64_t)1 << 1) /* brings named pods first (`podNames`) */

/* Bits of `needs`: what the host must be able to do. A bit that the host doesn't know refuses the
 * adapter; what has no bit is always there. */
#define SLUICE_NEEDS_NOTHING  ((uint64_t)0)
#define SLUICE_NEEDS_DESCRIBE ((uint64_t)1 << 0) /* asks `describe`; since 1.1 */

/* The host's services: valid during the call only. Append only. */
typedef struct sluice_host {
    uint32_t size;
    uint16_t major;
    uint16_t minor;

    /* Zeroed memory, aligned for anything, released by the host after the call.
     * NULL when the call's limit is reached: return SLUICE_LIMIT. */
    void *(*alloc)(sluice_call *call, uint64_t size);

    /* Emits JSON text of one of the kinds above; it is copied. SLUICE_OK, or SLUICE_LIMIT when
     * the call has emitted too much: return it. */
    int32_t (*emit)(sluice_call *call, uint32_t kind, sluice_text json);

    /* Explains the error about to be returned: a JSON pointer into the request for the field at
     * fault (may be empty), and a sentence without a full stop. Both are copied. */
    void (*fail)(sluice_call *call, sluice_text pointer, sluice_text text);

    /* A line for whoever debugs the adapter; it changes nothing. */
    void (*log)(sluice_call *call, uint32_t level, sluice_text text);
} sluice_host;

typedef int32_t (*sluice_call_function)(const sluice_host *host, sluice_call *call,
                                        sluice_text request);

/* The adapter's table. Append only. Everything is mandatory except `validate` and `describe`. */
typedef struct sluice_adapter {
    uint32_t size;
    uint16_t major;
    uint16_t minor;
    uint64_t needs;
    uint64_t provides;
    const char *name;     /* lower-case letters, digits and '-', as the config names it */
    const char *version;  /* the adapter's own, for people */
    const char *manifest; /* JSON text, see sluice/adapter.h */

    sluice_call_function validate; /* may be NULL */
    sluice_call_function observe;
    sluice_call_function begin;
    sluice_call_function advance;
    sluice_call_function finish;

    sluice_call_function describe; /* since 1.1; may be NULL */
} sluice_adapter;

#if defined(__GNUC__)
#define SLUICE_EXPORT __attribute__((visibility("default")))
#else
#define SLUICE_EXPORT
#endif

/* The one symbol that an adapter exports. It has no side effects. */
SLUICE_EXPORT const sluice_adapter *sluice_adapter_v1(void);

#ifdef __cplusplus
}
#endif

#endif

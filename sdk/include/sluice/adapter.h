/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an author of an adapter writes against: the table in one macro, and what the JSON of
 * every request and every emission says. The binary side is in sluice/abi.h; helpers for authors
 * who use jansson are in sluice/json.h.
 *
 *     static int32_t observe(const sluice_host *host, sluice_call *call, sluice_text request);
 *     …
 *     SLUICE_ADAPTER(.name = "widget", .version = "1.0.0", .manifest = manifest,
 *                    .provides = SLUICE_PROVIDES_SCALE,
 *                    .observe = observe, .begin = begin, .advance = advance, .finish = finish)
 *
 * THE MANIFEST, an object:
 *   kinds     array, at least one: what the adapter handles
 *     apiVersion, kind   e.g. "example.com/v1", "Widget"
 *     keep               JSON pointers of what it reads of a workload. Everything else is left
 *                        out of requests. apiVersion, kind and metadata name, namespace, uid,
 *                        resourceVersion and generation are always there.
 *     owned              array of {apiVersion, kind, keep}: kinds of objects that such a workload
 *                        owns as their controller, which the adapter reads too, e.g. its pods.
 *                        They are watched then; left out: none
 *     template           JSON pointers of that from which pods of a revision are made (since 1.1).
 *                        When anybody else changes what stands there in the middle of a roll, the
 *                        host stops and says who it was; see templateChanged. Left out:
 *                        ["/spec/template"]. What isn't there is no template
 *   rights    array of Kubernetes PolicyRules (apiGroups, resources, verbs): what the host must
 *             be allowed to do for this adapter
 *   options   a JSON schema for the adapter's options (see the guide for the part of JSON schema
 *             that is understood); left out: the adapter takes none
 *   smoke     one case that the host runs after loading: {"call", "request", "emitted"}, the same
 *             form as a file in cases/; may be left out
 * SLUICE_JSON(…) lets it be written without quoting.
 * An adapter whose kinds depend on its options leaves out `kinds` and `rights`, has a call
 * `describe`, and sets SLUICE_NEEDS_DESCRIBE (since 1.1).
 *
 * REQUESTS are objects. Members that don't apply to a call are left out, so an adapter treats a
 * missing member as null, false or 0.
 *   workload        the live object, pruned to what `keep` names; null when it doesn't exist
 *   target          the whole object as it was rendered, carrying Sluice's own marks:
 *                   annotations that begin with "rollout.sluice.dev/", of which
 *                   "…/holder" says which rollout holds the workload and
 *                   "…/applied" identifies what was rendered
 *   pods            array of the workload's pods; there when the rollout names pods
 *   owned           array of the objects that the workload controls, of the kinds that the manifest
 *                   asks for under `owned`, each with its apiVersion and kind; they come by another
 *                   watch than the workload, so either may be the older view
 *   strategy        "IncreaseFirst": new pods come before old ones go; "DecreaseFirst"
 *   strategyGiven   true: the plan asks for this strategy, and a kind that can't honour it refuses
 *                   it; otherwise it is the default, and a kind goes by what it can (since 1.1)
 *   inSteps         validate: the plan brings the pods in more than one step (since 1.1)
 *   scale           true: replicas are stepped, revisions don't matter
 *   hold            begin: no roll follows yet, and the workload may stay held for long. Let no pod
 *                   take a template that comes later, and change no more than that (since 1.1)
 *   goal            advance: how many pods are to be at the target's revision, in all;
 *                   with scale: how many replicas there are to be
 *   paused          advance: hold still; what is under way may end, nothing new may start
 *   templateChanged advance, together with `paused` (since 1.1): somebody else has put another
 *                   template on the workload than the target's. Let no pod take it, as far as the
 *                   kind has means for that, and at once: also while it isn't settled
 *   maxUnavailable  how many pods of a batch need not be ready; a number of pods
 *   podNames        advance: names of pods that are to be brought before any other
 *   outcome         finish: "succeeded", "failed", "abandoned", "rolledBack" or "deleted"
 *   native          what the native functions that the config declares say of the workload, by
 *                   their names; describe: an object of {returns, reads} by name, where `reads` are
 *                   pointers into the workload. Not there if none is declared (since 1.1)
 *   options         what the config says, already checked against the manifest
 *
 * CALLS
 *   describe  (since 1.1) gets nothing but `options` and `native`, once, when the adapter is
 *             loaded, before any other call. Emits exactly one MANIFEST, or fails if these options
 *             can't work.
 *   validate  emits nothing. Fails if this rollout of this workload can't work.
 *   observe   emits exactly one STATUS.
 *   begin     emits what takes the workload over without moving a pod. Nothing when it is done:
 *             the live object already carries the target's marks.
 *   advance   emits what brings the workload to `goal`. Nothing once that is asked for.
 *   finish    emits what gives the workload back: after success as the owner's target has it,
 *             otherwise so that no further pod moves. Nothing once it is given back, or when the
 *             workload doesn't exist.
 *
 * EMISSIONS
 *   MANIFEST {…}            members of the manifest above but `options`; they take the place of
 *                           those in the table
 *   STATUS {
 *     "size": 5,            pods that the owner wants
 *     "updated": 2,         pods that carry the update revision
 *     "updatedReady": 1,    those of them that are ready
 *     "ready": 4,           ready pods of any revision
 *     "settled": true,      the workload's own controller has seen the last write; while it is
 *                           false the counts may be about an older template
 *     "updateRevision": "", "currentRevision": "",   names; may be left out
 *     "reason": ""          why nothing moves, if the workload itself says so; may be left out
 *   }
 *   PATCH {
 *     "type": "apply" | "merge" | "json",
 *     "body": …,            apply: the object with metadata.resourceVersion if it exists already;
 *                           json: operations of RFC 6902, with a "test" of each value that the
 *                           patch relies on. The host adds the field manager and tests of the uid
 *                           and the holder by itself.
 *     "pod": "name", "uid": "…"     a pod instead of the workload (merge or json); both or none
 *   }
 *   DELETE_POD { "pod": "name", "uid": "…" }
 *   EVENT { "type": "Normal" | "Warning", "reason": "CamelCase", "message": "…" }
 *
 * Actions are carried out in order; the first that fails ends the sequence, and the calls are
 * made again with what is then there.
 */
#ifndef SLUICE_ADAPTER_H
#define SLUICE_ADAPTER_H

#include <sluice/abi.h>

/* JSON as a string constant: SLUICE_JSON({"kinds": []}) is "{\"kinds\": []}". */
#define SLUICE_JSON(...) #__VA_ARGS__

/* Defines the exported function; size and version are filled in. C only: C++ authors write the
 * function and fill a sluice_adapter themselves. */
#define SLUICE_ADAPTER(...)                                                                        \
    const sluice_adapter *sluice_adapter_v1(void)                                                  \
    {                                                                                              \
        static const sluice_adapter table = {.size = sizeof table,                                 \
                                             .major = SLUICE_ABI_MAJOR,                            \
                                             .minor = SLUICE_ABI_MINOR,                            \
                                             __VA_ARGS__};                                         \
        return &table;                                                                             \
    }

#endif

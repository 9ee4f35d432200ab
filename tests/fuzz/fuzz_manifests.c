// SPDX-License-Identifier: Apache-2.0
/* Files that people give to the verbs: each document as an object, and the places of its fields. */
#include "bytes.h"

#include "base/alloc.h"
#include "cli/manifest.h"

#include <stdlib.h>

static void look(struct manifest *manifest)
{
    static const char *const paths[] = {"spec.rolloutPlan.rolloutBatches[0].replicas",
                                        "metadata.annotations[a.b/c]", "", "[0]", "a..b[x"};
    json_t *object = NULL;
    struct error err = {0};
    int code = manifest_object(manifest, &object, &err);
    bytes_judge(code, &err);
    json_decref(object);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        free(manifest_place(manifest, paths[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    struct bytes_file file = bytes_file(bytes, count);
    struct manifests manifests = {0};
    struct error err = {0};
    bytes_judge(manifests_read(file.path, &manifests, &err), &err);
    for (size_t i = 0; i < manifests.count; i++)
        look(&manifests.items[i]);
    if (manifests.count)
        free(manifests_unfit(file.path, &manifests, "a Rollout"));
    manifests_done(&manifests);
    bytes_file_done(&file);
    return 0;
}

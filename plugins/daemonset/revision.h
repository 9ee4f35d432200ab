/* SPDX-License-Identifier: Apache-2.0 */
/* Of which revision the pods of a DaemonSet's present template are. */
#ifndef DAEMONSET_REVISION_H
#define DAEMONSET_REVISION_H

#include <sluice/json.h>

/* What such pods carry in their label. The status of a DaemonSet doesn't tell, so it is found as
 * its controller finds it: by what the ControllerRevisions have recorded. "" while that isn't
 * there. Borrowed from the request. */
const char *update_revision(const struct sluice_request *request, json_t *workload);

#endif

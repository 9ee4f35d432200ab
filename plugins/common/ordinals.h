/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers at the end of the names of a StatefulSet's pods. They begin where the owner lets them
 * (`ordinals.start`), and OpenKruise leaves out those that he reserves (`reserveOrdinals`).
 */
#ifndef COMMON_ORDINALS_H
#define COMMON_ORDINALS_H

#include <sluice/json.h>

/* The place of a pod among those that the StatefulSet is to have, counted from 0; -1 if it isn't
 * one of them. */
int pod_place(json_t *workload, json_t *pod);

#endif

// SPDX-License-Identifier: Apache-2.0
#include "cli/rights.h"

#include <stddef.h>

#define OAM    "core.oam.dev"
#define SLUICE "sluice.dev"

const struct core_right core_rights[] = {
    {"rollouts: their finalizer is a patch of the object, their status a write of its own",
     OAM,
     "approllouts",
     {"list", "watch", "patch"}},
    {NULL, OAM, "approllouts/status", {"update"}},
    {NULL, SLUICE, "rollouts", {"list", "watch", "patch"}},
    {NULL, SLUICE, "rollouts/status", {"update"}},
    {"Applications are read; only their status is ours", OAM, "applications", {"list", "watch"}},
    {NULL, OAM, "applications/status", {"patch"}},
    {"revisions are written once and never changed",
     OAM,
     "applicationrevisions",
     {"get", "list", "watch", "create"}},
    {"templates", OAM, "componentdefinitions", {"get", "list", "watch"}},
    {"to notice a kind that is installed later",
     "apiextensions.k8s.io",
     "customresourcedefinitions",
     {"list", "watch"}},
    {"Events", "", "events", {"create", "patch"}},
    {NULL, NULL, NULL, {NULL}},
};

const struct core_right lease_rights[] = {
    {"with --shards, those of members that are gone are deleted",
     "coordination.k8s.io",
     "leases",
     {"get", "list", "watch", "create", "patch", "delete"}},
    {NULL, NULL, NULL, {NULL}},
};

// SPDX-License-Identifier: Apache-2.0
#include "samples.h"

#include "base/alloc.h"
#include "base/json.h"
#include "oam/revision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *sample_json(const char *text)
{
    char *copy AUTO_FREE = str_copy(text);
    json_t *json = NULL;
    struct error err = {0};
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    if (json_parse(copy, strlen(copy), &json, &err) < 0) {
        fprintf(stderr, "%s: %s\n", text, err.text);
        abort();
    }
    return json;
}

json_t *sample_application(void)
{
    return sample_json(
        "{'apiVersion':'core.oam.dev/v1beta1','kind':'Application',"
        "'metadata':{'name':'shop','namespace':'prod','uid':'app-uid','generation':4,"
        "'resourceVersion':'77','managedFields':[{'manager':'kubectl'}],'labels':{'team':'blue'},"
        "'annotations':{'app.oam.dev/rollout-template':'true',"
        "'kubectl.kubernetes.io/last-applied-configuration':'{}'}},"
        "'spec':{'components':["
        "{'name':'web','type':'clonesetservice','properties':{'image':'web:1','replicas':5}},"
        "{'name':'worker','type':'clonesetservice','properties':{'image':'worker:1'}}]},"
        "'status':{'latestRevision':{'name':'shop-v3'}}}");
}

json_t *sample_definitions(void)
{
    return sample_json("{'clonesetservice':{'apiVersion':'core.oam.dev/v1beta1',"
                       "'kind':'ComponentDefinition','metadata':{'name':'clonesetservice',"
                       "'namespace':'vela-system','resourceVersion':'5','uid':'x'},"
                       "'spec':{'workload':{'definition':{'apiVersion':'apps.kruise.io/v1alpha1',"
                       "'kind':'CloneSet'}},'schematic':{'cue':{'template':'output: {}'}}},"
                       "'status':{'phase':'ok'}}}");
}

json_t *sample_revision(int number)
{
    json_t *application AUTO_JSON = sample_application();
    json_t *definitions AUTO_JSON = sample_definitions();
    return revision_build(application, definitions, number);
}

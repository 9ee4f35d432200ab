// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include "base/alloc.h"
#include "base/text.h"
#include "cli/yaml_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int output_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    if (columns && atoi(columns) > 0)
        return atoi(columns);
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 0;
}

void output_json(const json_t *json, const char *format)
{
    if (strcmp(format, "json") == 0) {
        json_dumpf(json, stdout, JSON_INDENT(4));
        putchar('\n');
        return;
    }
    struct text yaml AUTO(text_done) = {0};
    yaml_text(json, &yaml);
    fputs(yaml.at, stdout);
}

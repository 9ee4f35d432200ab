// SPDX-License-Identifier: Apache-2.0
/*
 * The verbs that people type. Each gets the arguments after its name and returns the exit status:
 * 0 done, 1 failed, 2 called wrongly.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

enum { EXIT_USAGE = 2 };

int cli_controller(int argc, char **argv);
int cli_adapters(int argc, char **argv);
int cli_role(int argc, char **argv);
int cli_version(int argc, char **argv);

#endif

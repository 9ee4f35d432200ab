// SPDX-License-Identifier: Apache-2.0
/*
 * Plays schedules of faults, each in a process of its own, in virtual time.
 *
 *     faults PLUGINS COUNT [FIRST]            schedules from the seed FIRST (1) on
 *     faults PLUGINS --seed N                 one of them, with what happens in it
 *     faults PLUGINS --plant NAME COUNT       the same with a bug; it is good when that is found
 */
#include "schedule.h"

#include "base/alloc.h"
#include "base/log.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILURES_SHOWN = 10, STUCK_AFTER_S = 120 };

/* The controller's own dice are thrown by the seed as well: a seed is played again as it was. */
static struct random dice;

ssize_t getrandom(void *bytes, size_t count, unsigned flags)
{
    unsigned char *at = bytes;
    (void)flags;
    for (size_t i = 0; i < count; i++)
        at[i] = (unsigned char)random_next(&dice);
    return (ssize_t)count;
}

/* What a child has to say; shared with it. */
struct said {
    struct tally tally;
    char violation[500];
};

static void play(const char *plugins, uint64_t seed, enum plant plant, bool verbose,
                 struct said *said)
{
    dice.state = seed;
    json_object_seed(1);
    log_set_level(verbose ? LOG_DEBUG : LOG_ERROR + 1);
    alarm(STUCK_AFTER_S);
    char *violation AUTO_FREE = schedule_play(plugins, seed, plant, verbose, &said->tally);
    snprintf(said->violation, sizeof said->violation, "%s", violation ? violation : "");
}

/* True when nothing was violated. */
static bool play_apart(const char *plugins, uint64_t seed, enum plant plant, struct said *said)
{
    int status = 0;
    said->violation[0] = '\0';
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        play(plugins, seed, plant, false, said);
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (status && !said->violation[0])
        snprintf(said->violation, sizeof said->violation, "the process ended with %s %d",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return !said->violation[0];
}

static void print_tally(const struct tally *tally)
{
    printf("%d rolls begun, %d writes, %d kills, %d versions of pods judged; requests:",
           tally->rolls, tally->writes, tally->kills, tally->versions);
    for (int i = 0; i < FAULTS; i++)
        printf(" %d %s%s", tally->faults[i], i ? fault_names[i] : "untouched",
               i + 1 < FAULTS ? "," : "\n");
}

/* What a bug is to be found by. */
static const char *const found_by[PLANTS] = {
    [PLANT_SKIP] = "no more than", [PLANT_HURT] = "are promised",   [PLANT_BACK] = ", after",
    [PLANT_LOSE] = "is lost",      [PLANT_STANDS] = "come to rest",
};

static int find_plant(const char *plugins, int count, enum plant plant)
{
    struct said *said =
        mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int seed = 1; seed <= count; seed++) {
        play_apart(plugins, (uint64_t)seed, plant, said);
        if (!strstr(said->violation, found_by[plant]))
            continue;
        printf("found with seed %d: %s\n", seed, said->violation);
        return 0;
    }
    printf("not found in %d schedules\n", count);
    return 1;
}

static int play_many(const char *plugins, int count, uint64_t first)
{
    struct said *said =
        mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int violations = 0;
    for (int i = 0; i < count; i++) {
        uint64_t seed = first + (uint64_t)i;
        if (play_apart(plugins, seed, PLANT_NOTHING, said))
            continue;
        if (violations++ < FAILURES_SHOWN)
            printf("seed %llu: %s\n", (unsigned long long)seed, said->violation);
    }
    print_tally(&said->tally);
    printf("%d schedules from seed %llu, %d violations\n", count, (unsigned long long)first,
           violations);
    return violations;
}

static enum plant plant_of(const char *name)
{
    for (int i = 0; i < PLANTS; i++)
        if (strcmp(plant_names[i], name) == 0)
            return (enum plant)i;
    fprintf(stderr, "faults: no bug is called %s\n", name);
    exit(2);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[2], "--seed") == 0) {
        struct said said = {0};
        play(argv[1], strtoull(argv[3], NULL, 0), PLANT_NOTHING, true, &said);
        print_tally(&said.tally);
        puts(said.violation[0] ? said.violation : "nothing is violated");
        return said.violation[0] != '\0';
    }
    if (argc == 5 && strcmp(argv[2], "--plant") == 0)
        return find_plant(argv[1], atoi(argv[4]), plant_of(argv[3]));
    if (argc < 3) {
        fprintf(stderr, "usage: faults PLUGINS COUNT [FIRST]\n");
        return 2;
    }
    return play_many(argv[1], atoi(argv[2]), argc > 3 ? strtoull(argv[3], NULL, 0) : 1) != 0;
}

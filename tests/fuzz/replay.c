// SPDX-License-Identifier: Apache-2.0
/* Runs a fuzz target over the files of its corpus, without a fuzzer: what was found once stays
 * found. usage: replay_<target> <directory or file>... */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void give_up(const char *path)
{
    perror(path);
    exit(1);
}

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (!file || fstat(fileno(file), &info) < 0)
        give_up(path);
    /* Exactly as large as the file, so that a sanitizer sees a step beyond the end. */
    size_t count = (size_t)info.st_size;
    uint8_t *bytes = malloc(count ? count : 1);
    if (!bytes || fread(bytes, 1, count, file) != count)
        give_up(path);
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(bytes, count);
    free(bytes);
}

static int replay_directory(const char *path, DIR *directory)
{
    int files = 0;
    char name[4096];
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        replay_file(name);
        files++;
    }
    closedir(directory);
    return files;
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);
        if (directory) {
            files += replay_directory(argv[i], directory);
        } else {
            replay_file(argv[i]);
            files++;
        }
    }
    printf("%d files\n", files);
    return files ? 0 : 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replay: a fuzz target on all files that are given, and all in the folders that are given; no clang is needed
 *
 * Each is taken a second time with each of its bytes left out, and a third time cut off at each: half a file is what an editor leaves.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "base/macro.h"

#include "tests/fuzz/fuzz.h"

#define SIZE_MAX_REPLAY (64 * 1024)
/* Of a large one every so many bytes. */
#define CUTS_MAX 600

static unsigned files;

static void with_cuts(const uint8_t *data, size_t size) {
        size_t stride = 1 + size / CUTS_MAX;
        _cleanup_free_ uint8_t *copy = malloc(size + 1);

        PROMISE(copy);
        LLVMFuzzerTestOneInput(data, size);
        for (size_t i = 0; i < size; i += stride) {
                LLVMFuzzerTestOneInput(data, i);
                memcpy(copy, data, i);
                memcpy(copy + i, data + i + 1, size - i - 1);
                LLVMFuzzerTestOneInput(copy, size - 1);
        }
}

static void replay_file(const char *path) {
        _cleanup_free_ uint8_t *data = malloc(SIZE_MAX_REPLAY);
        _cleanup_fclose_ FILE *f = fopen(path, "re");

        PROMISE(f && data);
        with_cuts(data, fread(data, 1, SIZE_MAX_REPLAY, f));
        files++;
}

static void replay(const char *path) {
        struct dirent **names;
        char below[4096];
        struct stat st;
        int n;

        PROMISE(stat(path, &st) == 0);
        if (!S_ISDIR(st.st_mode)) {
                replay_file(path);
                return;
        }
        n = scandir(path, &names, NULL, alphasort);
        PROMISE(n >= 0);
        for (int i = 0; i < n; i++) {
                PROMISE(snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name) <
                        (int) sizeof(below));
                if (names[i]->d_name[0] != '.')
                        replay(below);
                free(names[i]);
        }
        free(names);
}

int main(int argc, char **argv) {
        for (int i = 1; i < argc; i++)
                replay(argv[i]);
        printf("%u files, whole, cut and with gaps\n", files);
        return files == 0;
}

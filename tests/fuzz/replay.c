/* Runs a fuzz target over its corpus, without libFuzzer: what was found once stays tested. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay(const char *name)
{
    char path[4096];
    uint8_t *data;
    long size;
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
    file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0)
        abort();
    rewind(file);
    data = malloc((size_t)size + 1);
    if (!data || fread(data, 1, (size_t)size, file) != (size_t)size)
        abort();
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

/* A finding ends the process, so there is no line to close with: that counts as failed. */
int main(void)
{
    struct dirent **entries;
    int count = scandir(CORPUS, &entries, is_input, alphasort);

    for (int i = 0; i < count; i++) {
        replay(entries[i]->d_name);
        free(entries[i]);
    }
    if (count > 0)
        free(entries);
    printf("%s: %d passed, %d failed, 0 skipped\n", NAME, count > 0 ? count : 0, count < 1);
    return count < 1;
}

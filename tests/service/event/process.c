#include "tests/service/event/process.h"

#include "shared/base/clock.h"
#include "tests/support/test_main.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MAX_FLAGS = 32, STEP_MS = 5, PATH_SIZE = 4096 };

struct Process {
    Arena *arena;
    pid_t id;
    bool has_ended;
    int code;
    const char *output;
    const char *errors;
    int port;
    int admin_port;
};

static char program[PATH_SIZE];

void process_program(const char *test_path, const char *name)
{
    const char *slash = strrchr(test_path, '/');

    snprintf(program, sizeof(program), "%.*s%s", slash ? (int)(slash - test_path + 1) : 0,
        test_path, name);
}

Process *process_start(Arena *arena, const char *const *flags)
{
    Process *process = arena_alloc(arena, sizeof(*process));
    const char *folder = test_folder();
    char *argv[MAX_FLAGS + 2] = { program };
    posix_spawn_file_actions_t actions;

    process->arena = arena;
    process->output = arena_printf(arena, "%s/output", folder);
    process->errors = arena_printf(arena, "%s/errors", folder);
    for (int i = 0; flags[i] && i < MAX_FLAGS; i++)
        argv[i + 1] = arena_text(arena, flags[i]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(
        &actions, STDOUT_FILENO, process->output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(
        &actions, STDERR_FILENO, process->errors, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (posix_spawn(&process->id, program, &actions, NULL, argv, environ)) {
        perror(program);
        exit(EXIT_FAILURE);
    }
    posix_spawn_file_actions_destroy(&actions);
    return process;
}

void process_signal(Process *process, int number)
{
    if (!process->has_ended)
        kill(process->id, number);
}

static bool has_ended(Process *process)
{
    int status;

    if (process->has_ended || waitpid(process->id, &status, WNOHANG) != process->id)
        return process->has_ended;
    process->has_ended = true;
    process->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

int process_wait(Process *process, int milliseconds)
{
    int64_t until = clock_monotonic() + milliseconds * INT64_C(1000);

    while (!has_ended(process)) {
        if (clock_monotonic() >= until) {
            process_free(process);
            return -1;
        }
        clock_sleep_ms(STEP_MS);
    }
    return process->code;
}

void process_free(Process *process)
{
    if (has_ended(process))
        return;
    kill(process->id, SIGKILL);
    waitpid(process->id, NULL, 0);
    process->has_ended = true;
    process->code = -1;
}

static const char *read_file(Arena *arena, const char *path)
{
    FILE *file = fopen(path, "r");
    struct stat info;
    char *text = arena_text(arena, "");

    if (!file)
        return text;
    if (!fstat(fileno(file), &info)) {
        text = arena_alloc(arena, (size_t)info.st_size + 1);
        text[fread(text, 1, (size_t)info.st_size, file)] = '\0';
    }
    fclose(file);
    return text;
}

const char *process_output(Process *process)
{
    return read_file(process->arena, process->output);
}

const char *process_errors(Process *process)
{
    return read_file(process->arena, process->errors);
}

bool process_wait_text(Process *process, const char *text, int milliseconds)
{
    int64_t until = clock_monotonic() + milliseconds * INT64_C(1000);
    bool is_over;

    do {
        is_over = has_ended(process);
        if (strstr(process_output(process), text))
            return true;
        clock_sleep_ms(STEP_MS);
    } while (!is_over && clock_monotonic() < until);
    return false;
}

static int number_after(const char *text, const char *key)
{
    const char *at = text ? strstr(text, key) : NULL;

    return at ? atoi(at + strlen(key)) : 0;
}

static bool wait_for_ports(Process *process, const char *event, int milliseconds)
{
    const char *line;

    if (!process_wait_text(process, event, milliseconds))
        return false;
    line = strstr(process_output(process), event);
    process->port = number_after(line, "\"port\":");
    process->admin_port = number_after(line, "\"admin_port\":");
    return true;
}

bool process_wait_ready(Process *process, int milliseconds)
{
    return wait_for_ports(process, "\"event\":\"ready\"", milliseconds);
}

bool process_wait_listening(Process *process, int milliseconds)
{
    return wait_for_ports(process, "\"event\":\"listening\"", milliseconds);
}

int process_port(const Process *process)
{
    return process->port;
}

int process_admin_port(const Process *process)
{
    return process->admin_port;
}

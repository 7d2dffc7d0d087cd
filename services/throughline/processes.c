#include "services/throughline/processes.h"
#include "services/throughline/data_folder.h"

#include "shared/base/clock.h"
#include "shared/base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ADMIN_OFFSET = 100, MAX_FLAGS = 32, POLL_MS = 5 };
enum { ANSWER_SIZE = 512, REASON_SIZE = 128, LINE_SIZE = 512 };

extern char **environ;

/* The folder that this program is in: the services are its neighbours. */
static const char *program_folder(Arena *arena)
{
    char path[4096];
    ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (size < 0)
        return ".";
    path[size] = 0;
    slash = strrchr(path, '/');
    if (slash)
        *slash = 0;
    return arena_text(arena, path);
}

static const char *log_of(Arena *arena, const Processes *processes, int index)
{
    return arena_printf(arena, "%s/logs/%s.log", processes->data, shop_services[index].name);
}

static const Error *start_one(Arena *arena, Processes *p, int index, const char *folder)
{
    const char *name = shop_services[index].name;
    const char *program = arena_printf(arena, "%s/%s", folder, name);
    const char *log = log_of(arena, p, index);
    struct stat before = { 0 };
    char *argv[MAX_FLAGS] = { 0 };
    int n = 0, code;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;

    argv[n++] = arena_text(arena, program);
    argv[n++] = arena_printf(arena, "--address=127.0.0.1");
    argv[n++] = arena_printf(arena, "--port=%d", p->base_port + index);
    argv[n++] = arena_printf(arena, "--admin-port=%d", p->base_port + index + ADMIN_OFFSET);
    argv[n++] = arena_printf(arena, "--store-uri=%s", p->store_uri);
    argv[n++] = arena_printf(arena, "--log-level=%s", p->log_level);
    argv[n++] = arena_printf(arena, "--token-keys=%s/keys/public.jwks", p->data);
    argv[n++] = arena_printf(arena, "--token-file=%s/tokens/%s.token", p->data, name);
    if (text_equal(name, "identity"))
        argv[n++] = arena_printf(arena, "--token-signing-key=%s/keys/signing.jwk", p->data);

    stat(log, &before);
    p->logs_before[index] = (long)before.st_size;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    /* Ctrl-C goes to this process alone, which then stops its children in order. */
    posix_spawnattr_init(&attributes);
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    code = posix_spawn(&p->pids[index], program, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (code) {
        p->pids[index] = 0;
        return error_new(arena, ERROR_UNAVAILABLE, "PROGRAM_MISSING", "%s cannot be started: %s.",
            program, strerror(code));
    }
    return NULL;
}

static int connect_to(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = 1 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Asked before the services are started: what an admin port of somebody else says of itself would be taken for a service's. */
static const Error *check_free(Arena *arena, int port)
{
    int fd = connect_to(port);

    if (fd < 0)
        return NULL;
    close(fd);
    return error_new(arena, ERROR_UNAVAILABLE, "PORT_TAKEN",
        "Port %d is in use: is Throughline running already? --base-port chooses others.", port);
}

/* Where the others are goes by environment: a service takes from it what it has peers for. */
static void tell_targets(Arena *arena, int base_port)
{
    for (int i = 0; i < SHOP_SERVICES; i++) {
        char *name = arena_printf(arena, "THROUGHLINE_%s_TARGET", shop_services[i].name);

        for (char *c = name; *c; c++)
            *c = (char)toupper((unsigned char)*c);
        setenv(name, arena_printf(arena, "127.0.0.1:%d", base_port + i), 1);
    }
}

const Error *processes_start(Arena *arena, Processes *processes)
{
    const char *folder = program_folder(arena);
    const Error *error;

    tell_targets(arena, processes->base_port);

    if ((error = data_folder_make(arena, arena_printf(arena, "%s/logs", processes->data))))
        return error;
    for (int i = 0; i < SHOP_SERVICES && !error; i++)
        if (!(error = check_free(arena, processes->base_port + i)))
            error = check_free(arena, processes->base_port + i + ADMIN_OFFSET);
    for (int i = 0; i < SHOP_SERVICES && !error; i++)
        error = start_one(arena, processes, i, folder);
    return error;
}

/* GET /readyz: whether the first line says 200; if not, what the page says, "" when there is none. */
static bool is_ready(int admin_port, char reason[REASON_SIZE])
{
    static const char request[] =
        "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[ANSWER_SIZE] = "";
    const char *body;
    int fd = connect_to(admin_port);
    bool ready;

    *reason = 0;
    if (fd < 0)
        return false;
    ready = write(fd, request, sizeof(request) - 1) == (ssize_t)sizeof(request) - 1 &&
            recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL) > 0 && strstr(answer, " 200 ");
    close(fd);
    if (!ready && (body = strstr(answer, "\r\n\r\n")))
        snprintf(reason, REASON_SIZE, ": %.*s", (int)strcspn(body + 4, "\n"), body + 4);
    return ready;
}

/* ": " and what a service that could not start said of it on standard error, the last line since then that is no entry of the log. */
static const char *last_words(Arena *arena, const Processes *processes, int index)
{
    FILE *log = fopen(log_of(arena, processes, index), "re");
    const char *words = "";
    char line[LINE_SIZE];

    if (!log)
        return "";
    if (!fseek(log, processes->logs_before[index], SEEK_SET))
        while (fgets(line, sizeof(line), log))
            if (*line != '{' && *line != '\n')
                words = arena_printf(arena, ": %.*s", (int)strcspn(line, "\n"), line);
    fclose(log);
    return words;
}

/* WNOWAIT: who has ended is for processes_reap to collect. */
static bool has_ended(const Processes *processes, int index)
{
    siginfo_t info = { 0 };

    return waitid(P_PID, (id_t)processes->pids[index], &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid;
}

static const Error *wait_ready(Arena *arena, const Processes *processes, int index, int64_t end)
{
    const char *name = shop_services[index].name, *log = log_of(arena, processes, index);
    char reason[REASON_SIZE];

    while (!is_ready(processes->base_port + index + ADMIN_OFFSET, reason)) {
        if (*processes->stop)
            return &shop_interrupted;
        if (has_ended(processes, index))
            return error_new(arena, ERROR_UNAVAILABLE, "NOT_READY",
                "%s has ended%s; its log is %s.", name, last_words(arena, processes, index), log);
        if (clock_monotonic() > end)
            return error_new(arena, ERROR_UNAVAILABLE, "NOT_READY",
                "%s is not ready%s; its log is %s.", name, reason, log);
        clock_sleep_ms(POLL_MS);
    }
    return NULL;
}

const Error *processes_wait_ready(Arena *arena, const Processes *processes, int timeout_ms)
{
    int64_t end = clock_monotonic() + (int64_t)timeout_ms * 1000;
    const Error *error = NULL;

    for (int i = 0; i < SHOP_SERVICES && !error; i++)
        error = wait_ready(arena, processes, i, end);
    return error;
}

int processes_reap(Processes *processes)
{
    for (int i = 0; i < SHOP_SERVICES; i++)
        if (processes->pids[i] &&
            waitpid(processes->pids[i], NULL, WNOHANG) == processes->pids[i]) {
            processes->pids[i] = 0;
            return i;
        }
    return -1;
}

bool processes_stop(Processes *processes, int grace_ms)
{
    int64_t end = clock_monotonic() + (int64_t)grace_ms * 1000;
    bool all_clean = true;

    for (int i = 0; i < SHOP_SERVICES; i++)
        if (processes->pids[i])
            kill(processes->pids[i], SIGTERM);
    for (int i = 0; i < SHOP_SERVICES; i++) {
        int status = 0;

        if (!processes->pids[i])
            continue;
        while (waitpid(processes->pids[i], &status, WNOHANG) == 0) {
            if (clock_monotonic() > end || *processes->stop > 1)
                kill(processes->pids[i], SIGKILL);
            clock_sleep_ms(POLL_MS);
        }
        processes->pids[i] = 0;
        all_clean = all_clean && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    return all_clean;
}

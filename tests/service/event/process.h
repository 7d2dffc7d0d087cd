/* A service that runs as a process of its own, its output kept in files. */
#ifndef THROUGHLINE_TESTS_SERVICE_EVENT_PROCESS_H
#define THROUGHLINE_TESTS_SERVICE_EVENT_PROCESS_H

#include "shared/base/arena.h"

#include <stdbool.h>

typedef struct Process Process;

/* Which program the tests start: `name`, in the folder of the test itself. */
void process_program(const char *test_path, const char *name);

/* `flags` ends with NULL. */
Process *process_start(Arena *arena, const char *const *flags);
void process_signal(Process *process, int number);

/* Its exit code, 128 and the signal's number when it was killed; kills it and gives -1 when it does
 * not end in time. */
int process_wait(Process *process, int milliseconds);

/* Kills it if it still runs. */
void process_free(Process *process);

/* What it has written so far. */
const char *process_output(Process *process);
const char *process_errors(Process *process);

/* Until the text is in the output; false when it does not come, or the process ends. */
bool process_wait_text(Process *process, const char *text, int milliseconds);

/* Until it says that it is ready, and where: sets the ports. */
bool process_wait_ready(Process *process, int milliseconds);

/* Until it says that it listens, and where, though it may not be ready: sets the ports. */
bool process_wait_listening(Process *process, int milliseconds);

int process_port(const Process *process);
int process_admin_port(const Process *process);

#endif

/* Repeating work and signals on the admin loop's thread, asked for by the thread that started
 * it. */
#ifndef THROUGHLINE_ADMIN_TIMER_H
#define THROUGHLINE_ADMIN_TIMER_H

#include "shared/admin/http.h"

/* Runs `work` every `milliseconds` on the admin thread until admin_stop; it must be short and never
 * block. */
void admin_every(AdminServer *server, int milliseconds, void (*work)(void *context), void *context);

/* Blocks TERM, INT, HUP and PIPE in this thread and in those that it starts: call it before any. */
void admin_block_signals(void);

/* Calls `caught` on the admin thread when the signal, one of those blocked, arrives. */
void admin_on_signal(
    AdminServer *server, int signal, void (*caught)(int signal, void *context), void *context);

#endif

/* Repeating work and signals on the admin loop's thread. */
#ifndef THROUGHLINE_ADMIN_TIMER_H
#define THROUGHLINE_ADMIN_TIMER_H

#include "shared/admin/http.h"

/* Runs `work` every `milliseconds` on the admin thread until admin_stop; it must be short and never block. */
void admin_every(AdminServer *server, int milliseconds, void (*work)(void *context), void *context);

/* Calls `caught` on the admin thread when one of the signals arrives. Signals are blocked in all threads first
 * with admin_block_signals, before any thread starts. */
void admin_block_signals(void);
void admin_on_signal(AdminServer *server, int signal, void (*caught)(int signal, void *context), void *context);

#endif

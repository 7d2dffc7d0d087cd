/* A file layer under the embedded store that remembers what was written and what was synced, and so knows what the disk may hold if
 * the power goes at any moment: what was synced, and of the rest any part, in sectors. It syncs nothing itself. */
#ifndef THROUGHLINE_TESTS_STORE_LOST_POWER_H
#define THROUGHLINE_TESTS_STORE_LOST_POWER_H

#include <stddef.h>

/* What becomes of the calls that no sync made safe. */
typedef enum LostPower {
    LOST_NOTHING,
    LOST_ALL,
    LOST_CALLS,   /* some of them */
    LOST_SECTORS, /* some sectors of some of them */
    LOST_GARBAGE, /* the same, and other sectors hold garbage */
    N_LOST_POWER
} LostPower;

/* Under every store that is opened from now on; of those one at a time. */
void lost_power_install(void);

/* Remembers all calls from now on; the files of the store "durable" in this folder are safe as they are. */
void lost_power_record(const char *folder);
void lost_power_stop(void);

/* Calls remembered so far, from any thread. */
size_t lost_power_position(void);

/* Makes the files as they may be found in `folder`, which is empty, when the power goes after so many calls; ever more of them from
 * one image to the next. */
void lost_power_image(size_t position, LostPower lost, unsigned *seed, const char *folder);

#endif

/* A file layer under the embedded store whose calls fail on request. */
#ifndef THROUGHLINE_TESTS_STORE_FAULTY_FILES_H
#define THROUGHLINE_TESTS_STORE_FAULTY_FILES_H

#include <stdbool.h>

/* What can fail. */
typedef enum FileCall {
    FILE_ANY_CHANGE, /* a write, sync or truncation of any file */
    FILE_WRITE,
    FILE_SYNC_DATABASE, /* happens when the log is moved into the database */
    FILE_SYNC_LOG,      /* happens with every commit */
} FileCall;

/* Under every store that is opened from now on. */
void faulty_files_install(void);

/* The nth call of this kind from now on returns this result of SQLite, and with `is_lasting` so do all after it. */
void faulty_files_arm(FileCall call, int nth, bool is_lasting, int result);
void faulty_files_disarm(void);

/* Every commit takes this much longer, until it is disarmed. */
void faulty_files_slow(int milliseconds);
/* Whether a commit is being slowed down now. */
bool faulty_files_are_slow(void);

/* Whether a call has failed since it was armed. */
bool faulty_files_have_failed(void);

#endif

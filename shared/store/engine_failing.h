/* For tests: makes operations of an open store fail, before or after their effect, to prove that failures surface. */
#ifndef THROUGHLINE_STORE_ENGINE_FAILING_H
#define THROUGHLINE_STORE_ENGINE_FAILING_H

#include "shared/store/engine.h"

typedef struct StoreFault {
    StoreOperation operation; /* STORE_N_OPERATIONS: any; all reading by name is STORE_OP_GET */
    int64_t nth;              /* 1: the next one of this kind */
    bool is_lasting;          /* and every one after it */
    bool has_effect;          /* it is done, but the caller hears the error */
    const Error *error;       /* a constant */
} StoreFault;

/* In place of the fault that was set before; NULL: none. Not while operations run. */
void store_fail(Store *store, const StoreFault *fault);

#endif

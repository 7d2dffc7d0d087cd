/* What the parts of identity share. */
#ifndef THROUGHLINE_SERVICES_IDENTITY_IDENTITY_SERVICE_H
#define THROUGHLINE_SERVICES_IDENTITY_IDENTITY_SERVICE_H

#include "services/identity/domain/customer.h"
#include "services/identity/domain/merge.h"
#include "shared/auth/token.h"
#include "shared/service/race.h"
#include "shared/service/service.h"

#include "throughline/identity/v1/account.pb-c.h"
#include "throughline/identity/v1/consent.pb-c.h"
#include "throughline/identity/v1/records.pb-c.h"

typedef Throughline__Identity__V1__Account Account;
typedef Throughline__Identity__V1__ConsentRecord ConsentRecord;
typedef Throughline__Identity__V1__TimelineEntry TimelineEntry;
typedef Throughline__Identity__V1__AggregateOwner AggregateOwner;

extern const Collection customers;
extern const Collection consent_records;
extern const Collection timeline;
extern const Collection aggregate_owners;
extern const Collection accounts;
extern const Collection *const identity_collections[];

extern const RpcService customer_rpcs;
extern const RpcService consent_rpcs;
extern const RpcService account_rpcs;

/* context->state */
typedef struct IdentityState {
    TokenSigner *signer; /* NULL: this server issues no tokens */
} IdentityState;

extern const Service identity_service;

#endif

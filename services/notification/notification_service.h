/* What the parts of notification share. */
#ifndef THROUGHLINE_SERVICES_NOTIFICATION_NOTIFICATION_SERVICE_H
#define THROUGHLINE_SERVICES_NOTIFICATION_NOTIFICATION_SERVICE_H

#include "services/notification/domain/message.h"
#include "shared/service/race.h"
#include "shared/service/service.h"

#include "throughline/notification/v1/records.pb-c.h"

typedef Throughline__Notification__V1__EndpointRecord EndpointRecord;

#define DEFAULT_ENDPOINT "endpoints/default"

extern const Collection messages;
extern const Collection templates;
extern const Collection endpoints;
extern const Collection *const notification_collections[];

extern const RpcService message_rpcs;

/* Asks identity over which channels the customer may be reached for the purpose. */
const Error *consented_channels(const RpcCall *call, const char *customer, const char *purpose,
    const char *const **channels, size_t *n_channels);

/* Messages of merged customers go to whoever they are part of: by identity's events, and a job that looks again. */
const Error *messages_follow_merge(RpcCall *call, const Event *event);
const Error *messages_sweep_merges(RpcCall *call);

/* The job: tries what is due. */
const Error *deliver_due_messages(RpcCall *call);

extern const Service notification_service;

#endif

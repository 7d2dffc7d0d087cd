/* What an event of any service reads like to a person, and whose it is. A service that is added
 * needs a row here to be told in its own words; without one it is told by the name of the event. */
#ifndef THROUGHLINE_IDENTITY_SUMMARY_H
#define THROUGHLINE_IDENTITY_SUMMARY_H

#include "shared/base/arena.h"

#include <protobuf-c/protobuf-c.h>

enum { SUMMARY_MAX_TITLE = 80 };

/* "Added 2 × Trail Lamp to the cart". The payload is NULL when its type is not known here. */
const char *summary_of(const ProtobufCMessage *payload, const char *type, Arena *arena);

/* The aggregate that got its customer by this event, so that what it told before is this customer's
 * too; NULL for most. */
const char *summary_adopted(const ProtobufCMessage *payload, const char *aggregate);

#endif

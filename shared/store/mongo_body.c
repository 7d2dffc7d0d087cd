/* Documents in BSON, which everybody who has the database can read. */
#include "shared/store/mongo.h"

#include "shared/codec/bson.h"
#include "shared/codec/message.h"

static Bytes encode(Arena *arena, const ProtobufCMessage *message)
{
    bson_t document = BSON_INITIALIZER;
    Bytes body;

    bson_append_message(&document, message);
    body = (Bytes){ arena_copy(arena, bson_get_data(&document), document.len), document.len };
    bson_destroy(&document);
    return body;
}

static bool decode(Arena *arena, const ProtobufCMessageDescriptor *type, Bytes body, void *message)
{
    bson_t document;

    message_init(type, message);
    return bson_init_static(&document, body.data, body.size) &&
           !bson_read_message(arena, &document, message);
}

const BodyCodec body_bson = { encode, decode };

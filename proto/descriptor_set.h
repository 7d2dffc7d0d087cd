/* The descriptor set compiled into every binary: a serialized google.protobuf.FileDescriptorSet. */
#ifndef THROUGHLINE_PROTO_DESCRIPTOR_SET_H
#define THROUGHLINE_PROTO_DESCRIPTOR_SET_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

extern const uint8_t throughline_descriptor_set[];
extern const uint8_t throughline_descriptor_set_end[];

/* Every message type of proto/ and of the well-known types it uses, map entries too, in no order. */
extern const ProtobufCMessageDescriptor *const throughline_messages[];
extern const size_t throughline_n_messages;

/* Every service. */
extern const ProtobufCServiceDescriptor *const throughline_services[];
extern const size_t throughline_n_services;

#endif

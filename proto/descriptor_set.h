/* The descriptor set compiled into every binary: a serialized google.protobuf.FileDescriptorSet. */
#ifndef THROUGHLINE_PROTO_DESCRIPTOR_SET_H
#define THROUGHLINE_PROTO_DESCRIPTOR_SET_H

#include <stdint.h>

extern const uint8_t throughline_descriptor_set[];
extern const uint8_t throughline_descriptor_set_end[];

#endif

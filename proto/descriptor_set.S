/* The serialized google.protobuf.FileDescriptorSet of everything in proto/. */
    .section .rodata
    .global throughline_descriptor_set
    .global throughline_descriptor_set_end
    .balign 16
throughline_descriptor_set:
    .incbin "throughline.binpb"
throughline_descriptor_set_end:
    .section .note.GNU-stack, "", @progbits

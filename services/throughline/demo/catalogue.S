    .section .rodata
    .global demo_catalogue
    .global demo_catalogue_end
demo_catalogue:
    .incbin "catalogue.jsonl"
demo_catalogue_end:
    .section .note.GNU-stack, "", @progbits

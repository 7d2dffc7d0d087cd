"""What a build is."""
from pathlib import Path


def is_sanitized(program):
    """Whether by gcc, whose sanitizers are libraries, or by Clang, whose sanitizers are inside."""
    code = Path(program).read_bytes()
    return b"__asan_init" in code or b"__tsan_init" in code

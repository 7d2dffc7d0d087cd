#!/usr/bin/python3
"""Checks who includes whom: layers point one way, and each library has the one folder that may include it. And that nothing was left
lying at the top of the tree.

Reads the #include lines of the C files in shared/, services/, proto/ and tests/. A new folder or library is
entered in the tables below, on purpose. Closes with "layout: N passed, N failed, N skipped".
"""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Folder: (folders besides its own, libraries) that its files may include. The longest match counts.
# "*" in a folder stands for the name of a service.
LAYERS = {
    "shared/base": ([], ["sodium"]),
    "shared/codec": (["shared/base"], ["protobuf-c", "bson", "jansson"]),
    "shared/auth": (["shared/base"], ["cjose", "jansson", "openssl", "sodium"]),
    "shared/admin": (["shared/base"], ["libevent"]),
    "shared/store": (["shared/base", "shared/codec"], ["protobuf-c", "bson", "mongoc", "sqlite"]),
    "shared/rpc": (["shared/base", "shared/codec", "shared/auth"],
                   ["protobuf-c", "grpc", "libevent", "nghttp2", "openssl", "zlib"]),
    "shared/event": (["shared/base", "shared/codec", "shared/store", "shared/rpc"], ["protobuf-c"]),
    "shared/service": (["shared"], ["protobuf-c"]),
    "services/*/domain": (["shared/base", "shared/codec"], ["protobuf-c", "sodium"]),
    "services/catalog/import": (["shared", "services/catalog/domain"], ["protobuf-c", "jansson", "zlib"]),
    "services/*": (["shared"], ["protobuf-c", "sodium", "curl", "jansson"]),
    # The command line reads catalogue files with the library that lies beside the catalog service.
    "services/throughline": (["shared", "services/catalog/import"], ["protobuf-c"]),
    "proto": ([], ["protobuf-c"]),
    # A peer of the server that does what our own client never would, and a bare server to compare with.
    "tests/rpc": (["shared", "tests"], ["protobuf-c", "grpc", "nghttp2", "openssl", "cunit"]),
    "tests": (["shared", "services"], ["protobuf-c", "sodium", "cjose", "jansson", "openssl", "bson", "mongoc",
                                       "sqlite", "libevent", "nghttp2", "curl", "cunit"]),
    # Also the bare servers that ours are measured against.
    "tests/bench": (["shared", "services", "tests/support"], ["protobuf-c", "sqlite", "grpc", "nghttp2"]),
}

# Which library a header belongs to; what matches none must be in LIBC.
LIBRARIES = [
    (r"bson/|bson\.h", "bson"), (r"mongoc/|mongoc\.h", "mongoc"), (r"sqlite3", "sqlite"), (r"grpc", "grpc"),
    (r"protobuf-c/", "protobuf-c"), (r"sodium", "sodium"), (r"cjose/", "cjose"), (r"jansson", "jansson"),
    (r"openssl/", "openssl"), (r"zlib\.h", "zlib"), (r"event2/|event\.h", "libevent"), (r"nghttp2/", "nghttp2"), (r"curl/", "curl"),
    (r"CUnit/", "cunit"),
]
LIBC = re.compile(
    r"(sys|arpa|netinet|net|linux|bits|asm)/\w+\.h|(assert|complex|ctype|dirent|dlfcn|elf|endian|err|errno|fcntl|"
    r"fenv|float|fnmatch|ftw|getopt|glob|grp|ifaddrs|inttypes|langinfo|libgen|limits|link|locale|malloc|math|netdb|"
    r"poll|pthread|pwd|regex|sched|search|semaphore|setjmp|signal|spawn|stdalign|stdarg|stdatomic|stdbool|stddef|"
    r"stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|termios|threads|time|ucontext|unistd|utime|wchar|wctype)"
    r"\.h")

# Messages and the descriptor set, made by the build; their folders look like packages.
GENERATED = re.compile(r".*\.pb-c\.h|(proto/)?descriptor_set\.h")
# What stands at the top of the tree; a dot's files beside.
TOP = {"CMakeLists.txt", "services", "proto", "shared", "k8s", "tests", "README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "buf.yaml"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>]+>|"[^"]+")', re.MULTILINE)


def layer_of(path):
    """The row of LAYERS for a file, with its "*" filled in: (folder, folders it may include, libraries)."""
    for pattern in sorted(LAYERS, key=len, reverse=True):
        match = re.match(pattern.replace("*", "[^/]+") + "/", path)
        if match:
            return match.group()[:-1], *LAYERS[pattern]
    return None


def library_of(header):
    return next((name for pattern, name in LIBRARIES if re.match(pattern, header)), None)


def problem_with(path, include):
    """Why the file at `path` may not have this include ('<a.h>' or '"a/b.h"'), None when it may."""
    header = include[1:-1]
    layer = layer_of(path)
    if layer is None:
        return "is in a folder that is not in the table of layers"
    folder, folders, libraries = layer
    if GENERATED.fullmatch(header):
        return f"{folder} stands below the messages" if folder == "shared/base" else None
    if include[0] == "<":
        library = library_of(header)
        if library is None:
            return None if LIBC.fullmatch(header) else f"<{header}> is of no known library"
        return None if library in libraries else f"{folder} may not use {library}"
    if not re.match(r"(shared|services|tests|proto)/", header) or ".." in header:
        return f'"{header}" is not named from the root of the tree'
    if any(header.startswith(allowed + "/") for allowed in [folder, *folders]):
        return None
    return f"{folder} may not include {header.rpartition('/')[0]}"


# The checker is checked first: file, include, whether it may.
SAMPLES = [
    ("shared/base/a.c", '"shared/base/arena.h"', True), ("shared/base/a.c", "<sodium.h>", True),
    ("shared/base/a.c", '"shared/codec/json.h"', False), ("shared/base/a.c", "<jansson.h>", False),
    ("shared/base/a.c", '"google/type/money.pb-c.h"', False), ("shared/base/a.c", "<sys/stat.h>", True),
    ("shared/codec/a.c", "<bson/bson.h>", True), ("shared/codec/a.c", "<mongoc/mongoc.h>", False),
    ("shared/codec/a.c", '"shared/auth/token.h"', False), ("shared/auth/a.c", '"shared/admin/http.h"', False),
    ("shared/admin/a.c", "<event2/event.h>", True), ("shared/store/a.c", "<mongoc/mongoc.h>", True),
    ("shared/store/a.c", "<sqlite3.h>", True), ("shared/store/a.c", '"shared/rpc/call.h"', False),
    ("shared/rpc/a.c", "<grpc/grpc.h>", True), ("shared/rpc/a.c", '"shared/store/store.h"', False),
    ("shared/rpc/a.c", "<bson/bson.h>", False), ("shared/event/a.c", '"services/cart/main.h"', False),
    ("shared/event/a.c", "<grpc/grpc.h>", False), ("shared/service/a.c", '"shared/admin/http.h"', True),
    ("services/cart/domain/a.c", '"shared/store/store.h"', False),
    ("services/cart/domain/a.c", '"shared/rpc/call.h"', False),
    ("services/cart/domain/a.c", '"services/cart/domain/cart.h"', True),
    ("services/cart/domain/a.c", '"services/cart/collections.h"', False),
    ("services/cart/domain/a.c", '"throughline/catalog/v1/product.pb-c.h"', True),
    ("services/cart/domain/a.c", "<curl/curl.h>", False),
    ("services/cart/a.c", '"services/cart/domain/cart.h"', True), ("services/cart/a.c", "<grpc/grpc.h>", False),
    ("services/cart/a.c", '"services/catalog/domain/product.h"', False), ("services/cart/a.c", "<sqlite3.h>", False),
    ("services/cart/a.c", '"services/cart_old/a.h"', False), ("services/cart/a.c", '"cart.h"', False),
    ("services/cart/a.c", '"services/cart/../catalog/a.h"', False), ("services/cart/a.c", "<unheard_of.h>", False),
    ("tests/store/a.c", "<grpc/grpc.h>", False), ("tests/bench/a.c", "<grpc/grpc.h>", True),
    ("other/a.c", "<stdio.h>", False),
]


def main():
    passed = failed = 0
    for path, include, may in SAMPLES:
        if (problem_with(path, include) is None) == may:
            passed += 1
        else:
            failed += 1
            print(f"  FAILED the checker says of {path} with #include {include}: {problem_with(path, include)}")
    files = [file for top in ("shared", "services", "proto", "tests")
             for file in sorted((ROOT / top).rglob("*.[ch]")) if "node_modules" not in file.parts]
    for file in files:
        path = file.relative_to(ROOT).as_posix()
        problems = [(include, problem) for include in INCLUDE.findall(file.read_text(encoding="utf-8"))
                    if (problem := problem_with(path, include))]
        for include, problem in problems:
            print(f"  FAILED {path}: #include {include}: {problem}")
        passed += not problems
        failed += bool(problems)
    kept = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=False).stdout.splitlines()
    strays = sorted(name for name in {path.partition("/")[0] for path in kept} if name not in TOP and not name.startswith("."))
    for name in strays:
        print(f"  FAILED {name} is nothing that stands at the top of the tree")
    passed += not strays
    failed += len(strays)
    print(f"layout: {passed} passed, {failed} failed, 0 skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())

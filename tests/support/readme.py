"""What the README says beside its commands: readme.py README BUILD SCRATCH PORT TOKEN_FILE. One line a check: ok …, FAILED …, skipped …"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ["identity", "catalog", "cart", "feedback", "notification"]
C_FRAME = """#include "shared/rpc/client.h"
#include "throughline/catalog/v1/product.pb-c.h"
const Error *readme(Arena *arena, Throughline__Catalog__V1__ListProductsRequest request, Throughline__Catalog__V1__ListProductsResponse page);
const Error *readme(Arena *arena, Throughline__Catalog__V1__ListProductsRequest request, Throughline__Catalog__V1__ListProductsResponse page)
{
    const Error *error;
%s
    return error;
}
"""
GO_FRAME = "package main\n\nfunc main() {\n%s\n}\n"


def check(what, is_so, why=""):
    print(f"ok {what}" if is_so else f"FAILED {what}: {why}", flush=True)


def settings(build, program):
    """name: default, as --help has them."""
    text = subprocess.run([build / "bin" / program, "--help"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^  --([a-z-]+)  \((THROUGHLINE_[A-Z_]+)\)\n +.*?(?:Default: (.*)|No default)\.$", text, re.M)
    check(f"{program} --help names a variable for every flag", all(
        variable == "THROUGHLINE_" + name.upper().replace("-", "_") for name, variable, _ in found) and len(found) > 20, len(found))
    return {name: default for name, _, default in found}


def look_at_settings(readme, build):
    helps = {name: settings(build, name) for name in NAMES}
    table = readme[readme.index("| setting | default |"):].split("\n\n")[0].splitlines()[2:]
    for row in table:
        flags, default = (cell.strip() for cell in row.split("|")[1:3])
        names = re.findall(r"--([a-z-]+)", flags.replace("<peer>", "catalog"))
        programs = ["cart"] if "<peer>" in flags else NAMES
        known = all(flag in helps[program] for flag in names for program in programs)
        check(f"{flags} is a setting", names and known, programs)
        if "port" in names:
            said = [{"port": str(7001 + i), "admin-port": str(7101 + i)} for i in range(len(NAMES))]
            check(f"{flags}: its default", "7001 … 7005, +100" in default and all(
                helps[name].items() >= said[i].items() for i, name in enumerate(NAMES)), default)
        elif "…" not in default and known:
            wanted = {"off": "false"}.get(default, default).replace("`", "").split(", ")
            given = [helps["cart"][flag] for flag in names]
            check(f"{flags}: its default", given[:len(wanted)] == wanted or not any(given) and wanted == [""], f"{default}, not {given}")
    return helps["cart"]


def look_at_limits(security, known):
    """SECURITY.md "has all of them"."""
    limits = [name for name in known if name.startswith("max-") or name in ("handshake-time", "body-time", "stall-time", "proxy-protocol")]
    missing = [name for name in limits if f"--{name}`" not in security]
    check("SECURITY.md has every limit", limits and not missing, missing)
    for name, value in re.findall(r"`--([a-z-]+)` \((\d+[kmg]?)\)", security):
        check(f"SECURITY.md: the default of --{name}", known.get(name) == value, known.get(name))


def snippet(readme, language):
    return re.search(rf"```{language}\n(.*?)```", readme, re.S).group(1)


def compiled(what, command, text=None):
    ended = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    check(what, ended.returncode == 0, (ended.stderr or ended.stdout)[-300:])


def look_at_clients(readme, build, scratch, port, token):
    root = Path(__file__).resolve().parent.parent.parent
    protos = ["throughline/catalog/v1/product.proto"]
    queue = list(protos)
    while queue:  # and what they import
        for name in re.findall(r'^import (?:public )?"(.*)";', (root / "proto" / queue.pop()).read_text(), re.M):
            if (root / "proto" / name).exists() and name not in protos:
                protos.append(name)
                queue.append(name)
    compiled("stubs for Python", [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}/proto", f"--python_out={scratch}",
                                  f"--grpc_python_out={scratch}", *protos])
    code = snippet(readme, "python").replace("localhost:7002", f"localhost:{port}")
    names = {}
    sys.path.insert(0, str(scratch))
    try:
        exec("import grpc\nfrom throughline.catalog.v1 import product_pb2, product_pb2_grpc\n" +  # pylint: disable=exec-used
             f"token = {token!r}\n" + code, names)
        check("the call from Python", len(names["page"].products) == 1, names["page"])
    except Exception as error:  # pylint: disable=broad-except
        check("the call from Python", False, error)
    (scratch / "readme.c").write_text(C_FRAME % snippet(readme, "c"))
    compiled("the call from C", ["cc", "-std=gnu11", "-fsyntax-only", "-Wall", "-Werror", f"-I{root}", f"-I{root}/proto",
                                 f"-I{build}/proto/generated", str(scratch / "readme.c")])
    (scratch / "readme.js").write_text(snippet(readme, "js").replace("…", "page"))
    compiled("the call from Node", ["node", "--check", str(scratch / "readme.js")])
    if shutil.which("gofmt"):
        compiled("the call from Go", ["gofmt", "-e"], GO_FRAME % snippet(readme, "go"))
    else:
        print("skipped the call from Go: no gofmt")


def main():
    readme, build, scratch, port, token = sys.argv[1:]
    text = Path(readme).read_text(encoding="utf-8")
    known = look_at_settings(text, Path(build))
    look_at_limits(Path(readme).with_name("SECURITY.md").read_text(encoding="utf-8"), known)
    look_at_clients(text, Path(build), Path(scratch), port, Path(token).read_text(encoding="utf-8").strip())


main()

# What shell checks share: counting, a running shop, the closing line. Source it after setting `check` (its name) and `build`.
passed=0 failed=0 skipped=0
scratch=$(mktemp -d)
shop=""

finish() {
  [ -z "$shop" ] || { kill "$shop" 2>/dev/null; wait "$shop" 2>/dev/null; }
  rm -rf "$scratch"
  echo "$check: $passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ]
}
trap 'finish; exit $?' EXIT

ok() { passed=$((passed + 1)); }
bad() {
  failed=$((failed + 1))
  echo "  FAILED $*"
}
skip() {
  skipped=$((skipped + 1))
  echo "  skipped $*"
}

# expect CODE WHAT COMMAND… : runs it for at most $limit (60) seconds, wants this exit code; its output is in $scratch/out and $scratch/err.
expect() {
  local wanted=$1 what=$2 code
  shift 2
  timeout "${limit:-60}" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  code=$?
  if [ "$code" = "$wanted" ]; then ok; else
    bad "$what: exit code $code instead of $wanted: $(tail -n 2 "$scratch/err" | tr '\n' ' ')"
  fi
}

# says WHAT FILE TEXT : the file has the text
says() {
  if grep -qF -- "$3" "$2"; then ok; else bad "$1: \"$3\" is not in: $(head -n 5 "$2" | tr '\n' ' ')"; fi
}

# go_tool NAME PACKAGE@VERSION : sets $tool to a program written in Go: the one on the PATH, the one built before, or a fresh build.
# Fails with the reason in $why where there is no Go that can build it.
go_tool() {
  local bin=$PWD/build/cache/bin
  why=""
  tool=$(command -v "$1" || echo "$bin/$1")
  [ -x "$tool" ] && return
  command -v go >/dev/null || { why="no $1, and no Go to build it"; return 1; }
  GOBIN=$bin GOTOOLCHAIN=local timeout 240 go install "$2" >"$scratch/go" 2>&1 && return
  why="no $1, and Go cannot build it: $(tail -n 1 "$scratch/go")"
  return 1
}

# start_shop [FLAGS…] : `throughline up` on free ports in $scratch/data; sets $port
start_shop() {
  port=$((20000 + RANDOM % 12000))
  : >"$scratch/up.log" # of a shop before it
  "$build/bin/throughline" up --data="$scratch/data" --base-port=$port "$@" >"$scratch/up.log" 2>&1 &
  shop=$!
  for _ in $(seq 300); do
    grep -q '^Serving' "$scratch/up.log" && return 0
    kill -0 $shop 2>/dev/null || break
    sleep 0.1
  done
  bad "the services start: $(tail -n 3 "$scratch/up.log" | tr '\n' ' ')"
  return 1
}

# Where the services of start_shop are, for the command line.
targets() {
  for i in identity:0 catalog:1 cart:2 feedback:3 notification:4; do
    printf -- '--%s-target=localhost:%d ' "${i%:*}" $((port + ${i#*:}))
  done
}

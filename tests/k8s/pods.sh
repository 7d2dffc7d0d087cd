# Sourced by tests/checks/k8s: builds the images, plays the dev overlay's pods with podman on the host's network, and the journey
# against them. Needs root; podman, runc and debootstrap are installed when they are missing.
pods() {
  local missing="" mirror base=localhost/throughline/debian:12 yaml=$scratch/pods.yaml name
  [ "$(id -u)" = 0 ] || { skip "the journey against pods: not root"; return; }
  for name in podman runc debootstrap catatonit; do command -v $name >/dev/null || missing+=" $name"; done
  if [ -n "$missing" ]; then
    apt-get install -y -qq --no-install-recommends $missing >"$scratch/apt" 2>&1 ||
      { skip "the journey against pods:$missing cannot be had"; return; }
  fi
  export CONTAINERS_CONF=$scratch/containers.conf
  printf '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n[containers]\n%s\n%s\n' \
    "default_ulimits = [\"nofile=$(ulimit -Hn):$(ulimit -Hn)\", \"nproc=4096:4096\"]" 'netns = "host"' >"$CONTAINERS_CONF"
  podman info >"$scratch/info" 2>&1 || { skip "the journey against pods: podman does not run here ($(tail -n 1 "$scratch/info"))"; return; }

  if ! podman image exists $base; then
    mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(http[^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
    debootstrap --variant=minbase --include=ca-certificates bookworm "$scratch/root" ${mirror:+"$mirror"} >"$scratch/debootstrap" 2>&1 ||
      { skip "the journey against pods: debootstrap fails ($(tail -n 1 "$scratch/debootstrap"))"; return; }
    cp -r /etc/apt/. "$scratch/root/etc/apt/"
    cp -r /usr/local/share/ca-certificates/. "$scratch/root/usr/local/share/ca-certificates/" 2>/dev/null &&
      chroot "$scratch/root" update-ca-certificates >/dev/null 2>&1
    tar -C "$scratch/root" -c . | podman import - $base >"$scratch/import" 2>&1 ||
      { skip "the journey against pods: podman imports no image ($(tail -n 1 "$scratch/import"))"; return; }
    rm -rf "$scratch/root"
  fi
  for name in identity catalog cart feedback notification; do
    podman build --network=host -q -f k8s/Dockerfile --build-arg BASE=$base --build-arg SERVICE=$name \
      -t localhost/throughline/$name:dev . >"$scratch/build" 2>&1 || { bad "the image of $name: $(tail -n 3 "$scratch/build" | tr '\n' ' ')"; return; }
    ok
  done
  podman images --format '{{.Repository}} {{.Size}}' | grep throughline/ | sort -u
  play "$yaml"
}

are_ready() {
  [ "$(for p in 7101 7102 7103 7104 7105; do curl -s -o /dev/null -w '%{http_code} ' localhost:$p/readyz; done)" = "200 200 200 200 200 " ]
}

# The dev overlay with what its comment asks for (keys, tokens), on the host's network, where every service is at localhost.
play() {
  local yaml=$1 data=$scratch/data
  "$build/bin/throughline" up --data="$data" --base-port=$((20000 + RANDOM % 12000)) >"$scratch/up" 2>&1 &
  shop=$!
  for _ in $(seq 300); do grep -q '^Serving' "$scratch/up" && break; sleep 0.1; done
  kill $shop; wait $shop; shop=""
  forget
  /usr/bin/python3 tests/k8s/secrets.py "$cache/dev.yaml" "$data" >"$yaml"
  if podman kube play --network host "$yaml" >"$scratch/play" 2>&1; then ok
  else bad "podman kube play: $(tail -n 3 "$scratch/play" | tr '\n' ' ')"; return; fi
  for _ in $(seq 600); do
    are_ready && break
    sleep 0.2
  done
  if are_ready; then ok; else bad "the pods do not become ready"; fi
  limit=180
  expect 0 "catalogue into the pods" "$build/bin/throughline" import services/throughline/demo/catalogue.jsonl --data="$data"
  expect 0 "the journey against the pods" "$build/bin/throughline" demo --data="$data"
  says "the journey against the pods" "$scratch/out" "Quote, order and invoice agree"
  podman kube down "$yaml" >"$scratch/down" 2>&1 && ok || bad "podman kube down: $(tail -n 1 "$scratch/down")"
  forget
}

# What an earlier run, cut off in the middle, may have left.
forget() {
  podman pod rm -f identity-pod-0 catalog-pod-0 cart-pod-0 feedback-pod-0 notification-pod-0 >/dev/null 2>&1
  podman volume rm -f throughline-tokens throughline-signing-key throughline-token-keys \
    throughline-{identity,catalog,cart,feedback,notification}-data >/dev/null 2>&1
  true
}
pods

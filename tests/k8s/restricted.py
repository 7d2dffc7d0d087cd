"""Checks rendered YAML against Kubernetes' restricted pod standard and against the services' own ports. One line a check: ok …, FAILED …"""
import sys

import yaml

PORTS = {"identity": 7001, "catalog": 7002, "cart": 7003, "feedback": 7004, "notification": 7005}
DEFAULT_DRAIN_MS = 25000  # of the services
LAST_EVENTS_SECONDS = 2  # that the relay takes after the drain
SPARE_SECONDS = 10
ALLOWED_VOLUMES = {"configMap", "emptyDir", "projected", "secret", "downwardAPI", "persistentVolumeClaim", "ephemeral", "csi"}


def check(what, is_so):
    print(("ok " if is_so else "FAILED ") + what)


documents = [d for d in yaml.safe_load_all(open(sys.argv[1])) if d]
deployments = {d["metadata"]["name"]: d for d in documents if d["kind"] == "Deployment"}
services = {d["metadata"]["name"]: d for d in documents if d["kind"] == "Service"}
budgets = {d["metadata"]["name"]: d["spec"]["maxUnavailable"] for d in documents if d["kind"] == "PodDisruptionBudget"}
check("there are the five services", set(deployments) == set(PORTS) == set(services))
for name, deployment in deployments.items():
    pod = deployment["spec"]["template"]["spec"]
    container = pod["containers"][0]
    security, inner = pod["securityContext"], container["securityContext"]
    check(f"{name} is nobody", security["runAsNonRoot"] is True and security["runAsUser"] > 0)
    check(f"{name} has a seccomp profile", security["seccompProfile"]["type"] == "RuntimeDefault")
    check(f"{name} cannot gain privileges", inner["allowPrivilegeEscalation"] is False and inner["capabilities"] == {"drop": ["ALL"]})
    check(f"{name} writes nowhere in its image", inner["readOnlyRootFilesystem"] is True)
    check(f"{name} has no token of the cluster", pod["automountServiceAccountToken"] is False)
    check(f"{name} mounts only what it may", all(set(v) - {"name"} <= ALLOWED_VOLUMES for v in pod["volumes"]))
    check(f"{name} is probed through its gRPC port", container["readinessProbe"]["grpc"]["port"] == PORTS[name])
    check(f"{name} has a memory limit", "memory" in container["resources"]["limits"])
    drain_ms = next((int(e["value"]) for e in container["env"] if e["name"] == "THROUGHLINE_DRAIN_MS"), DEFAULT_DRAIN_MS)
    stop_seconds = container["lifecycle"]["preStop"]["sleep"]["seconds"] + drain_ms / 1000 + LAST_EVENTS_SECONDS
    check(f"{name} has time to drain", pod["terminationGracePeriodSeconds"] >= stop_seconds + SPARE_SECONDS)
    check(f"{name} loses one pod at a time at most", budgets.get(name) == 1)
    ports = {p["name"]: p["containerPort"] for p in container["ports"]}
    check(f"{name} listens where its service says", ports == {"grpc": PORTS[name], "admin": PORTS[name] + 100}
          and services[name]["spec"]["clusterIP"] == "None" and services[name]["spec"]["ports"][0]["port"] == PORTS[name])

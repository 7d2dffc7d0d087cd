"""The dev overlay for podman: its Deployments with the ConfigMaps and Secrets that it asks for, every service at localhost.
secrets.py RENDERED.yaml DATA-FOLDER"""
import base64
import pathlib
import sys

import yaml

rendered, data = sys.argv[1], pathlib.Path(sys.argv[2])


def secret(name, files):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque",
            "data": {f.name: base64.b64encode(f.read_bytes()).decode() for f in files}}


documents = [
    {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "throughline-token-keys"},
     "data": {"public.jwks": (data / "keys/public.jwks").read_text()}},
    secret("throughline-tokens", sorted((data / "tokens").glob("*.token"))),
    secret("throughline-signing-key", [data / "keys/signing.jwk"]),
]
for document in yaml.safe_load_all(open(rendered)):
    if document["kind"] == "ConfigMap":
        for key in document["data"]:
            document["data"][key] = document["data"][key].replace("dns:///", "").replace(
                "identity:", "localhost:").replace("catalog:", "localhost:").replace("cart:", "localhost:").replace(
                "feedback:", "localhost:").replace("notification:", "localhost:")
    elif document["kind"] == "Deployment":
        container = document["spec"]["template"]["spec"]["containers"][0]
        # podman 4 knows neither gRPC probes nor preStop; readiness is asked for through the admin port.
        for probe in ("startupProbe", "readinessProbe", "livenessProbe", "lifecycle"):
            container.pop(probe, None)
        document["spec"]["template"]["spec"].pop("topologySpreadConstraints", None)
    else:
        continue
    documents.append(document)
print(yaml.safe_dump_all(documents))

"""The dev overlay for podman: its Deployments with the keys and tokens that it asks for, every service at localhost.
secrets.py RENDERED.yaml DATA-FOLDER"""
import pathlib
import sys

import yaml

rendered, data = sys.argv[1], pathlib.Path(sys.argv[2])


def config_map(name, files):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {f.name: f.read_text() for f in files}}


documents = [
    config_map("throughline-token-keys", [data / "keys/public.jwks"]),
    config_map("throughline-tokens", sorted((data / "tokens").glob("*.token"))),
    config_map("throughline-signing-key", [data / "keys/signing.jwk"]),
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
        # On the host's network there is nothing to map.
        for key in ("startupProbe", "readinessProbe", "livenessProbe", "lifecycle", "ports"):
            container.pop(key, None)
        document["spec"]["template"]["spec"].pop("topologySpreadConstraints", None)
        # It mounts secrets without decoding them, so here they are config maps; and an emptyDir of one name is one for all pods.
        for volume in document["spec"]["template"]["spec"]["volumes"]:
            if "secret" in volume:
                secret = volume.pop("secret")
                volume["configMap"] = {"name": secret.pop("secretName"), **secret}
            if "emptyDir" in volume:
                own = f"throughline-{document['metadata']['name']}-{volume['name']}"
                for mount in container["volumeMounts"]:
                    mount["name"] = own if mount["name"] == volume["name"] else mount["name"]
                volume["name"] = own
    else:
        continue
    documents.append(document)
print(yaml.safe_dump_all(documents))

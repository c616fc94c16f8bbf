"""The packaged cluster files: that Ray and KubeRay take them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from synthcity.cluster.plan import load_plan
from synthcity.errors import ConfigError

CLUSTERS = Path(__file__).parents[1] / "clusters"
# of the operator's schema: which keys a manifest has, those that it needs first
SPEC = (
    {"headGroupSpec"},
    {"rayVersion", "authOptions", "enableInTreeAutoscaling", "autoscalerOptions", "workerGroupSpecs"},
)
GROUP = ({"template", "rayStartParams"}, {"groupName", "replicas", "minReplicas", "maxReplicas"})
JOB = ({"entrypoint"}, {"clusterSelector", "submissionMode", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished"})


def manifests() -> dict[str, dict]:
    documents = yaml.safe_load_all((CLUSTERS / "kuberay.yaml").read_text(encoding="utf-8"))
    return {document["kind"]: document for document in documents}


def holds(section: Mapping[str, object], keys: tuple[set[str], set[str]]) -> bool:
    needed, others = keys
    return needed <= section.keys() <= needed | others


def test_every_file_is_loaded_by_a_test() -> None:
    assert sorted(path.name for path in CLUSTERS.iterdir()) == ["basilica.yaml", "kuberay.yaml", "local.yaml"]
    load_plan(CLUSTERS / "local.yaml")
    load_plan(CLUSTERS / "basilica.yaml")
    with pytest.raises(ConfigError, match="kubectl apply"):
        load_plan(CLUSTERS / "kuberay.yaml")


def test_the_cluster_of_kuberay_scales_by_autoscaler_v2_with_token_and_without_trials_on_the_head() -> None:
    found = manifests()
    assert list(found) == ["PersistentVolumeClaim", "RayCluster", "RayJob"]
    spec = found["RayCluster"]["spec"]
    assert found["RayCluster"]["apiVersion"] == "ray.io/v1"
    assert holds(spec, SPEC)
    assert (spec["authOptions"], spec["enableInTreeAutoscaling"], spec["autoscalerOptions"]["version"]) == (
        *({"mode": "token"}, True, "v2"),
    )
    assert spec["rayVersion"] == version("ray")  # of constraints.txt
    head, workers = spec["headGroupSpec"], spec["workerGroupSpecs"]
    assert head["rayStartParams"] == {"num-cpus": "0", "num-gpus": "0"}
    for group in (head, *workers):
        assert holds(group, GROUP)
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        pod = group["template"]["spec"]
        assert pod["restartPolicy"] == "Never"  # autoscaler v2 replaces a pod, it does not start it again
    for group in workers:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
        (container,) = group["template"]["spec"]["containers"]
        assert not {"env", "envFrom"} & container.keys()  # the head alone holds keys
        assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_the_runs_outlive_the_cluster_and_the_job_is_one_of_it() -> None:
    found = manifests()
    pod = found["RayCluster"]["spec"]["headGroupSpec"]["template"]["spec"]
    (volume,), (container,) = pod["volumes"], pod["containers"]
    assert volume["persistentVolumeClaim"]["claimName"] == found["PersistentVolumeClaim"]["metadata"]["name"]
    assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/runs"}]
    job = found["RayJob"]["spec"]
    assert holds(job, JOB)
    assert job["clusterSelector"] == {"ray.io/cluster": found["RayCluster"]["metadata"]["name"]}
    assert "output=/runs" in job["entrypoint"]

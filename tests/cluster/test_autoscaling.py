from __future__ import annotations

from pathlib import Path

from ray.autoscaler._private.util import prepare_config, validate_config

from synthcity.cluster.autoscaling import PROVIDER, autoscaling, variables
from synthcity.cluster.plan import Plan


def test_rays_autoscaler_takes_it_and_finds_every_key(plan: Plan) -> None:
    from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig

    told = autoscaling(plan, Path("/state/tests"))
    validate_config(prepare_config(told))
    config = AutoscalingConfig(told)
    kinds = config.get_node_type_configs()
    assert {name: (kind.max_worker_nodes, kind.resources, kind.idle_timeout_s) for name, kind in kinds.items()} == {
        "head": (1, {"CPU": 0}, None),
        "cpu": (2, {"CPU": 1}, 300.0),
        "big": (1, {"CPU": 2}, 300.0),
    }
    assert config.get_max_num_worker_nodes() == 3
    assert config.disable_node_updaters()


def test_the_provider_is_where_ray_looks_for_it() -> None:
    from ray.autoscaler._private.loader import load_function_or_class

    from synthcity.cluster.provider import Provider

    assert load_function_or_class(PROVIDER) is Provider


def test_a_node_that_never_joins_is_given_up_after_its_boot_time(plan: Plan) -> None:
    assert variables(plan)["RAY_AUTOSCALER_RECONCILE_ALLOCATE_STATUS_TIMEOUT_S"] == "300"
    assert variables(plan)["RAY_enable_autoscaler_v2"] == "1"

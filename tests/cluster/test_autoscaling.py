from __future__ import annotations

from pathlib import Path

from ray.autoscaler._private.util import prepare_config, validate_config

from synthcity.cluster.autoscaling import PROVIDER, autoscaling, variables
from synthcity.cluster.plan import Plan
from synthcity.schema import build
from tests.cluster.machines.test_rented import PLAN


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
    assert variables(plan)["RAY_AUTOSCALER_RECONCILE_ALLOCATE_STATUS_TIMEOUT_S"] == "900"
    assert variables(plan)["RAY_enable_autoscaler_v2"] == "1"


def test_what_is_rented_has_its_gpus_and_time_to_be_found_in() -> None:
    rented = build(Plan, PLAN)
    kinds = autoscaling(rented, Path("/state/syntha"))["available_node_types"]
    assert kinds["gpu"]["resources"] == {"CPU": 4, "GPU": 1}
    assert kinds["cpu"]["resources"] == {"CPU": 1}
    # Ray waits for a machine that is looked for, and after that as long as one may take to join
    assert variables(rented)["RAY_AUTOSCALER_RECONCILE_ALLOCATE_STATUS_TIMEOUT_S"] == str(15 * 60 + 10 * 60)


def test_a_node_behind_ssh_is_waited_for_as_long_as_it_waits_itself(plan: Plan) -> None:
    threshold = "RAY_health_check_failure_threshold"
    assert int(variables(build(Plan, PLAN))[threshold]) * 3 == 60  # Ray asks every three seconds
    assert threshold not in variables(plan)

"""What of a stage can be raised, and by which schedules. Makes clients; it calls nobody.

It must not know what is raised when.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.deploy.account import Account
from infra.deploy.faults import Fault
from infra.deploy.names import ALIAS, Names
from infra.deploy.stage import StageSettings
from infra.prewarm import stores
from infra.prewarm.provisioned import Provisioned
from infra.prewarm.scaling import Scaling
from infra.prewarm.scheduler import Scheduler
from infra.prewarm.store_limits import Limit
from infra.prewarm.warming import Target


def function(account: Account, name: str) -> tuple[Provisioned, Target]:
    """The alias of a function; only AWS itself has a schedule for it."""
    alias = Provisioned(account.client("lambda"), name, ALIAS)
    if account.target != "aws":
        return alias, Target(alias=alias, scaling=None)
    return alias, Target(alias=alias, scaling=Scaling(account.client("application-autoscaling"), name, ALIAS))


def bounds(settings: StageSettings) -> stores.Bounds:
    """What the stage's settings allow its stores."""
    return stores.Bounds(
        least=stores.Stores(ecpu=settings.ecpu_minimum, half_acu=round(settings.minimum_acu * 2)),
        most=stores.Stores(ecpu=settings.ecpu_maximum, half_acu=round(settings.maximum_acu * 2)),
    )


def of_stores(
    account: Account, names: Names, settings: StageSettings, outputs: Mapping[str, str]
) -> tuple[Target, Target]:
    """The cache and the cluster. Raises Fault where the stage has none, or nobody may raise them."""
    if account.target != "aws":
        raise Fault(
            "On this machine the stores are what they are: there is nothing to raise without --target aws."
        )
    role = outputs.get("PrewarmRoleArn")
    if role is None:
        raise Fault(
            f"{names.foundation} has no role that may lower the stores again (output PrewarmRoleArn), so"
            " nothing is raised. Deploy it again from this checkout."
        )
    within = bounds(settings)
    scheduler = account.client("scheduler")

    def cache(ecpu: int) -> dict[str, object]:
        return stores.cache_call(names.prefix, within, ecpu)

    def cluster(half_acu: int) -> dict[str, object]:
        return stores.cluster_call(outputs.get("ClusterIdentifier", names.prefix), within, half_acu)

    return (
        Target(
            alias=Limit(account.client("elasticache").modify_serverless_cache, cache),
            scaling=Scheduler(scheduler, f"{names.prefix}-ecpu", role, stores.ECPU_CALL, cache),
        ),
        Target(
            alias=Limit(account.client("rds").modify_db_cluster, cluster),
            scaling=Scheduler(scheduler, f"{names.prefix}-acu", role, stores.ACU_CALL, cluster),
        ),
    )

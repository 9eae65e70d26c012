"""Which runs confirm still trains, by which engine, and which of them together."""

from collections.abc import Mapping, Sequence

from ..engines.cohorts import choose_size
from ..journal.record_types import BeginRecord
from ..project.project import Project
from ..project.records import confirm_seed
from ..space.space import Space
from ..training.pool import Machines
from ..training.runs import Run


def find_engine(project: Project) -> str | None:
    """What trained the latest runs of confirm, those without an end included; None without any."""
    begun = [each for each in project.records if isinstance(each, BeginRecord)]
    engines = [each.engine or "tensorflow" for each in begun if each.stage == "confirm"]
    return engines[-1] if engines else None


def plan_runs(project: Project, trial: int, runs: int, epochs: int) -> list[Run]:
    """The first so many runs of a trial's configuration, those that are done included."""
    root, values = project.root(trial), project.values(trial)
    return [
        Run(
            stage="confirm",
            trial=trial,
            root=root,
            run=number,
            seed=confirm_seed(project.settings.seed, root, number),
            values=values,
            epochs=epochs,
            checkpoint=project.checkpoint_path("confirm", root, number, epochs),
            # On other data nothing is handed in.
            model_file=None if project.other else project.model_path(root, number, epochs),
        )
        for number in range(runs)
    ]


def leave_out_done(project: Project, planned: list[Run]) -> list[Run]:
    """The runs that have no record yet."""
    done = {
        (root, epochs, record.run)
        for (root, epochs), records in project.confirm_runs().items()
        for record in records
    }
    return [run for run in planned if (run.root, run.epochs, run.run) not in done]


def group_runs(space: Space, runs: list[Run], machines: Machines, engine: str) -> list[list[Run]]:
    """The runs as they are handed out: TensorFlow trains one at a time."""
    if engine != "jax":
        return [[run] for run in runs]
    memory = machines.read_memory(machines.count)
    most = {run.root: choose_size(space, run.values, memory) for run in runs}
    return form_cohorts(runs, most)


def form_cohorts(runs: Sequence[Run], most: Mapping[int, int]) -> list[list[Run]]:
    """The runs in cohorts of one root each, in equal parts: each size is compiled anew.

    The first part of every root comes first, then the second: when time is up, all have about as
    many runs.

    Args:
        runs: in the order in which they are wanted.
        most: of each root, how many may train together.
    """
    cohorts = []
    for root in dict.fromkeys(run.root for run in runs):
        own = [run for run in runs if run.root == root]
        parts = -(-len(own) // most[root])
        small, larger = divmod(len(own), parts)
        for part in range(parts):
            count = small + (part < larger)
            cohorts.append((part, own[:count]))
            own = own[count:]
    return [cohort for _, cohort in sorted(cohorts, key=lambda pair: pair[0])]

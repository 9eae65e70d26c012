"""Which checkpoint is a run's, and what of it counts."""

from ..engines.checkpoints import History, read_history
from .project import Project


def read_checkpoint(project: Project, stage: str, root: int, run: int, epochs: int) -> History:
    """The metrics of each epoch that a run of `epochs` will not train again when it goes on."""
    path = project.checkpoint_path(stage, root, run, epochs)
    if not path.exists():
        return []
    # Imported late: a tenth of a second of numpy that `status` of a project at rest does not pay.
    from .records import confirm_seed, search_seed

    seed = project.settings.seed
    owner = {
        "stage": stage,
        "root": root,
        "run": run,
        "seed": search_seed(seed, root) if stage == "search" else confirm_seed(seed, root, run),
        "values": project.values(root),
        "space": project.space.sha256,
        "data": project.settings.data.fingerprint,
    }
    return read_history(path, owner, epochs)

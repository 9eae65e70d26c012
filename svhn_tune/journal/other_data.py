"""Images of another source than the search's, on which confirm trains its configurations."""

from pydantic import BaseModel, ConfigDict


class StrictTable(BaseModel):
    """No field but its own, values neither converted nor changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class OtherData(StrictTable):
    """Which other images they are.

    `source` is its name in space files, `where` a folder or "builtin"; the rest is as in
    project.json.
    """

    source: str
    where: str
    name: str
    fingerprint: str
    synthetic: bool

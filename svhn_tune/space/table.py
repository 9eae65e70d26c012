"""What every table of a space file is read by."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..errors import CONTROLS


class Table(BaseModel):
    """A table of a space file: unknown keys are refused, values are not converted or changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _is_line(text: str) -> str:
    if CONTROLS.search(text):
        raise ValueError("control characters and line ends have no place in it")
    return text


Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_is_line)]
